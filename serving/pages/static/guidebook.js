import { make } from './dom.js';
import { GRAVEST_FIRST, SEVERITIES, asHeading, counted } from './words.js';

/**
 * @import { Guideline } from './wire.js'
 *
 * The house's guidelines by id.
 * @typedef {Map<string, Guideline>} Guidebook
 */

/** The text of a guideline with an example of each kind. @param {Guidebook} guidebook @param {string} id */
export function guidanceOf(guidebook, id) {
  const guideline = guidebook.get(id);
  if (!guideline) return make('p', { class: 'guidance' }, 'The text of this guideline could not be loaded.');
  const paragraphs = guideline.guidance.split(/\n\s*\n/).map((text) => make('p', {}, text.replaceAll('\n', ' ')));
  return make('div', { class: 'guidance' }, ...paragraphs, examplesOf(guideline));
}

/** @param {Guideline} guideline */
function examplesOf({ violations, compliant }) {
  const [wrong, right] = [violations[0], compliant[0]];
  if (!wrong && !right) return null;
  const example = (/** @type {string} */ label, /** @type {string | undefined} */ text) =>
    text ? [make('dt', {}, label), make('dd', {}, text.replace(/^#+\s+/, ''))] : [];
  return make('dl', { class: 'examples' }, ...example('Not', wrong), ...example('But', right));
}

/** What an article will be checked against, by category. @param {Guidebook} guidebook */
export function guidebookView(guidebook) {
  /** @type {Map<string, Guideline[]>} */
  const categories = new Map();
  for (const guideline of guidebook.values()) {
    categories.set(guideline.category, [...(categories.get(guideline.category) ?? []), guideline]);
  }
  const sections = [...categories].map(([category, guidelines]) => [
    make('h4', {}, asHeading(category)),
    make('ul', {}, ...guidelines.sort(byGravity).map((guideline) => entry(guidebook, guideline))),
  ]);
  return make('div', { class: 'guidebook' }, ...sections.flat());
}

/** @param {Guidebook} guidebook @param {Guideline} guideline */
function entry(guidebook, guideline) {
  const { one, sign } = SEVERITIES[guideline.severity];
  return make(
    'li',
    { class: guideline.severity },
    make(
      'details',
      {},
      make('summary', {}, make('span', { class: 'sign', title: one, role: 'img', 'aria-label': one }, sign), make('span', {}, guideline.title)),
      guidanceOf(guidebook, guideline.id),
    ),
  );
}

/** @param {Guideline} a @param {Guideline} b */
function byGravity(a, b) {
  return GRAVEST_FIRST.indexOf(a.severity) - GRAVEST_FIRST.indexOf(b.severity);
}

/** What stands in the report's place before the first check. @param {Guidebook} guidebook @param {string} pack */
export function welcome(guidebook, pack) {
  const against = guidebook.size ? `${counted(guidebook.size, 'guideline')} of the ${pack}. ` : '';
  return make(
    'div',
    { class: 'welcome' },
    make('h3', {}, 'What is checked'),
    make('p', {}, `${against}You get a score, and each finding at its exact words with the rule behind it and what to write instead.`),
    guidebook.size ? guidebookView(guidebook) : null,
  );
}
