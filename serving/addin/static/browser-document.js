import { GRAVEST_FIRST } from './words.js';

/**
 * @import { Change, DocumentPort, Editing, FindChange, FindPlace, Mark, Passage, Place } from './document.js'
 * @import { ParagraphKind } from './wire.js'
 */

const CONTAINERS = 'ul, ol, blockquote, table, thead, tbody, tfoot, tr, div, section, article';
const BLOCKS = `p, h1, h2, h3, h4, h5, h6, li, td, th, ${CONTAINERS}`;

/** An editable element as a document. Findings are marked by the CSS Custom Highlight API: no element is added.
 * @implements {DocumentPort} @implements {Editing} */
export class BrowserDocument {
  /** @type {WeakMap<Element, string>} */
  #ids = new WeakMap();
  #lastId = 0;
  /** @type {{key: string, range: Range}[]} */
  #marked = [];

  channel = /** @type {const} */ ('page');
  can = { track: false, comment: false };
  name = '';

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** @type {HTMLElement} */ #root;

  async identity() {
    return this.name;
  }

  async read() {
    return this.#passages(this.#blocks());
  }

  async selected() {
    const selection = getSelection();
    if (!selection?.rangeCount || selection.isCollapsed || !this.#root.contains(selection.anchorNode)) return [];
    const range = selection.getRangeAt(0);
    return this.#blocks().flatMap((block, index) => (range.intersectsNode(block) ? [index] : []));
  }

  async editing() {
    return this;
  }

  /** @param {FindPlace} find */
  async reveal(find) {
    const range = this.#find(find)?.range;
    if (!range) return false;
    const [box, frame] = [range.getBoundingClientRect(), this.#frame()];
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const away = box.top - frame.top - Math.max(0, frame.height - box.height) / 2;
    if (box.top < frame.top + 16 || box.bottom > frame.bottom - 16) {
      this.#scroller().scrollBy({ top: away, behavior: still ? 'instant' : 'smooth' });
    }
    return true;
  }

  /** By the browser's own command, so that its undo knows of it. @param {FindChange} find */
  async replace(find) {
    const found = this.#find(find);
    if (!found) return false;
    const { place, range, block } = found;
    const before = textOf(block);
    getSelection()?.setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
    const text = /** @type {Change} */ (place).text;
    document.execCommand(text ? 'insertText' : 'delete', false, text);
    return textOf(block) === before.slice(0, place.start) + text + before.slice(place.end);
  }

  /** @param {FindChange} find */
  restore(find) {
    return this.replace(find);
  }

  async comment() {
    return false;
  }

  /** @param {Mark[]} marks */
  async mark(marks) {
    if (!('highlights' in CSS)) return;
    const blocks = this.#blocks();
    const passages = this.#passages(blocks);
    const nodes = new Map();
    /** @type {Record<string, Range[]>} */
    const groups = { current: [] };
    this.#marked = marks.flatMap(({ key, severity, current, find }) => {
      const place = find(passages);
      const block = place && blocks[place.index];
      if (!block) return [];
      if (!nodes.has(block)) nodes.set(block, piecesOf(block));
      const range = rangeIn(nodes.get(block), place);
      if (!range) return [];
      (groups[severity] ??= []).push(range);
      if (current) groups.current?.push(range);
      return [{ key, range }];
    });
    for (const name of [...GRAVEST_FIRST, 'current']) CSS.highlights.set(name, new Highlight(...(groups[name] ?? [])));
    const top = CSS.highlights.get('current');
    if (top) top.priority = 1;
  }

  /** @param {() => void} tell */
  async onChange(tell) {
    let waits = false;
    this.#root.addEventListener('input', () => {
      if (!waits) setTimeout(() => ((waits = false), tell()), 60);
      waits = true;
    });
  }

  /** @param {(key: string) => void} pick */
  async onPick(pick) {
    this.#root.addEventListener('click', () => {
      const { focusNode, focusOffset = 0, isCollapsed } = getSelection() ?? {};
      if (!focusNode || !isCollapsed) return;
      const here = this.#marked.filter(({ range }) => range.isPointInRange(focusNode, focusOffset));
      const length = (/** @type {{range: Range}} */ { range }) => range.toString().length;
      const [shortest] = here.sort((a, b) => length(a) - length(b));
      if (shortest) pick(shortest.key);
    });
  }

  /** @template {Place} P @param {(passages: Passage[]) => P | null} find */
  #find(find) {
    const blocks = this.#blocks();
    const place = find(this.#passages(blocks));
    const block = place && blocks[place.index];
    const range = block && textOf(block).slice(place.start, place.end) === place.quote && rangeIn(piecesOf(block), place);
    return range ? { place, block, range } : null;
  }

  /** @param {HTMLElement[]} blocks @returns {Passage[]} */
  #passages(blocks) {
    return blocks.map((block) => ({ id: this.#id(block), text: textOf(block), ...kindOf(block) }));
  }

  /** The innermost blocks, in order; what stands between them belongs to none. */
  #blocks() {
    const blocks = [...this.#root.querySelectorAll(BLOCKS)];
    return /** @type {HTMLElement[]} */ (blocks.filter((block) => !block.querySelector(BLOCKS)));
  }

  /** @param {Element} block */
  #id(block) {
    const id = this.#ids.get(block) ?? `p${++this.#lastId}`;
    this.#ids.set(block, id);
    return id;
  }

  #scroller() {
    return this.#root.closest('[data-scrolls]') ?? document.documentElement;
  }

  #frame() {
    const scroller = this.#scroller();
    if (scroller === document.documentElement) return new DOMRect(0, 0, innerWidth, innerHeight);
    return scroller.getBoundingClientRect();
  }
}

/** @param {HTMLElement} block @returns {{kind: ParagraphKind, level: number}} */
function kindOf(block) {
  const level = Number(/^H([1-6])$/.exec(block.tagName)?.[1] ?? 0);
  if (level) return { kind: 'heading', level };
  if (block.closest('li')) return { kind: 'list', level };
  if (block.closest('td, th, [data-kind=table]')) return { kind: 'table', level };
  return { kind: block.closest('blockquote') ? 'quote' : 'text', level };
}

/** Text nodes and line breaks. @param {Element} block */
function piecesOf(block) {
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  const pieces = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node instanceof Text) pieces.push({ node, text: node.data });
    else if (node.nodeName === 'BR' && !isFiller(node)) pieces.push({ node, text: '\n' });
  }
  return pieces;
}

/** A break that only keeps an empty last line open is no character. @param {Node} node */
function isFiller(node) {
  return !node.nextSibling && node.parentElement?.matches(BLOCKS);
}

/** @param {Element} block */
function textOf(block) {
  return block.querySelector('br') ? piecesOf(block).map(({ text }) => text).join('') : (block.textContent ?? '');
}

/** @param {{node: Node, text: string}[]} pieces @param {Place} place */
function rangeIn(pieces, { start, end }) {
  const range = document.createRange();
  let at = 0;
  let open = false;
  for (const { node, text } of pieces) {
    const after = at + text.length;
    const inText = (/** @type {number} */ offset) => (node instanceof Text ? offset - at : 0);
    if (!open && (start < after || (start === end && start <= after))) {
      range.setStart(node, inText(start));
      open = true;
    }
    if (open && end <= after) {
      if (node instanceof Text) range.setEnd(node, end - at);
      else range.setEndAfter(node);
      return range;
    }
    at = after;
  }
  return null;
}

/** Paragraphs as elements; list items that follow each other share a list. @param {Pick<Passage, 'text' | 'kind' | 'level'>[]} passages */
export function elementsOf(passages) {
  /** @type {HTMLElement[]} */
  const elements = [];
  for (const { text, kind, level } of passages) {
    const block = document.createElement(kind === 'heading' ? `h${Math.min(Math.max(level, 1), 6)}` : kind === 'list' ? 'li' : 'p');
    if (text) block.textContent = text;
    else block.append(document.createElement('br'));
    if (kind === 'table') block.dataset.kind = kind;
    const last = elements.at(-1);
    if (kind === 'list' && last?.tagName === 'UL') last.append(block);
    else if (kind === 'list' || kind === 'quote') {
      const around = document.createElement(kind === 'list' ? 'ul' : 'blockquote');
      around.append(block);
      elements.push(around);
    } else elements.push(block);
  }
  return elements;
}
