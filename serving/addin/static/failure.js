import { button, make } from './dom.js';

/** @import { Problem } from './api.js' */

/** What went wrong and the way out. After a limit the way opens when the time the API named is over. */
export class FailureView {
  /** @type {number | undefined} */
  #clock;

  /** @param {Problem} problem @param {() => void} onRetry @param {() => void} onSelection */
  constructor(problem, onRetry, onSelection) {
    this.#retry.addEventListener('click', onRetry);
    const tooLong = problem.type === 'content-too-large';
    this.element = make('section', { class: 'failure', 'aria-labelledby': 'failure' },
      make('h2', { id: 'failure', tabindex: '-1' }, problem.title),
      make('p', {}, problem.detail),
      make('div', { class: 'row' }, this.#retry, tooLong && button('Check selection', onSelection)));
    this.#countDown(problem.retryAfter);
  }

  #retry = make('button', { type: 'button' });

  /** @param {number} seconds */
  #countDown(seconds) {
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      this.#retry.disabled = left > 0;
      this.#retry.textContent = left > 0 ? `Try again in ${left} s` : 'Try again';
      if (left <= 0) this.stop();
    };
    if (seconds > 0) this.#clock = setInterval(tick, 250);
    tick();
  }

  stop() {
    clearInterval(this.#clock);
  }
}
