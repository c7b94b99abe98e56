/** @import { Change, Passage, Place } from './document.js' */

const CONTEXT = 24; // characters before and after that tell equal words apart
const WORD = /[\p{L}\p{N}\p{M}\u2019']/u;

/**
 * Words that are followed.
 * @typedef {{index: number, start: number, quote: string, before: string, after: string, lost: boolean}} Anchor
 */

/** Follows words through edits: of the pane, which are known exactly, and of others, which are seen afterwards. */
export class Anchors {
  /** @type {Map<string, Anchor>} */
  #anchors = new Map();

  /** @param {Passage[]} passages */
  constructor(passages) {
    this.#now = passages;
  }

  /** @type {Passage[]} */ #now;

  /** @param {string} key @param {number} index @param {number} start @param {number} end in the paragraphs as last seen */
  add(key, index, start, end) {
    const text = this.#now[index]?.text ?? '';
    const anchor = { index, start, quote: text.slice(start, end), before: '', after: '', lost: false };
    this.#anchors.set(key, anchor);
    this.#notice(anchor, text);
  }

  /** @param {string} key */
  forget(key) {
    this.#anchors.delete(key);
  }

  /** @param {string} key @returns {Place | null} */
  place(key) {
    const anchor = this.#anchors.get(key);
    if (!anchor || anchor.lost) return null;
    const { index, start, quote } = anchor;
    return { index, start, end: start + quote.length, quote };
  }

  /** The document as it is now. @param {Passage[]} passages */
  follow(passages) {
    const before = this.#now;
    const moved = pairUp(before, passages);
    const kept = new Set(moved);
    this.#now = passages;
    for (const anchor of this.#anchors.values()) {
      const to = moved[anchor.index] ?? -1;
      const [was, now] = [before[anchor.index]?.text ?? '', passages[to]?.text];
      if (now !== undefined && (now === was ? !anchor.lost : carry(anchor, was, now))) {
        anchor.index = to;
        if (now !== was) this.#notice(anchor, now);
      } else this.#seek(anchor, to, kept);
    }
  }

  /** The pane's own edit, done. @param {Change} change */
  replaced({ index, start, end, text }) {
    const passage = this.#now[index];
    if (!passage) return;
    const now = passage.text.slice(0, start) + text + passage.text.slice(end);
    this.#now = this.#now.with(index, { ...passage, text: now });
    for (const anchor of this.#anchors.values()) {
      if (anchor.index !== index || anchor.lost) continue;
      if (anchor.start >= end) anchor.start += text.length - (end - start);
      else if (anchor.start + anchor.quote.length > start) anchor.lost = true;
      if (!anchor.lost) this.#notice(anchor, now);
    }
  }

  /** @param {Anchor} anchor @param {string} text */
  #notice(anchor, text) {
    const end = anchor.start + anchor.quote.length;
    anchor.before = text.slice(Math.max(0, anchor.start - CONTEXT), anchor.start);
    anchor.after = text.slice(end, end + CONTEXT);
  }

  /** Lost words may be back (undo) or elsewhere (a paragraph was split or moved): only in the context they had.
   * @param {Anchor} anchor @param {number} to @param {Set<number>} kept paragraphs that are older ones */
  #seek(anchor, to, kept) {
    anchor.lost = true;
    if (!anchor.quote) return;
    const candidates = to >= 0 ? [to] : [];
    for (let index = 0; index < this.#now.length; index++) if (!kept.has(index)) candidates.push(index);
    const found = candidates.flatMap((index) => occurrences(this.#now[index]?.text ?? '', anchor).map((start) => ({ index, start })));
    if (found.length === 1) Object.assign(anchor, found[0], { lost: false });
    else if (to >= 0) anchor.index = to;
  }
}

/** Where the words stand between what stood around them. @param {string} text @param {Anchor} anchor */
function occurrences(text, { quote, before, after }) {
  const starts = [];
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1)) {
    const [left, right] = [text.slice(0, at), text.slice(at + quote.length)];
    const fits = (left.endsWith(before) || before.endsWith(left)) && (right.startsWith(after) || after.startsWith(right));
    if (fits && (left || right || (!before && !after))) starts.push(at);
  }
  return starts;
}

/** Moves an anchor over one edit of its paragraph; false: the edit went through its words.
 * @param {Anchor} anchor @param {string} was @param {string} now */
function carry(anchor, was, now) {
  if (anchor.lost) return false;
  const end = anchor.start + anchor.quote.length;
  if (now.startsWith(was.slice(0, end))) return true;
  if (!now.endsWith(was.slice(anchor.start))) return false;
  anchor.start += now.length - was.length;
  return true;
}

/** For each earlier paragraph which one it is now, or -1. @param {Passage[]} before @param {Passage[]} now */
function pairUp(before, now) {
  const ids = new Map(now.map(({ id }, index) => [id, index]));
  if (!ids.has('')) return before.map(({ id }) => ids.get(id) ?? -1);
  // Without ids: equal ones in order, and between two of those the others, where there are as many as before.
  const moved = before.map(() => -1);
  let from = 0;
  before.forEach(({ text }, index) => {
    const to = now.findIndex((one, at) => at >= from && one.text === text);
    if (to < 0) return;
    moved[index] = to;
    from = to + 1;
  });
  let [done, last] = [-1, -1];
  [...moved, now.length].forEach((to, index) => {
    if (to < 0) return;
    if (to - last === index - done) for (let at = 1; at < index - done; at++) moved[done + at] = last + at;
    [done, last] = [index, to];
  });
  return moved;
}

/** @param {string} a @param {string} b */
function sameHead(a, b) {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** @param {string} a @param {string} b @param {number} most */
function sameTail(a, b, most) {
  let length = 0;
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length++;
  return length;
}

/** The smallest change of whole words that puts `text` in a place: what doesn't differ keeps its formatting.
 * @param {Place} place @param {string} text @param {string} paragraph @returns {Change} */
export function smallest(place, text, paragraph) {
  const { quote } = place;
  if (!text) return withoutGap(place, paragraph);
  let head = sameHead(quote, text);
  let tail = sameTail(quote, text, Math.min(quote.length, text.length) - head);
  const splits = (/** @type {string} */ of, /** @type {number} */ at) => at > 0 && at < of.length && joined(of, at);
  while (head > 0 && (splits(quote, head) || splits(text, head))) head--;
  while (tail > 0 && (splits(quote, quote.length - tail) || splits(text, text.length - tail))) tail--;
  const [was, now] = [quote.slice(head, quote.length - tail), text.slice(head, text.length - tail)];
  if (!was || !now) return { ...place, text }; // words with nothing in their place can't be found again for an undo
  return { index: place.index, start: place.start + head, end: place.end - tail, quote: was, text: now };
}

/** Whether a cut would go through a word or a character. @param {string} text @param {number} at */
function joined(text, at) {
  const [left, right] = [text[at - 1] ?? '', text[at] ?? ''];
  return (WORD.test(left) && WORD.test(right)) || /[\ud800-\udbff\u200d]/.test(left) || /[\udc00-\udfff\u200d\ufe0f]/.test(right);
}

/** Words that are left out take one of the spaces beside them along. @param {Place} place @param {string} paragraph @returns {Change} */
function withoutGap({ index, start, end }, paragraph) {
  if (/\s/.test(paragraph[start - 1] ?? '') && /^[\s.,;:!?)\]”’]?$/.test(paragraph[end] ?? '')) start--;
  else if (start === 0 && /\s/.test(paragraph[end] ?? '')) end++;
  return { index, start, end, quote: paragraph.slice(start, end), text: '' };
}

/** Footnote marks, pictures, fields: what stands for them can't be put back. @param {string} text */
export const holdsObjects = (text) => /[\0-\x08\x0e-\x1d\ufffc]/.test(text);
