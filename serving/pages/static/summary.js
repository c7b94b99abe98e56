import { make } from './dom.js';
import { BANDS, METHODS, SEVERITIES, counted, number } from './words.js';

/** @import { Contribution, Outcome, Report, Severity } from './wire.js' */

/** The score with what it is made of, what wasn't checked, and who says so. @param {Report} report */
export function summary(report) {
  return make(
    'section',
    { class: 'summary', 'aria-labelledby': 'summary-name' },
    report.score ? scoreLine(report) : make('h3', { id: 'summary-name', tabindex: '-1' }, 'Nothing could be checked'),
    report.score ? scoreBar(report) : null,
    clearLine(report),
    gaps(report),
    report.score?.contributions.length ? contributions(report) : null,
    provenance(report),
  );
}

/** @param {Report} report */
function scoreLine({ score, band, status }) {
  if (!score || !band) return null;
  const word = status === 'partial' && band === 'amber' ? 'Not fully checked' : BANDS[band];
  return make(
    'div',
    { class: `score ${band}` },
    make('h3', { id: 'summary-name', tabindex: '-1' }, make('span', { class: 'unseen' }, 'Score '), make('span', { class: 'value' }, number(score.value)), make('span', { class: 'of' }, ' of 100')),
    make('p', { class: 'band' }, word),
    make('p', { class: 'spread' }, `By guideline: average ${number(score.average)}, lowest ${number(score.minimum)}`),
  );
}

/** The whole is 100: what is left, then what each guideline takes. @param {Report} report */
function scoreBar({ score, band, outcomes }) {
  if (!score) return null;
  const part = (/** @type {string} */ kind, /** @type {number} */ points) => {
    const segment = make('span', { class: `part ${kind}` });
    segment.style.flexGrow = String(points);
    return segment;
  };
  const taken = score.contributions.map((one) => part(severityOf(outcomes, one.guideline), one.points));
  return make('div', { class: 'score-bar', 'aria-hidden': 'true' }, part(`kept ${band}`, score.value), ...taken);
}

/** @param {Report} report */
function clearLine(report) {
  if (report.findings.length || report.status !== 'complete') return null;
  const checked = report.outcomes.filter((outcome) => outcome.verdict === 'clear').length;
  return make('p', { class: 'clear' }, `Nothing to fix. Checked by ${counted(checked, 'guideline')}.`);
}

/** @param {Report} report */
function gaps(report) {
  const missed = report.outcomes.filter(({ verdict, method }) => verdict === 'failed' || verdict === 'not_checked' || method === 'fallback');
  if (!missed.length) return null;
  const items = missed.map((outcome) =>
    make('li', {}, make('strong', {}, outcome.title), `: ${howMissed(outcome)}`, outcome.reason ? make('span', { class: 'reason' }, outcome.reason) : null),
  );
  return make(
    'div',
    { class: 'notice' },
    make('h4', {}, `${counted(missed.length, 'guideline was', 'guidelines were')} not checked as planned`),
    make('ul', {}, ...items),
  );
}

/** @param {Outcome} outcome */
function howMissed({ verdict, method }) {
  if (verdict === 'failed') return 'failed';
  return method === 'fallback' ? METHODS.fallback : 'not checked';
}

/** @param {Report} report */
function contributions({ score, outcomes }) {
  if (!score) return null;
  const rows = score.contributions.map((one) => contributionRow(one, outcomes));
  const taken = Math.round((100 - score.value) * 10) / 10;
  return make(
    'details',
    { class: 'made-of' },
    make('summary', {}, `${number(taken)} points off, by ${counted(rows.length, 'guideline')}`),
    make(
      'table',
      {},
      make('thead', { class: 'unseen' }, make('tr', {}, make('th', { scope: 'col' }, 'Guideline'), make('th', { scope: 'col' }, 'Findings'), make('th', { scope: 'col' }, 'Points off'))),
      make('tbody', {}, ...rows),
    ),
  );
}

/** @param {Contribution} one @param {Outcome[]} outcomes */
function contributionRow(one, outcomes) {
  const severity = severityOf(outcomes, one.guideline);
  const title = outcomes.find((outcome) => outcome.guideline === one.guideline)?.title ?? one.guideline;
  return make(
    'tr',
    {},
    make('th', { scope: 'row', class: severity }, make('span', { class: 'sign', role: 'img', 'aria-label': SEVERITIES[severity].one }, SEVERITIES[severity].sign), title),
    make('td', {}, `× ${number(one.findings)}`),
    make('td', {}, `−${number(one.points)}`),
  );
}

/** @param {Outcome[]} outcomes @param {string} id @returns {Severity} */
function severityOf(outcomes, id) {
  return outcomes.find((outcome) => outcome.guideline === id)?.severity ?? 'advice';
}

/** @param {Report} report */
function provenance(report) {
  const { version, outcomes, unanchored, remarks } = report;
  const applies = outcomes.filter((outcome) => outcome.verdict !== 'not_applicable');
  const skipped = outcomes.length - applies.length;
  const lines = [
    `${version.number ? `Version ${version.number}` : 'An unregistered version'}, pack “${version.pack}”: ${howChecked(applies)}.`,
    skipped ? `${counted(skipped, 'guideline is', 'guidelines are')} not for articles in “${report.article.language}”.` : '',
    unanchored ? `${counted(unanchored, 'remark')} of the model quoted words that are not in the article and ${unanchored === 1 ? 'is' : 'are'} left out.` : '',
    ...remarks,
  ].filter(Boolean);
  return make('div', { class: 'provenance' }, make('p', {}, lines.join(' ')), make('p', { class: 'evidence' }, evidenceInWords(version.evidence)));
}

/** @param {Outcome[]} outcomes */
function howChecked(outcomes) {
  /** @type {Map<import('./wire.js').Method, number>} */
  const methods = new Map();
  for (const { method } of outcomes) if (method) methods.set(method, (methods.get(method) ?? 0) + 1);
  const parts = [...methods].map(([method, count], index) => `${index ? number(count) : counted(count, 'guideline')} ${METHODS[method]}`);
  return parts.join(', ') || 'no guideline was checked';
}

/** Whether an evaluation stands behind the version, said plainly. @param {string} evidence */
export function evidenceInWords(evidence) {
  if (!evidence) return 'Ungated: no evaluation stands behind this version.';
  const forced = /^forced:?\s*(.*)$/s.exec(evidence);
  if (!forced) return `Promoted on evidence: ${evidence}`;
  return forced[1] ? `Ungated: promoted by force, without an evaluation. Reason given: “${forced[1]}”.` : 'Ungated: promoted by force, without an evaluation.';
}
