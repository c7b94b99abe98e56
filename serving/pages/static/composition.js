/**
 * @import { Paragraph } from './wire.js'
 *
 * What is typed, and what it is as a document. A line that begins with "## " is a heading, one that begins with
 * "- " or "1. " an item of a list. Where the text has blank lines these separate its paragraphs, and a single line
 * end is a soft wrap; where it has none, each line is a paragraph: the rule that plain text has in every channel.
 */

const HEADING = /^(#{1,6})\s+(?=\S)/;
const ITEM = /^\s*(?:[-*•‣◦]|\d{1,3}[.)])\s+(?=\S)/;

/** @typedef {{tag: string, text: string}} Block */

/** @param {string} headline @param {string} body */
export function toHtml(headline, body) {
  const blocks = [...(headline ? [{ tag: 'h1', text: headline }] : []), ...blocksOf(body)];
  return blocks.map(({ tag, text }) => (tag === 'li' ? `<ul><li>${escaped(text)}</li></ul>` : `<${tag}>${escaped(text)}</${tag}>`)).join('\n');
}

/** @param {string} body @returns {Block[]} */
function blocksOf(body) {
  const lines = body.trim().split(/\r\n?|\n/);
  const wraps = lines.some((line) => !line.trim());
  /** @type {Block[]} */
  const blocks = [];
  let open = false;
  for (const line of lines) {
    const block = blockOf(line);
    const last = blocks.at(-1);
    if (!block.text) open = false;
    else if (open && last && block.tag === 'p') last.text += ` ${block.text}`;
    else {
      blocks.push(block);
      open = wraps && !/^h\d$/.test(block.tag);
    }
  }
  return blocks;
}

/** @param {string} line @returns {Block} */
function blockOf(line) {
  const heading = HEADING.exec(line);
  if (heading) return { tag: `h${heading[1]?.length}`, text: line.slice(heading[0].length).trim() };
  const item = ITEM.exec(line);
  if (item) return { tag: 'li', text: line.slice(item[0].length).trim() };
  return { tag: 'p', text: line.trim() };
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The other way: a checked document as text to be edited. @param {Paragraph[]} paragraphs */
export function toTyped(paragraphs) {
  const headed = paragraphs[0]?.kind === 'heading';
  const body = (headed ? paragraphs.slice(1) : paragraphs).map(({ kind, level, text }) => {
    if (kind === 'heading') return `${'#'.repeat(Math.max(level, 1))} ${text}`;
    return kind === 'list' ? `- ${text}` : text;
  });
  return { headline: headed ? (paragraphs[0]?.text ?? '') : '', body: body.join('\n\n') };
}
