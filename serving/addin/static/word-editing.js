/// <reference types="office-js" />
import { has, paragraphsOf } from './word-document.js';
import { rangeOf } from './word-search.js';

/**
 * @import { Change, Editing, FindChange, FindPlace, Mark, Passage, Place } from './document.js'
 */

const WAIT_MS = 400; // after an edit, until the paragraphs are read again
const COLOURS = /** @type {const} */ ({ breach: 'Red', warning: 'Berry', advice: 'Blue' });

/** What is done to the document in Word and heard of it: tracked changes, comments, events and squiggles where the host has them.
 * @implements {Editing} */
export class WordEditing {
  #squiggles = has('1.7');
  /** Our keys of Word's annotations. @type {Map<string, string>} */
  #annotations = new Map();
  #marked = '';

  can = { track: has('1.4'), comment: has('1.4') };

  /** @param {FindPlace} find */
  reveal(find) {
    return this.#at(find, (_, range) => range.select());
  }

  /** @param {FindPlace} find @param {string} note */
  comment(find, note) {
    return this.#at(find, (_, range) => void range.insertComment(note));
  }

  /** A tracked change where the host can; the editor's own mode of tracking is put back. @param {FindChange} find */
  replace(find) {
    return this.#at(find, async (context, range, change) => {
      const { document } = context;
      if (!this.can.track) return write(range, change.text);
      document.load({ changeTrackingMode: true });
      await context.sync();
      const mode = document.changeTrackingMode;
      document.changeTrackingMode = Word.ChangeTrackingMode.trackAll;
      write(range, change.text);
      try {
        await context.sync();
      } finally {
        document.changeTrackingMode = mode;
        await context.sync();
      }
    });
  }

  /** Rejects the tracked change, so that nothing of it is left; else writes the words again. @param {FindChange} find */
  async restore(find) {
    if (has('1.6') && (await this.#reject(find))) return true;
    return this.replace(find);
  }

  /** @param {FindChange} find */
  #reject(find) {
    return Word.run(async (context) => {
      const here = await this.#find(context, find);
      if (!here) return false;
      const { paragraph, passage, place, range } = here;
      const changes = paragraph.getRange().getTrackedChanges();
      changes.load({ type: true, text: true });
      await context.sync();
      const relations = changes.items.map((change) => change.getRange().compareLocationWith(range));
      await context.sync();
      const ours = changes.items.filter(({ type, text }, at) => {
        const relation = relations[at]?.value ?? '';
        if (type === 'Added') return text === place.quote && /^(?:Equal|Contains|Inside)/.test(relation);
        return type === 'Deleted' && text === place.text && /^(?:Adjacent|Equal|Contains|Inside|Overlaps)/.test(relation);
      });
      if (ours.length !== Number(place.quote !== '') + Number(place.text !== '')) return false;
      for (const change of ours) change.reject();
      await context.sync();
      const now = (await paragraphsOf(context)).passages[place.index]?.text;
      return now === passage.text.slice(0, place.start) + place.text + passage.text.slice(place.end);
    });
  }

  /** Squiggles need a subscription and a recent Word; without them nothing is said, the cards lead to the words.
   * @param {Mark[]} marks */
  async mark(marks) {
    if (!this.#squiggles) return;
    const wanted = marks.map(({ key }) => key).join();
    if (wanted === this.#marked) return;
    this.#marked = wanted;
    try {
      await Word.run((context) => this.#annotate(context, marks));
    } catch (error) {
      console.info('this Word shows no squiggles', error);
      this.#squiggles = false;
    }
  }

  /** @param {Word.RequestContext} context @param {Mark[]} marks */
  async #annotate(context, marks) {
    for (const id of this.#annotations.keys()) context.document.getAnnotationById(id).delete();
    this.#annotations.clear();
    const { paragraphs, passages } = await paragraphsOf(context);
    /** @type {Map<number, {key: string, critique: Word.Critique}[]>} */
    const byParagraph = new Map();
    for (const { key, severity, find } of marks) {
      const place = find(passages);
      if (!place || place.start === place.end) continue;
      const critique = { colorScheme: COLOURS[severity], start: place.start, length: place.end - place.start };
      byParagraph.set(place.index, [...(byParagraph.get(place.index) ?? []), { key, critique }]);
    }
    const inserted = [...byParagraph].map(([index, list]) => {
      const paragraph = /** @type {Word.Paragraph} */ (paragraphs[index]);
      return { list, ids: paragraph.insertAnnotations({ critiques: list.map(({ critique }) => critique) }) };
    });
    await context.sync();
    for (const { list, ids } of inserted) ids.value.forEach((id, at) => this.#annotations.set(id, list[at]?.key ?? ''));
  }

  /** @param {() => void} tell */
  async onChange(tell) {
    let timer = 0;
    const later = async () => {
      clearTimeout(timer);
      timer = setTimeout(tell, WAIT_MS);
    };
    addEventListener('focus', later); // a tracked deletion, a coauthor's edit: some hosts don't tell of these
    if (!has('1.6')) {
      Office.context.document.addHandlerAsync(Office.EventType.DocumentSelectionChanged, later);
      return;
    }
    await Word.run(async (context) => {
      const { onParagraphChanged, onParagraphAdded, onParagraphDeleted } = context.document;
      for (const event of [onParagraphChanged, onParagraphAdded, onParagraphDeleted]) event.add(later);
      await context.sync();
    });
  }

  /** @param {(key: string) => void} pick */
  async onPick(pick) {
    if (!this.#squiggles) return;
    try {
      await Word.run(async (context) => {
        context.document.onAnnotationClicked.add(async ({ id }) => {
          const key = this.#annotations.get(id);
          if (key) pick(key);
        });
        await context.sync();
      });
    } catch (error) {
      console.info('this Word does not tell of clicks on squiggles', error);
    }
  }

  /** @template {Place} P
   * @param {(passages: Passage[]) => P | null} find
   * @param {(context: Word.RequestContext, range: Word.Range, place: P) => Promise<void> | void} act */
  #at(find, act) {
    return Word.run(async (context) => {
      const here = await this.#find(context, find);
      if (!here) return false;
      await act(context, here.range, here.place);
      await context.sync();
      return true;
    });
  }

  /** @template {Place} P @param {Word.RequestContext} context @param {(passages: Passage[]) => P | null} find */
  async #find(context, find) {
    const { paragraphs, passages } = await paragraphsOf(context);
    const wanted = find(passages);
    const [paragraph, passage] = [paragraphs[wanted?.index ?? -1], passages[wanted?.index ?? -1]];
    if (!wanted || !paragraph || !passage) return null;
    const place = 'text' in wanted ? /** @type {P} */ (/** @type {unknown} */ (solid(/** @type {any} */ (wanted), passage.text))) : wanted;
    if (passage.text.slice(place.start, place.end) !== place.quote) return null;
    const range = await rangeOf(context, paragraph, passage.text, place.start, place.end);
    return range && { paragraph, passage, place, range };
  }
}

/** @param {Word.Range} range @param {string} text */
function write(range, text) {
  if (text) range.insertText(text, Word.InsertLocation.replace);
  else range.delete();
}

/** A change of something: a mere caret takes the word beside it along, because Word finds only what is there.
 * @param {Change} change @param {string} paragraph @returns {Change} */
function solid(change, paragraph) {
  let { index, start, end, text } = change;
  if (start !== end) return change;
  const left = /\S\s*$/u.exec(paragraph.slice(0, start))?.[0];
  const right = /^\s*\S/u.exec(paragraph.slice(end))?.[0];
  if (left) [start, text] = [start - left.length, left + text];
  else if (right) [end, text] = [end + right.length, text + right];
  return { index, start, end, quote: paragraph.slice(start, end), text };
}
