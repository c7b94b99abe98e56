import { newKey } from './api.js';
import { toHtml, toTyped } from './composition.js';
import { byId } from './dom.js';
import { SAMPLE } from './sample.js';
import { countWords, counted } from './words.js';

/**
 * @import { Submission } from './api.js'
 * @import { Paragraph } from './wire.js'
 */

const FILE_BYTES = 10 * 1024 * 1024;
const FILE_KINDS = /\.(?:txt|md|markdown|html?|docx)$/i;

/** The form an article is written, pasted or dropped into. */
export class Writing {
  #form = byId('writing', HTMLFormElement);
  #headline = byId('headline', HTMLTextAreaElement);
  #body = byId('body', HTMLTextAreaElement);
  #file = byId('file', HTMLInputElement);
  #problem = byId('problem', HTMLElement);
  #length = byId('length', HTMLElement);
  #limit = Number(this.#form.dataset.maxCharacters);

  /** @param {(submission: Submission) => void} onSubmit */
  constructor(onSubmit) {
    this.#onSubmit = onSubmit;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener('input', () => this.#measure());
    this.#headline.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.#body.focus();
    });
    this.#body.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#form.requestSubmit();
    });
    byId('sample', HTMLButtonElement).addEventListener('click', () => this.#write(SAMPLE.headline, SAMPLE.body));
    byId('open', HTMLButtonElement).addEventListener('click', () => this.#file.click());
    this.#file.addEventListener('change', () => this.#open(this.#file.files?.[0]));
    this.#acceptDrops(byId('desk', HTMLElement));
    this.#measure();
  }

  /** @type {(submission: Submission) => void} */
  #onSubmit;

  /** @param {boolean} shown */
  show(shown) {
    this.#form.hidden = !shown;
    if (shown) this.#body.focus({ preventScroll: true });
  }

  /** Keeps the text as it is while it is being checked. @param {boolean} busy */
  setBusy(busy) {
    for (const area of [this.#headline, this.#body]) area.readOnly = busy;
    for (const button of this.#form.querySelectorAll('button')) button.disabled = busy;
  }

  /** Puts the text of a checked file here, to be edited. @param {Paragraph[]} paragraphs */
  fill(paragraphs) {
    const { headline, body } = toTyped(paragraphs);
    this.#headline.value = headline;
    this.#body.value = body;
    this.#measure();
  }

  #submit() {
    const body = this.#body.value.trim().toWellFormed();
    const headline = this.#headline.value.trim().toWellFormed();
    if (!body && !headline) return this.#complain('There is nothing to check yet: paste an article, or try the sample.');
    if (body.length > this.#limit) return this.#complain(`The article is over ${counted(this.#limit, 'character')}: check it in parts.`);
    this.#complain('');
    const document = { title: headline, article: { html: toHtml(headline, body) }, channel: 'page' };
    this.#onSubmit({ document, key: newKey() });
  }

  /** @param {File | undefined} file */
  #open(file) {
    this.#file.value = '';
    if (!file) return;
    if (!FILE_KINDS.test(file.name)) return this.#complain(`“${file.name}” can’t be read: choose a .docx, .md, .html or .txt file.`);
    if (file.size > FILE_BYTES) return this.#complain(`“${file.name}” is over 10 MB: save it without its images, or paste its text.`);
    this.#complain('');
    this.#onSubmit({ file, key: newKey() });
  }

  /** @param {HTMLElement} area */
  #acceptDrops(area) {
    const holdsFile = (/** @type {DragEvent} */ event) => !this.#form.hidden && event.dataTransfer?.types.includes('Files');
    area.addEventListener('dragover', (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      this.#form.classList.add('dropping');
    });
    area.addEventListener('dragleave', () => this.#form.classList.remove('dropping'));
    area.addEventListener('drop', (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      this.#form.classList.remove('dropping');
      this.#open(event.dataTransfer?.files[0]);
    });
  }

  /** @param {string} headline @param {string} body */
  #write(headline, body) {
    this.#headline.value = headline;
    this.#body.value = body;
    this.#complain('');
    this.#measure();
    byId('check', HTMLButtonElement).focus();
  }

  /** @param {string} text */
  #complain(text) {
    this.#problem.textContent = text;
    this.#problem.hidden = !text;
    this.#body.setAttribute('aria-invalid', String(Boolean(text)));
    if (text) this.#body.focus();
  }

  #measure() {
    const words = countWords(this.#headline.value) + countWords(this.#body.value);
    this.#length.textContent = words ? counted(words, 'word') : '';
  }
}
