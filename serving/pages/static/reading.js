import { bringIntoView, make } from './dom.js';
import { cutIntoPieces } from './pieces.js';
import { GRAVEST_FIRST } from './words.js';

/**
 * @import { Piece } from './pieces.js'
 * @import { Finding, Paragraph, Result, Severity } from './wire.js'
 */

const FLASH_MS = 1200;

/** The checked article, read only, with the words of each finding marked. */
export class Reading {
  /** @type {Finding[]} */
  #findings = [];
  /** @type {HTMLElement[]} */
  #marks = [];

  /** @param {HTMLElement} root @param {(finding: number) => void} onPick called with a finding's position */
  constructor(root, onPick) {
    this.#root = root;
    root.addEventListener('click', (event) => {
      const mark = event.target instanceof Element ? event.target.closest('mark') : null;
      const shortest = mark instanceof HTMLElement ? this.#shortest(mark) : undefined;
      if (shortest === undefined) return;
      this.select(shortest);
      onPick(shortest);
    });
  }

  /** @type {HTMLElement} */
  #root;

  /** @param {Result} result */
  show(result) {
    this.#findings = result.report.findings;
    const pieces = cutIntoPieces(result, this.#findings);
    this.#root.lang = result.report.article.language;
    this.#root.replaceChildren(...layOut(result.paragraphs, pieces));
    this.#marks = [...this.#root.querySelectorAll('mark')];
    this.filter(null);
  }

  /** Marks findings of one severity only, all for null. @param {Severity | null} severity */
  filter(severity) {
    for (const mark of this.#marks) {
      const shown = this.#of(mark).map((finding) => this.#severity(finding));
      mark.className = GRAVEST_FIRST.find((grade) => shown.includes(grade) && (!severity || severity === grade)) ?? 'off';
    }
  }

  /** Sets a finding's words apart from the others. @param {number} finding @returns {HTMLElement[]} their marks */
  select(finding) {
    for (const mark of this.#marks) mark.toggleAttribute('data-selected', this.#of(mark).includes(finding));
    return this.#marks.filter((mark) => mark.hasAttribute('data-selected'));
  }

  /** Shows where a finding stands. @param {number} finding */
  reveal(finding) {
    const selected = this.select(finding);
    if (selected[0]) bringIntoView(selected[0], 'center');
    for (const mark of selected) {
      mark.classList.add('flash');
      setTimeout(() => mark.classList.remove('flash'), FLASH_MS);
    }
  }

  /** @param {HTMLElement} mark */
  #of(mark) {
    return (mark.dataset.findings ?? '').split(' ').map(Number);
  }

  /** @param {number} finding */
  #severity(finding) {
    return /** @type {Finding} */ (this.#findings[finding]).severity;
  }

  /** Where findings overlap, a click means the most exact one. @param {HTMLElement} mark */
  #shortest(mark) {
    if (mark.className === 'off') return undefined;
    const length = (/** @type {number} */ at) => this.#findings[at]?.quote.length ?? Infinity;
    return this.#of(mark).sort((a, b) => length(a) - length(b))[0];
  }
}

/**
 * Paragraphs as elements; list items that follow each other share a list.
 * @param {Paragraph[]} paragraphs
 * @param {Piece[][]} pieces
 */
function layOut(paragraphs, pieces) {
  const levels = [...new Set(paragraphs.filter((p) => p.kind === 'heading').map((p) => p.level))].sort((a, b) => a - b);
  /** @type {HTMLElement[]} */
  const elements = [];
  for (const [index, paragraph] of paragraphs.entries()) {
    const content = (pieces[index] ?? []).map(pieceNode);
    const last = elements.at(-1);
    if (paragraph.kind === 'list') {
      if (last instanceof HTMLUListElement) last.append(make('li', {}, ...content));
      else elements.push(make('ul', {}, make('li', {}, ...content)));
    } else if (paragraph.kind === 'heading') {
      elements.push(make(headingTag(levels.indexOf(paragraph.level)), { 'data-level': levels.indexOf(paragraph.level) + 1 }, ...content));
    } else if (paragraph.kind === 'quote') elements.push(make('blockquote', {}, make('p', {}, ...content)));
    else elements.push(make('p', { 'data-kind': paragraph.kind }, ...content));
  }
  return elements;
}

/** @param {number} rank 0 for the article's highest headings @returns {'h3' | 'h4' | 'h5' | 'h6'} */
function headingTag(rank) {
  return /** @type {const} */ (['h3', 'h4', 'h5', 'h6'])[Math.min(rank, 3)] ?? 'h6';
}

/** @param {Piece} piece */
function pieceNode(piece) {
  if (!piece.findings.length) return document.createTextNode(piece.text);
  return make('mark', { 'data-findings': piece.findings.join(' ') }, piece.text);
}
