/// <reference types="office-js" />
/**
 * @import { Change, DocumentPort, FindChange, FindPlace, Mark, Passage, Place } from './document.js'
 * @import { ParagraphKind } from './wire.js'
 */

const MOST_SEARCHED = 255; // characters that Word's search takes, codes counted as they are written
const END_CHARACTERS = 60; // of words too long to be searched for: their two ends are
const SETTING = 'copydesk.document';
const WAIT_MS = 400; // after an edit, until the paragraphs are read again
const COLOURS = /** @type {const} */ ({ breach: 'Red', warning: 'Berry', advice: 'Blue' });
const CODES = new Map([['^', '^^'], ['\t', '^t'], ['\u00a0', '^s'], ['\v', '^l'], ['\n', '^l'], ['\x1e', '^~'], ['\x1f', '^-']]);
const UNSEARCHABLE = /[\0-\x08\x0c-\x1d\ufffc]/;

/** @param {string} version of WordApi */
const has = (version) => Office.context.requirements.isSetSupported('WordApi', version);

/** @param {Word.Paragraph} paragraph */
const wholeOf = (paragraph) => paragraph.getRange(Word.RangeLocation.whole);

/** The document in Word, by WordApi 1.3; tracked changes, comments, events and squiggles where the host has them.
 * @implements {DocumentPort} */
export class WordDocument {
  #ids = has('1.6');
  #squiggles = has('1.7');
  /** Our keys of Word's annotations. @type {Map<string, string>} */
  #annotations = new Map();
  #marked = '';

  channel = /** @type {const} */ ('word');
  can = { track: has('1.4'), comment: has('1.4') };

  /** A random name kept in the file's settings: its path would tell too much, and changes. */
  async identity() {
    const { settings } = Office.context.document;
    const known = settings.get(SETTING);
    if (typeof known === 'string' && known) return known;
    const made = `word-${[...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(16).padStart(8, '0')).join('')}`;
    settings.set(SETTING, made);
    await new Promise((resolve) => settings.saveAsync(resolve)); // a file that can't be written keeps it for this session
    return made;
  }

  read() {
    return Word.run(async (context) => (await this.#read(context)).passages);
  }

  selected() {
    return Word.run(async (context) => {
      const selection = context.document.getSelection();
      selection.load({ text: true });
      const { paragraphs } = await this.#read(context);
      if (!selection.text) return [];
      const relations = paragraphs.map((paragraph) => wholeOf(paragraph).compareLocationWith(selection));
      await context.sync();
      return relations.flatMap(({ value }, index) => (/^(?:Equal|Contains|Inside|Overlaps)/.test(value) ? [index] : []));
    });
  }

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
      const now = (await this.#read(context)).passages[place.index]?.text;
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
    const { paragraphs, passages } = await this.#read(context);
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
    if (!this.#ids) {
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
    const { paragraphs, passages } = await this.#read(context);
    const wanted = find(passages);
    const [paragraph, passage] = [paragraphs[wanted?.index ?? -1], passages[wanted?.index ?? -1]];
    if (!wanted || !paragraph || !passage) return null;
    const place = 'text' in wanted ? /** @type {P} */ (/** @type {unknown} */ (solid(/** @type {any} */ (wanted), passage.text))) : wanted;
    if (passage.text.slice(place.start, place.end) !== place.quote) return null;
    const range = await this.#range(context, paragraph, passage.text, place.start, place.end);
    return range && { paragraph, passage, place, range };
  }

  /** @param {Word.RequestContext} context */
  async #read(context) {
    const { paragraphs } = context.document.body;
    const wanted = { text: true, styleBuiltIn: true, isListItem: true, tableNestingLevel: true };
    paragraphs.load(this.#ids ? { ...wanted, uniqueLocalId: true } : wanted);
    await context.sync();
    const { items } = paragraphs;
    const texts = this.can.track ? items.map((paragraph) => paragraph.getReviewedText(Word.ChangeTrackingVersion.current)) : [];
    if (texts.length) await context.sync();
    const passages = items.map((paragraph, at) => {
      const text = texts[at]?.value ?? paragraph.text;
      return { id: this.#ids ? paragraph.uniqueLocalId : '', text, ...kindOf(paragraph) };
    });
    return { paragraphs: items, passages };
  }

  /** @param {Word.RequestContext} context @param {Word.Paragraph} paragraph @param {string} text @param {number} start @param {number} end */
  async #range(context, paragraph, text, start, end) {
    const quote = text.slice(start, end);
    const short = !UNSEARCHABLE.test(quote) && codes(quote).length <= MOST_SEARCHED;
    const whole = short && (await this.#hit(context, paragraph, text, start, end));
    if (whole) return whole;
    // Too long, with a footnote in it, with deleted words that Word may search too, or one of overlapping hits, which are
    // told as one (`aa` in `aaa`): by its two ends.
    const most = short ? 1 : END_CHARACTERS;
    const [headEnd, tailStart] = [reach(text, start, end, most), reach(text, end, start, -most)];
    if (headEnd === null || tailStart === null || headEnd > tailStart) return null;
    const head = await this.#hit(context, paragraph, text, start, headEnd);
    const tail = head && (await this.#hit(context, paragraph, text, tailStart, end));
    if (!head || !tail) return null;
    const range = head.expandTo(tail);
    const within = this.#text(range);
    await context.sync();
    return within() === quote ? range : null;
  }

  /** Of the places that Word finds, the one before which exactly the paragraph's text up to `start` stands.
   * Word may fold quotation marks and count overlapping hits its own way, so neither hits nor their order is trusted.
   * @param {Word.RequestContext} context @param {Word.Paragraph} paragraph @param {string} text @param {number} start @param {number} end
   * @returns {Promise<Word.Range | null>} */
  async #hit(context, paragraph, text, start, end) {
    const hits = paragraph.search(codes(text.slice(start, end)), { matchCase: true });
    hits.load({ text: true });
    await context.sync();
    const before = hits.items.map((hit) => this.#text(paragraph.getRange(Word.RangeLocation.start).expandTo(hit.getRange(Word.RangeLocation.start))));
    const within = hits.items.map((hit) => this.#text(hit));
    await context.sync();
    const right = hits.items.findIndex((_, at) => within[at]?.() === text.slice(start, end) && before[at]?.() === text.slice(0, start));
    return hits.items[right] ?? null;
  }

  /** A range's text without what is deleted, as soon as the host has answered. @param {Word.Range} range @returns {() => string} */
  #text(range) {
    if (this.can.track) {
      const reviewed = range.getReviewedText(Word.ChangeTrackingVersion.current);
      return () => reviewed.value;
    }
    range.load({ text: true });
    return () => range.text;
  }
}

/** How much can be searched for from one end, whole characters. @param {string} text @param {number} from @param {number} to @param {number} most */
function reach(text, from, to, most) {
  const step = Math.sign(most);
  const next = (/** @type {number} */ at) => text[step > 0 ? at : at - 1] ?? '';
  let at = from;
  while (at !== to && Math.abs(at - from) < Math.abs(most) && !UNSEARCHABLE.test(next(at))) at += step;
  if (/[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '')) at += Math.abs(most) > 1 ? -step : step;
  return at === from ? null : at;
}

/** @param {Word.Range} range @param {string} text */
function write(range, text) {
  if (text) range.insertText(text, Word.InsertLocation.replace);
  else range.delete();
}

/** Words as Word's search wants them. @param {string} text */
const codes = (text) => [...text].map((character) => CODES.get(character) ?? character).join('');

/** @param {Word.Paragraph} paragraph @returns {{kind: ParagraphKind, level: number, unread?: boolean}} */
function kindOf({ styleBuiltIn, isListItem, tableNestingLevel }) {
  if (/^Toc[1-9]$/.test(styleBuiltIn)) return { kind: 'text', level: 0, unread: true };
  const level = Number(/^Heading([1-6])$/.exec(styleBuiltIn)?.[1] ?? (styleBuiltIn === 'Title' ? 1 : 0));
  if (tableNestingLevel > 0) return { kind: 'table', level: 0 };
  if (level) return { kind: 'heading', level };
  if (isListItem) return { kind: 'list', level };
  return { kind: /Quote$/.test(styleBuiltIn) ? 'quote' : 'text', level };
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
