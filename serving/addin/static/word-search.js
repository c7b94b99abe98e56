/// <reference types="office-js" />
import { has } from './word-document.js';

const MOST_SEARCHED = 255; // characters that Word's search takes, codes counted as they are written
const END_CHARACTERS = 60; // of words too long to be searched for: their two ends are
const CODES = new Map([['^', '^^'], ['\t', '^t'], ['\u00a0', '^s'], ['\v', '^l'], ['\n', '^l'], ['\x1e', '^~'], ['\x1f', '^-']]);
const UNSEARCHABLE = /[\0-\x08\x0c-\x1d\ufffc]/;

/** Exactly the words of a paragraph from `start` to `end`; null: Word doesn't find them there.
 * @param {Word.RequestContext} context @param {Word.Paragraph} paragraph @param {string} text of the paragraph @param {number} start @param {number} end */
export async function rangeOf(context, paragraph, text, start, end) {
  const quote = text.slice(start, end);
  const short = !UNSEARCHABLE.test(quote) && codes(quote).length <= MOST_SEARCHED;
  const whole = short && (await hitOf(context, paragraph, text, start, end));
  if (whole) return whole;
  // Too long, with a footnote in it, with deleted words that Word may search too, or one of overlapping hits, which are
  // told as one (`aa` in `aaa`): by its two ends.
  const most = short ? 1 : END_CHARACTERS;
  const [headEnd, tailStart] = [reach(text, start, end, most), reach(text, end, start, -most)];
  if (headEnd === null || tailStart === null || headEnd > tailStart) return null;
  const head = await hitOf(context, paragraph, text, start, headEnd);
  const tail = head && (await hitOf(context, paragraph, text, tailStart, end));
  if (!head || !tail) return null;
  const range = head.expandTo(tail);
  const within = textOf(range);
  await context.sync();
  return within() === quote ? range : null;
}

/** Of the places that Word finds, the one before which exactly the paragraph's text up to `start` stands.
 * Word may fold quotation marks and count overlapping hits its own way, so neither hits nor their order is trusted.
 * @param {Word.RequestContext} context @param {Word.Paragraph} paragraph @param {string} text @param {number} start @param {number} end
 * @returns {Promise<Word.Range | null>} */
async function hitOf(context, paragraph, text, start, end) {
  const hits = paragraph.search(codes(text.slice(start, end)), { matchCase: true });
  hits.load({ text: true });
  await context.sync();
  const before = hits.items.map((hit) => textOf(paragraph.getRange(Word.RangeLocation.start).expandTo(hit.getRange(Word.RangeLocation.start))));
  const within = hits.items.map((hit) => textOf(hit));
  await context.sync();
  const right = hits.items.findIndex((_, at) => within[at]?.() === text.slice(start, end) && before[at]?.() === text.slice(0, start));
  return hits.items[right] ?? null;
}

/** A range's text without what is deleted, as soon as the host has answered. @param {Word.Range} range @returns {() => string} */
function textOf(range) {
  if (has('1.4')) {
    const reviewed = range.getReviewedText(Word.ChangeTrackingVersion.current);
    return () => reviewed.value;
  }
  range.load({ text: true });
  return () => range.text;
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

/** Words as Word's search wants them. @param {string} text */
const codes = (text) => [...text].map((character) => CODES.get(character) ?? character).join('');
