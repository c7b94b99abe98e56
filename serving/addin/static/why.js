import { make } from './dom.js';
import { guidance } from './rules.js';
import { METHODS, number } from './words.js';

/**
 * @import { Guidebook } from './rules.js'
 * @import { Finding, Precision } from './wire.js'
 */

/** Why a finding was made: the rule, how it was found, and how often it was right where that is known.
 * @param {Finding} finding @param {Guidebook} book @param {string} version */
export function reasonOf(finding, book, version) {
  const source = make('p', { class: 'small' }, `${version}, ${finding.guideline}: ${METHODS[finding.method]}.`);
  book.precisions?.then((all) => {
    const precision = all.get(finding.guideline);
    if (precision) source.append(` ${precisionInWords(precision)}`);
  });
  return make('div', { class: 'rule' }, ...guidance(book.guidelines.get(finding.guideline)), source);
}

/** @param {NonNullable<Precision>} precision */
function precisionInWords({ value, low, high, findings }) {
  const percent = (/** @type {number} */ part) => Math.round(part * 100);
  return `Right in ${percent(value)} of 100 findings (${percent(low)} to ${percent(high)}; ${number(findings)} judged).`;
}
