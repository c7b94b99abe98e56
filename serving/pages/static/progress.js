import { make } from './dom.js';
import { number } from './words.js';

/** @import { Stage } from './check.js' */

/** What is happening while a person waits. The bar is determinate as soon as there is something to count. */
export class ProgressView {
  /** @param {() => void} onStop */
  constructor(onStop) {
    this.element = make(
      'section',
      { class: 'waiting', 'aria-labelledby': 'waiting-name' },
      this.#title,
      this.#bar,
      this.#detail,
      make('button', { type: 'button', onclick: onStop }, 'Stop'),
    );
  }

  #title = make('h3', { id: 'waiting-name' });
  #bar = make('progress', { 'aria-labelledby': 'waiting-name' });
  #detail = make('p', { class: 'detail' });

  /** @param {Stage} stage @param {(guideline: string) => string} titleOf */
  show(stage, titleOf) {
    const { title, detail } = inWords(stage, titleOf);
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    if (stage.phase === 'running' && stage.total) {
      this.#bar.max = stage.total;
      this.#bar.value = stage.done;
    } else this.#bar.removeAttribute('value');
  }
}

/** @param {Stage} stage @param {(guideline: string) => string} titleOf */
export function inWords(stage, titleOf) {
  if (stage.phase === 'submitting') return { title: 'Sending the article', detail: '' };
  if (stage.phase === 'queued') return { title: 'Waiting for a free checker', detail: queueInWords(stage.position) };
  if (stage.phase === 'away') return { title: 'The server does not answer', detail: 'The check goes on there. Asking again…' };
  if (stage.phase === 'done' || !stage.total) return { title: 'Checking', detail: 'Starting…' };
  const last = stage.guideline ? `, last: ${titleOf(stage.guideline)}` : '';
  return { title: 'Checking', detail: `${number(stage.done)} of ${number(stage.total)} guidelines${last}` };
}

/** @param {number | null} position 1 for the next one */
function queueInWords(position) {
  if (position === null) return 'In the queue.';
  return position <= 1 ? 'Next in the queue.' : `Number ${number(position)} in the queue.`;
}
