import { Utf16Offsets } from './offsets.js';

/**
 * @import { Finding, Paragraph, Result } from './wire.js'
 *
 * A run of a paragraph's characters under the same findings, as positions in the report's list.
 * @typedef {{text: string, findings: number[]}} Piece
 */

/**
 * Cuts each paragraph at every edge of a finding, so that findings may overlap.
 * @param {Pick<Result, 'text' | 'paragraphs'>} article
 * @param {Pick<Finding, 'start' | 'end'>[]} findings
 * @returns {Piece[][]} one list of pieces for each paragraph
 */
export function cutIntoPieces(article, findings) {
  const offsets = new Utf16Offsets(article.text);
  const spans = findings.map(({ start, end }) => ({ start: offsets.units(start), end: offsets.units(end) }));
  return article.paragraphs.map((paragraph) => cutParagraph(offsets.units(paragraph.start), paragraph, spans));
}

/**
 * @param {number} start the paragraph's, in UTF-16 units of the article
 * @param {Paragraph} paragraph
 * @param {{start: number, end: number}[]} spans
 * @returns {Piece[]}
 */
function cutParagraph(start, { text }, spans) {
  const inside = spans
    .map((span, finding) => ({ finding, start: span.start - start, end: span.end - start }))
    .filter((span) => span.start < text.length && span.end > 0);
  const edges = new Set([0, text.length]);
  for (const span of inside) {
    edges.add(Math.max(0, span.start));
    edges.add(Math.min(text.length, span.end));
  }
  const cuts = [...edges].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((from, index) => {
    const to = /** @type {number} */ (cuts[index + 1]);
    return {
      text: text.slice(from, to),
      findings: inside.filter((span) => span.start < to && span.end > from).map((span) => span.finding),
    };
  });
}
