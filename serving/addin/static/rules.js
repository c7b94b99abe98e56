import { make, sign } from './dom.js';
import { GRAVEST_FIRST, SEVERITIES, asHeading, counted } from './words.js';

/**
 * @import { Guideline, Guidelines, Precision } from './wire.js'
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
export function guidance(guideline) {
  if (!guideline) return [make('p', {}, 'The text of this guideline could not be loaded.')];
  const example = (/** @type {string} */ label, /** @type {string | undefined} */ text) =>
    text ? [make('dt', {}, label), make('dd', {}, text.replace(/^#+\s+/, ''))] : [];
  const examples = [...example('Not', guideline.violations[0]), ...example('But', guideline.compliant[0])];
  return [
    ...guideline.guidance.split(/\n\s*\n/).map((text) => make('p', {}, text.replaceAll('\n', ' '))),
    ...(examples.length ? [make('dl', {}, ...examples)] : []),
  ];
}

/** Before the first check. @param {Guidebook} book */
export function welcome(book) {
  const { guidelines, pack, version } = book;
  const against = guidelines.size ? `${counted(guidelines.size, 'guideline')} of the pack “${pack}”, version ${version}.` : 'the house’s guidelines.';
  const section = make('section', { class: 'welcome' },
    make('h2', {}, 'Check this article'),
    make('p', {}, `Against ${against} You get a score, and each finding at its exact words, with the rule behind it and what to write instead.`),
    make('p', { class: 'small' }, 'Checking sends the text to your house’s Copydesk service.'));
  return guidelines.size ? [section, rulesView(book)] : [section];
}

/** What an article will be checked against, by category. @param {Guidebook} book */
function rulesView(book) {
  const categories = Map.groupBy(book.guidelines.values(), ({ category }) => category);
  return make('div', { class: 'rules' }, ...[...categories].flatMap(([category, guidelines]) => [
    make('h3', {}, asHeading(category)),
    ...guidelines.sort((a, b) => GRAVEST_FIRST.indexOf(a.severity) - GRAVEST_FIRST.indexOf(b.severity)).map((guideline) =>
      make('details', {},
        make('summary', {}, sign(guideline.severity), make('span', {}, guideline.title, make('span', { class: 'unseen' }, `, ${SEVERITIES[guideline.severity].one}`))),
        make('div', { class: 'rule' }, ...guidance(guideline)))),
  ]));
}
