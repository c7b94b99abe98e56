import { newKey } from './api.js';
import { BrowserDocument, elementsOf } from './browser-document.js';
import { byId } from './dom.js';
import { paneFor } from './pane.js';
import { SAMPLE } from './sample.js';
import { counted } from './words.js';

/**
 * @import { Passage } from './document.js'
 * @import { Pane } from './pane.js'
 * @import { Result } from './wire.js'
 *
 * @typedef {Pick<Passage, 'text' | 'kind' | 'level'>} Block
 */

const FILE_BYTES = 10 * 1024 * 1024;
const FILE_KINDS = /\.(?:txt|md|markdown|html?|docx)$/i;
/** @type {Block[]} */
const BLANK = [{ text: '', kind: 'heading', level: 1 }, { text: '', kind: 'text', level: 0 }];

/** The article beside the pane: what is written, pasted, dropped or opened. */
class Editor {
  #root = byId('article', HTMLElement);
  #length = byId('length', HTMLElement);
  #counting = 0;

  /** @param {Pane} pane @param {BrowserDocument} doc */
  constructor(pane, doc) {
    this.#pane = pane;
    this.#doc = doc;
    document.execCommand('defaultParagraphSeparator', false, 'p');
    this.fill(BLANK, `page-${newKey()}`);
    this.#root.addEventListener('input', () => this.#tidy());
    this.#root.addEventListener('paste', (event) => this.#paste(event));
    const file = byId('file', HTMLInputElement);
    file.addEventListener('change', () => {
      this.#open(file.files?.[0]);
      file.value = ''; // so that the same file can be opened again
    });
    byId('open', HTMLButtonElement).addEventListener('click', () => file.click());
    byId('sample', HTMLButtonElement).addEventListener('click', () => this.#sample());
    this.#acceptDrops();
  }

  /** @type {Pane} */ #pane;
  /** @type {BrowserDocument} */ #doc;

  /** @param {Block[]} blocks @param {string} name */
  fill(blocks, name) {
    this.#doc.name = name;
    this.#root.replaceChildren(...elementsOf(blocks));
    this.#tidy();
  }

  #sample() {
    this.fill(SAMPLE, 'sample');
    this.#pane.forget();
    this.#root.closest('[data-scrolls]')?.scrollTo(0, 0);
  }

  /** A file is sent as it is, so that it is read as in every other way in; what comes back is the article here. @param {File | undefined} file */
  #open(file) {
    if (!file) return;
    if (!FILE_KINDS.test(file.name)) return this.#refuse(`“${file.name}” can’t be read: choose a .docx, .md, .html or .txt file.`);
    if (file.size > FILE_BYTES) return this.#refuse(`“${file.name}” is larger than 10 MB.`);
    const settle = async (/** @type {Result} */ result) => {
      this.fill(result.paragraphs, file.name);
      return { passages: await this.#doc.read(), at: (/** @type {unknown} */ _, /** @type {number} */ index) => index };
    };
    this.#pane.forget();
    this.#pane.run({ submission: { file, key: newKey() }, settle, selection: false });
  }

  /** @param {string} why */
  #refuse(why) {
    this.#pane.say(why);
  }

  /** Into an empty article whole paragraphs with their kinds, else plain text at the caret. @param {ClipboardEvent} event */
  async #paste(event) {
    const data = event.clipboardData;
    if (!data) return;
    event.preventDefault();
    if (data.files[0]) return this.#open(data.files[0]);
    const text = data.getData('text/plain').replaceAll('\r\n', '\n');
    if (this.#root.textContent?.trim() || !text.includes('\n')) return void document.execCommand('insertText', false, text);
    const html = data.getData('text/html');
    const blocks = html ? await blocksOf(html) : [];
    this.fill(blocks.length ? blocks : plainBlocks(text), this.#doc.name);
    this.#root.dispatchEvent(new InputEvent('input'));
  }

  /** Puts text that stands outside of every paragraph into one, and counts. */
  #tidy() {
    for (const child of [...this.#root.childNodes]) {
      if (!(child instanceof Text ? child.data.trim() : child instanceof HTMLElement && child.matches('br, span, b, i, a'))) continue;
      const selection = getSelection(); // only here: to ask where it is lays the page out
      const [node, offset] = [selection?.focusNode, selection?.focusOffset ?? 0];
      const paragraph = document.createElement('p');
      child.replaceWith(paragraph);
      paragraph.append(child);
      if (node === child) selection?.collapse(child, offset);
    }
    if (!this.#root.hasChildNodes()) this.#root.append(...elementsOf(BLANK));
    const empty = !this.#root.textContent?.trim();
    this.#root.toggleAttribute('data-empty', empty);
    for (const heading of this.#root.querySelectorAll('h1')) {
      if (heading.textContent?.trim()) heading.removeAttribute('aria-label');
      else heading.setAttribute('aria-label', 'Headline');
    }
    clearTimeout(this.#counting);
    this.#counting = setTimeout(async () => {
      const texts = (await this.#doc.read()).map(({ text }) => text);
      const words = texts.join('\n').match(/\S+/g)?.length ?? 0;
      this.#length.textContent = words ? counted(words, 'word') : '';
    }, 300);
  }

  #acceptDrops() {
    const area = document.body;
    const carriesFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
    area.addEventListener('dragover', (event) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      area.classList.add('dropping');
    });
    for (const name of ['dragleave', 'drop']) area.addEventListener(name, () => area.classList.remove('dropping'));
    area.addEventListener('drop', (event) => {
      if (!carriesFile(event)) return;
      event.preventDefault();
      this.#open(event.dataTransfer?.files[0]);
    });
  }
}

/** Paragraphs of pasted HTML. It is parsed into a document that runs and loads nothing. @param {string} html @returns {Promise<Block[]>} */
async function blocksOf(html) {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  for (const out of parsed.querySelectorAll('script, style, head')) out.remove();
  const passages = await new BrowserDocument(parsed.body).read();
  return passages.map((passage) => ({ ...passage, text: passage.text.replace(/[ \t\n]+/g, ' ').trim() })).filter(({ text }) => text);
}

/** Where the text has blank lines these separate its paragraphs, else each line is one: as plain text is read in every channel.
 * @param {string} text @returns {Block[]} */
function plainBlocks(text) {
  const lines = /\n[ \t]*\n/.test(text) ? text.split(/\n[ \t]*\n/).map((one) => one.replaceAll('\n', ' ')) : text.split('\n');
  return lines.filter((line) => line.trim()).map((line) => ({ text: line.trim(), kind: 'text', level: 0 }));
}

const doc = new BrowserDocument(byId('article', HTMLElement));
const pane = await paneFor(byId('pane', HTMLElement), doc, async () => '');
if (pane) {
  new Editor(pane, doc);
  await pane.start();
}
document.documentElement.dataset.ready = 'true';
