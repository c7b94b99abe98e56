import { make, sign } from './dom.js';
import { GRAVEST_FIRST, METHODS, SEVERITIES, asHeading, number } from './words.js';

/**
 * @import { Finding, Guideline, Guidelines, Precision } from './wire.js'
 *
 * The house's guidelines by id, which pack and version they are of, and how often each was right.
 * @typedef {{guidelines: Map<string, Guideline>, pack: string, version: string, precisions: Promise<Map<string, Precision>> | null}} Guidebook
 */

/** @param {Guidelines | null} served @returns {Guidebook} */
export function guidebookOf(served) {
  const guidelines = new Map((served?.guidelines ?? []).map((guideline) => [guideline.id, guideline]));
  return { guidelines, pack: served?.pack ?? '', version: served?.version ?? '', precisions: null };
}

/** The text of a guideline with an example of each kind. @param {Guideline | undefined} guideline */
function guidance(guideline) {
  if (!guideline) return [make('p', {}, 'The text of this guideline could not be loaded.')];
  const example = (/** @type {string} */ label, /** @type {string | undefined} */ text) =>
    text ? [make('dt', {}, label), make('dd', {}, text.replace(/^#+\s+/, ''))] : [];
  const examples = [...example('Not', guideline.violations[0]), ...example('But', guideline.compliant[0])];
  return [
    ...guideline.guidance.split(/\n\s*\n/).map((text) => make('p', {}, text.replaceAll('\n', ' '))),
    ...(examples.length ? [make('dl', {}, ...examples)] : []),
  ];
}

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

/** What an article will be checked against, by category. @param {Guidebook} book */
export function rulesView(book) {
  const categories = Map.groupBy(book.guidelines.values(), ({ category }) => category);
  return make('div', { class: 'rules' }, ...[...categories].flatMap(([category, guidelines]) => [
    make('h3', {}, asHeading(category)),
    ...guidelines.sort((a, b) => GRAVEST_FIRST.indexOf(a.severity) - GRAVEST_FIRST.indexOf(b.severity)).map((guideline) =>
      make('details', {},
        make('summary', {}, sign(guideline.severity), make('span', {}, guideline.title, make('span', { class: 'unseen' }, `, ${SEVERITIES[guideline.severity].one}`))),
        make('div', { class: 'rule' }, ...guidance(guideline)))),
  ]));
}
