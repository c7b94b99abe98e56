import { make, sign } from './dom.js';
import { BANDS, METHODS, SEVERITIES, counted, number } from './words.js';

/** @import { Outcome, Report, Score } from './wire.js' */

/** The score with what it is made of, what wasn't checked, and who says so.
 * @param {Report} report @param {{of: string, open: boolean}} shown of which text; whether the parts are open */
export function summary(report, { of, open }) {
  const { score } = report;
  return make('section', { class: 'summary', 'aria-labelledby': 'score' },
    ...(score ? [scoreLine(score, report, of), scoreBar(score, report)] : [make('h2', { id: 'score', tabindex: '-1' }, 'Nothing could be checked')]),
    gaps(report),
    make('details', { class: 'parts', open },
      make('summary', {}, score ? pointsOff(score) : 'How it was checked'),
      score && score.contributions.length > 0 && partsTable(score, report),
      ...provenance(report, score)));
}

/** @param {Score} score @param {Report} report @param {string} of */
function scoreLine(score, report, of) {
  const band = report.band ?? 'red';
  const word = report.status === 'partial' && band === 'amber' ? 'Not fully checked' : BANDS[band];
  return make('div', { class: `score ${band}` },
    make('h2', { id: 'score', tabindex: '-1' }, make('span', { class: 'unseen' }, 'Score '), make('span', { class: 'value' }, number(score.value)), make('span', { class: 'of' }, ' of 100')),
    make('p', { class: 'band' }, word),
    of && make('p', { class: 'small' }, of));
}

/** The whole is 100: what is left, then what each guideline takes. @param {Score} score @param {Report} report */
function scoreBar(score, report) {
  const part = (/** @type {string} */ kind, /** @type {number} */ points) => {
    const segment = make('span', { class: `part ${kind}` });
    segment.style.flexGrow = String(points);
    return segment;
  };
  const taken = score.contributions.map(({ guideline, points }) => part(outcomeOf(report.outcomes, guideline)?.severity ?? 'advice', points));
  return make('div', { class: 'bar', 'aria-hidden': 'true' }, part(`kept ${report.band}`, score.value), ...taken);
}

/** @param {Report} report */
function gaps(report) {
  const missed = report.outcomes.filter(({ verdict, method }) => verdict === 'failed' || verdict === 'not_checked' || method === 'fallback');
  if (!missed.length) return null;
  const how = ({ verdict, method } = /** @type {Outcome} */ ({})) =>
    verdict === 'failed' ? 'failed' : method === 'fallback' ? METHODS.fallback : 'not checked';
  return make('div', { class: 'message warning' },
    make('h3', {}, `${counted(missed.length, 'guideline was', 'guidelines were')} not checked as planned`),
    make('ul', {}, ...missed.map((outcome) =>
      make('li', {}, make('strong', {}, outcome.title), `: ${how(outcome)}`, outcome.reason && make('span', { class: 'small' }, ` (${outcome.reason})`)))));
}

/** @param {Score} score */
function pointsOff({ value, contributions }) {
  const off = Math.round((100 - value) * 10) / 10;
  return off ? `${number(off)} points off, by ${counted(contributions.length, 'guideline')}` : 'How it was checked';
}

/** @param {Score} score @param {Report} report */
function partsTable({ contributions }, { outcomes }) {
  const head = ['Guideline', 'Findings', 'Points off'].map((name) => make('th', { scope: 'col' }, name));
  return make('table', {}, make('thead', { class: 'unseen' }, make('tr', {}, ...head)), make('tbody', {}, ...contributions.map((one) => {
    const outcome = outcomeOf(outcomes, one.guideline);
    const severity = outcome?.severity ?? 'advice';
    return make('tr', {},
      make('th', { scope: 'row' }, sign(severity), make('span', { class: 'unseen' }, `${SEVERITIES[severity].one}: `), outcome?.title ?? one.guideline),
      make('td', {}, `× ${number(one.findings)}`),
      make('td', {}, `−${number(one.points)}`));
  })));
}

/** @param {Outcome[]} outcomes @param {string} id */
const outcomeOf = (outcomes, id) => outcomes.find(({ guideline }) => guideline === id);

/** @param {Report} report @param {Score | null} score */
function provenance(report, score) {
  const { version, outcomes, unanchored, remarks, article, kept } = report;
  const applies = outcomes.filter(({ verdict }) => verdict !== 'not_applicable');
  const skipped = outcomes.length - applies.length;
  return [
    score && `By guideline the average is ${number(score.average)}, the lowest ${number(score.minimum)}.`,
    `${versionInWords(report)}, pack “${version.pack}”: ${howChecked(applies)}.`,
    kept && `${counted(kept, 'verdict')} on unchanged paragraphs stood from earlier checks.`,
    skipped && `${counted(skipped, 'guideline is', 'guidelines are')} not for articles in “${article.language}”.`,
    unanchored && `${counted(unanchored, 'remark')} of the model quoted words that are not in the article and ${unanchored === 1 ? 'is' : 'are'} left out.`,
    ...remarks,
    evidenceInWords(version.evidence),
  ].filter(Boolean).map((line) => make('p', { class: 'small' }, line || ''));
}

/** @param {Report} report */
export const versionInWords = ({ version }) => (version.number ? `Version ${version.number}` : 'An unregistered version');

/** @param {Outcome[]} outcomes */
function howChecked(outcomes) {
  const methods = Map.groupBy(outcomes.filter(({ method }) => method), ({ method }) => METHODS[method ?? 'model']);
  const parts = [...methods].map(([how, { length }], at) => `${at ? number(length) : counted(length, 'guideline')} ${how}`);
  return parts.join(', ') || 'no guideline was checked';
}

/** Whether an evaluation stands behind the version, said plainly. @param {string} evidence */
function evidenceInWords(evidence) {
  if (!evidence) return 'Ungated: no evaluation stands behind this version.';
  const forced = /^forced:?\s*(.*)$/s.exec(evidence);
  if (!forced) return `Promoted on evidence: ${evidence}`;
  return `Ungated: promoted by force, without an evaluation.${forced[1] ? ` Reason given: “${forced[1]}”.` : ''}`;
}
