import { check, follow } from './check.js';
import { Desk } from './desk.js';
import { button, make } from './dom.js';
import { number } from './words.js';

/**
 * @import { Stage } from './check.js'
 * @import { Around } from './desk.js'
 * @import { Errand } from './errand.js'
 * @import { Job } from './wire.js'
 */

const NAMED = 4; // guidelines that finished last
const SPOKEN_QUARTERS = 4; // of the progress are told to screen readers

/** A check on its way: what is happening while a person waits. The bar is determinate as soon as there is something to count. */
export class Checking {
  #title = make('h2', { id: 'waiting' });
  #bar = make('progress', { 'aria-labelledby': 'waiting' });
  #detail = make('p', { class: 'small' });
  #names = make('ul', { class: 'finished', 'aria-label': 'Finished last' });

  /** @param {Errand} errand @param {Job | null} going a job to go on with @param {Around} around
   * @param {{begun: (job: Job) => void, stop: () => void}} tell */
  constructor(errand, going, around, tell) {
    this.#errand = errand;
    this.#going = going;
    this.#around = around;
    this.#tell = tell;
    const head = make('div', { class: 'row' }, this.#title, button('Stop', tell.stop, { class: 'subtle' }));
    this.element = make('section', { class: 'waiting', 'aria-labelledby': 'waiting' }, head, this.#bar, this.#detail, this.#names);
  }

  /** @type {Errand} */ #errand;
  /** @type {Job | null} */ #going;
  /** @type {Around} */ #around;
  /** @type {{begun: (job: Job) => void}} */ #tell;

  /** @param {AbortSignal} signal @returns {Promise<Desk>} with the result; throws Problem or Unreachable */
  async desk(signal) {
    const { api } = this.#around;
    const { submission, settle, selection } = this.#errand;
    for await (const stage of this.#going ? follow(api, this.#going, signal) : check(api, submission, signal)) {
      if ('job' in stage) this.#tell.begun(stage.job);
      if (stage.phase === 'done') return new Desk(stage.result, await settle(stage.result), selection, this.#around);
      this.#show(stage);
      this.#speak(stage);
    }
    throw new Error('a check ended without a result');
  }

  /** @param {Stage} stage */
  #show(stage) {
    const { title, detail } = inWords(stage);
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    const names = stage.phase === 'running' ? stage.checked.slice(-NAMED).reverse() : [];
    this.#names.hidden = !names.length;
    this.#names.replaceChildren(...names.map((id) => make('li', {}, this.#around.book.guidelines.get(id)?.title ?? id)));
    if (stage.phase === 'running' && stage.total) {
      this.#bar.max = stage.total;
      this.#bar.value = stage.done;
    } else this.#bar.removeAttribute('value');
  }

  /** @param {Stage} stage */
  #speak(stage) {
    const { title, detail } = inWords(stage);
    if (stage.phase !== 'running' || !stage.total) return this.#around.hear(`${title}. ${detail}`);
    const quarter = Math.floor((SPOKEN_QUARTERS * stage.done) / stage.total);
    this.#around.hear(`${title}: ${Math.round((100 * quarter) / SPOKEN_QUARTERS)} per cent done.`);
  }
}

/** @param {Stage} stage */
function inWords(stage) {
  if (stage.phase === 'submitting') return { title: 'Sending the article', detail: '' };
  if (stage.phase === 'queued') return { title: 'Waiting for a free checker', detail: queueInWords(stage.position) };
  if (stage.phase === 'away') return { title: 'The server does not answer', detail: 'The check goes on there. Asking again…' };
  if (stage.phase === 'done' || !stage.total) return { title: 'Checking', detail: 'Starting…' };
  return { title: 'Checking', detail: `${number(stage.done)} of ${number(stage.total)} guidelines. The findings come when all are done.` };
}

/** @param {number | null} position 1 for the next one */
function queueInWords(position) {
  if (position === null) return 'In the queue.';
  return position <= 1 ? 'Next in the queue.' : `Number ${number(position)} in the queue.`;
}
