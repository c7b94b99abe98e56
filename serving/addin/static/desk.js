import { Anchors, holdsObjects, smallest } from './anchors.js';
import { problemFrom } from './api.js';
import { Cards, findingsInWords } from './cards.js';
import { make } from './dom.js';
import { Utf16Offsets } from './offsets.js';
import { Review } from './review.js';
import { summary, versionInWords } from './summary.js';
import { reasonOf } from './why.js';
import { BANDS, REASONS, counted, number } from './words.js';

/**
 * @import { Api } from './api.js'
 * @import { Change, DocumentPort, Editing, Passage, Place } from './document.js'
 * @import { Edit, Item } from './review.js'
 * @import { Guidebook } from './rules.js'
 * @import { Decided, Decision, Paragraph, Reason, Result } from './wire.js'
 *
 * The paragraphs as they were when they were read for the check, and which of them each of the result's is.
 * @typedef {{passages: Passage[], at: (paragraph: Paragraph, index: number) => number}} Settled
 *
 * What the desk needs of the pane around it.
 * @typedef {object} Around
 * @property {DocumentPort} doc
 * @property {Editing} editing
 * @property {Api} api
 * @property {Guidebook} book
 * @property {(text: string, undo?: () => void) => void} offer says what was done, to be seen, with a way back
 * @property {(text: string) => void} hear says it to those who hear the pane
 * @property {() => void} looked the desk has seen where the text is now
 */

const MARK_LATER_MS = 250; // after the last edit: marks move with the text by themselves, so typing needn't wait for new ones

/** One checked article: its score, its findings, and what the editor does about them. */
export class Desk {
  /** Whether the text is another one than was checked. */
  changed = false;
  element = make('div', {});

  /** @param {Result} result @param {Settled} settled @param {boolean} selection whether only a part was checked @param {Around} around */
  constructor(result, { passages, at }, selection, around) {
    const { report, feedback } = result;
    this.#result = result;
    this.#around = around;
    this.#checked = textOf(passages);
    this.#of = selection ? `Of the selection: ${counted(report.article.words, 'word')}` : '';
    this.#keeps = Array.isArray(feedback);
    this.#anchors = new Anchors(passages);
    this.#review = new Review(report.findings, feedback ?? []);
    for (const item of this.#review.items) anchorItem(this.#anchors, item, result, passages, at);
    this.#cards = new Cards(this.#review, this.#means(), {
      reveal: (item) => this.#reveal(item),
      replace: (items, text) => this.#replace(items, text),
      dismiss: (items, reason, comment) => this.#dismiss(items, reason, comment),
      comment: (item) => this.#comment(item),
      undo: (items) => this.#undoAll(items),
      filtered: () => this.#mark(),
      listed: () => this.#around.offer(''),
    });
    this.#summary = this.#summed(false);
    this.element.append(this.#summary, ...this.#findings());
  }

  #refused = false;
  #marking = 0;
  /** @type {Result} */ #result;
  /** @type {Around} */ #around;
  /** The text that was checked. @type {string} */ #checked;
  /** @type {string} */ #of;
  /** Whether the service keeps what editors decide. @type {boolean} */ #keeps;
  /** @type {Anchors} */ #anchors;
  /** @type {Review} */ #review;
  /** @type {Cards} */ #cards;
  /** @type {HTMLElement} */ #summary;

  /** Shown: the first card is open, the score is told. */
  async begin() {
    this.#cards.open(this.#review.shown[0] ?? null, false, false);
    this.#mark();
    document.getElementById('score')?.focus(); // which lays the page out, so all that is shown goes before
    this.#around.hear(this.#inWords());
    await this.look();
  }

  /** The article is another one: nothing is marked any more. */
  leave() {
    clearTimeout(this.#marking);
    this.#around.editing.mark([]);
  }

  /** @param {1 | -1} step */
  step(step) {
    this.#cards.step(step);
  }

  /** A mark in the document was clicked. @param {string} key */
  pick(key) {
    const item = this.#review.items.find((one) => one.key === key);
    if (!item) return;
    this.#cards.open(item, false);
    this.#mark();
  }

  /** Sees where the text is now. */
  async look() {
    const passages = await this.#around.doc.read();
    this.#anchors.follow(passages);
    let moved = false;
    for (const item of this.#review.items) {
      const gone = !this.#anchors.place(item.key);
      moved ||= gone !== item.gone;
      item.gone = gone;
    }
    this.changed = textOf(passages) !== this.#checked;
    if (moved) this.#cards.draw();
    this.#around.looked();
    clearTimeout(this.#marking);
    this.#marking = setTimeout(() => this.#mark(), MARK_LATER_MS);
  }

  #inWords() {
    const { report } = this.#result;
    if (!report.score || !report.band) return 'Nothing could be checked.';
    const partial = report.status === 'partial' ? ' Not everything was checked.' : '';
    return `Score ${number(report.score.value)} of 100, ${BANDS[report.band].toLowerCase()}; ${findingsInWords(this.#review)}.${partial}`;
  }

  #means() {
    const { book, api } = this.#around;
    const { report } = this.#result;
    return {
      dismiss: this.#keeps,
      comment: this.#around.editing.can.comment,
      titleOf: (/** @type {string} */ id) => this.#titleOf(id),
      reasonOf: (/** @type {Item} */ { finding }) => {
        book.precisions ??= api.precisions(report.version.number).catch(() => new Map());
        return reasonOf(finding, book, `${versionInWords(report)} of pack “${report.version.pack}”`);
      },
    };
  }

  /** @param {string} id */
  #titleOf(id) {
    return this.#result.report.outcomes.find(({ guideline }) => guideline === id)?.title ?? id;
  }

  /** @param {boolean} open */
  #summed(open) {
    return summary(this.#result.report, { of: this.#of, open });
  }

  #findings() {
    const { status, outcomes } = this.#result.report;
    if (this.#review.items.length) {
      return [this.#cards.element, ...(this.#keeps ? [] : [make('p', { class: 'small' }, 'This service does not keep dismissals yet.')])];
    }
    const checked = outcomes.filter(({ verdict }) => verdict === 'clear').length;
    return status === 'complete' ? [make('p', { class: 'clear' }, `Nothing to fix. Checked by ${counted(checked, 'guideline')}.`)] : [];
  }

  #mark() {
    const marks = this.#review.shown.map((item) => ({
      key: item.key,
      severity: item.finding.severity,
      current: item === this.#cards.current,
      find: () => this.#anchors.place(item.key),
    }));
    this.#around.editing.mark(marks).catch((error) => console.warn('the words could not be marked', error));
  }

  /** @param {string} key of an anchor @returns {(passages: Passage[]) => Place | null} */
  #finder(key) {
    return (passages) => {
      this.#anchors.follow(passages);
      return this.#anchors.place(key);
    };
  }

  /** @param {Item} item */
  async #reveal(item) {
    this.#mark();
    const shown = await this.#act(() => this.#around.editing.reveal(this.#finder(item.key)));
    if (shown === false) await this.#gone();
  }

  /** @param {Item} item */
  async #comment(item) {
    const { finding } = item;
    const note = [`${this.#titleOf(finding.guideline)}: ${finding.message}`, ...finding.suggestions.map((text) => `→ ${text}`)].join('\n');
    const done = await this.#act(() => this.#around.editing.comment(this.#finder(item.key), note));
    if (done === false) await this.#gone();
    if (done) this.#around.hear('The comment is in the margin.');
  }

  async #gone() {
    await this.look();
    this.#around.hear('These words have changed since the check.');
  }

  /** @param {Item[]} items @param {string} text */
  async #replace(items, text) {
    /** @type {Item[]} */
    const done = [];
    for (const item of items) {
      if (items.length > 1) this.#around.hear(`Replacing ${number(done.length + 1)} of ${number(items.length)}…`);
      const replaced = await this.#act(() => this.#replaceOne(item, text));
      if (replaced === null) break;
      if (replaced) done.push(item);
      else if (items.length === 1) await this.look();
    }
    if (!done.length && this.#refused) return;
    if (!done.length) return this.#around.offer('Nothing was replaced: the words have changed since the check, or hold a footnote or a picture.');
    await this.#next(done);
    const left = items.length - done.length;
    this.#around.offer(`${done.length > 1 ? `${number(done.length)} replaced` : 'Replaced'}${left ? `, ${number(left)} left as they are` : ''}.`, () => this.#undoAll(done));
    await this.#tell(done.map(({ finding }) => ({ finding: finding.fingerprint, action: 'accept' })));
  }

  /** @param {Item} item @param {string} text */
  async #replaceOne(item, text) {
    /** @type {Change | null} */
    let change = null;
    let lead = 0;
    const replaced = await this.#around.editing.replace((passages) => {
      const place = this.#finder(item.key)(passages);
      if (!place) return null;
      const wanted = smallest(place, text, passages[place.index]?.text ?? '');
      if (holdsObjects(wanted.quote)) return null;
      lead = place.start - wanted.start;
      return (change = wanted);
    });
    if (!replaced || !change) return false;
    const { index, start, quote, text: written } = /** @type {Change} */ (change);
    this.#anchors.replaced(change);
    this.#anchors.add(`edit ${item.key}`, index, start, start + written.length);
    item.state = 'replaced';
    item.edit = { was: quote, lead, length: item.finding.quote.length };
    return true;
  }

  /** @param {Item[]} items @param {Reason} reason @param {string} comment */
  async #dismiss(items, reason, comment) {
    const told = await this.#tell(items.map(({ finding }) => ({ finding: finding.fingerprint, action: 'dismiss', reason, ...(comment && { comment }) })));
    if (!told) return;
    for (const item of items) Object.assign(item, { state: 'dismissed', reason });
    await this.#next(items);
    this.#around.offer(`${items.length > 1 ? `${number(items.length)} dismissed` : 'Dismissed'}: ${REASONS[reason].toLowerCase()}.`, () => this.#undoAll(items));
  }

  /** Takes back what was done, the last first. @param {Item[]} items */
  async #undoAll(items) {
    let left = 0;
    const order = items.filter(({ state }) => state !== 'open').reverse();
    for (const item of order) {
      const undone = item.edit ? await this.#act(() => this.#restoreOne(item)) : true;
      if (!undone) left += 1;
      else await this.#untell(item);
    }
    await this.look();
    const first = items.find(({ state }) => state === 'open') ?? null;
    this.#cards.open(first, true);
    this.#mark();
    this.#around.offer('');
    if (left) this.#around.offer(`${counted(left, 'replacement')} could not be undone: the words have changed since.`);
    else this.#around.hear('Undone.');
  }

  /** @param {Item} item */
  async #restoreOne(item) {
    const { was, lead, length } = /** @type {Edit} */ (item.edit);
    const key = `edit ${item.key}`;
    /** @type {Change | null} */
    let change = null;
    const restored = await this.#around.editing.restore((passages) => {
      const place = this.#finder(key)(passages);
      return (change = place && { ...place, text: was });
    });
    if (!restored || !change) return false;
    const { index, start } = /** @type {Change} */ (change);
    this.#anchors.replaced(change);
    this.#anchors.forget(key);
    this.#anchors.add(item.key, index, start + lead, start + lead + length);
    item.edit = null;
    item.state = 'open';
    return true;
  }

  /** @param {Item[]} done */
  async #next(done) {
    const next = this.#review.after(done);
    await this.look();
    this.#cards.open(next, true);
    this.#mark();
  }

  /** Tells the service what the editor decided; the score follows. @param {Decision[]} decisions */
  async #tell(decisions) {
    if (!this.#keeps) return decisions.every(({ action }) => action === 'accept');
    try {
      this.#told(await this.#around.api.decide(this.#result.job_id, decisions));
      return true;
    } catch (error) {
      const problem = problemFrom(error);
      if (problem.status === 404) this.#keeps = false;
      this.#around.offer(problem.status === 404 ? 'This service does not keep dismissals yet.' : `It could not be kept. ${problem.title}: ${problem.detail}`);
      return false;
    }
  }

  /** @param {Item} item */
  async #untell(item) {
    const wasDismissed = item.state === 'dismissed';
    if (!this.#keeps) return;
    try {
      const decided = await this.#around.api.undecide(this.#result.job_id, item.finding.fingerprint);
      this.#review.reopen(item);
      this.#told(decided);
    } catch (error) {
      const problem = problemFrom(error);
      if (wasDismissed) this.#around.offer(`It could not be undone. ${problem.title}: ${problem.detail}`);
    }
  }

  /** @param {Decided} decided */
  #told({ score, band, feedback }) {
    const { report } = this.#result;
    this.#review.told(feedback);
    Object.assign(report, { score, band });
    this.#cards.draw();
    const now = this.#summed(this.#summary.querySelector('details')?.open ?? false);
    this.#summary.replaceWith(now);
    this.#summary = now;
  }

  /** What the host may refuse. @template T @param {() => Promise<T>} act @returns {Promise<T | null>} */
  async #act(act) {
    this.#refused = false;
    try {
      return await act();
    } catch (error) {
      console.warn('the document refused', error);
      this.#refused = true;
      this.#around.offer('The document did not allow that. Is it open for reading only?');
      return null;
    }
  }
}

/** Puts a finding's code points into its paragraph's units. A finding over several paragraphs leads to its first words.
 * @param {Anchors} anchors @param {Item} item @param {Result} result @param {Passage[]} passages
 * @param {(paragraph: Paragraph, index: number) => number} at */
function anchorItem(anchors, item, { paragraphs }, passages, at) {
  const { start, end } = item.finding;
  const index = paragraphs.findIndex((paragraph) => start < paragraph.end);
  const paragraph = paragraphs[index];
  const passage = paragraph && passages[at(paragraph, index)];
  if (!paragraph || !passage) return;
  const offsets = new Utf16Offsets(passage.text);
  item.whole = end <= paragraph.end;
  const last = Math.min(end, paragraph.end) - paragraph.start;
  anchors.add(item.key, at(paragraph, index), offsets.units(start - paragraph.start), offsets.units(last));
}

/** @param {Passage[]} passages */
const textOf = (passages) => passages.map(({ text }) => text).join('\n');
