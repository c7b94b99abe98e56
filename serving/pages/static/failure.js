import { make } from './dom.js';

/** @import { Problem } from './api.js' */

/** What went wrong and the way out. After a limit the way opens when the time the API named is over. */
export class FailureView {
  /** @type {number | undefined} */
  #clock;

  /** @param {Problem} problem @param {() => void} onRetry */
  constructor(problem, onRetry) {
    this.#retry.addEventListener('click', onRetry);
    this.element = make(
      'section',
      { class: 'failure', 'aria-labelledby': 'failure-name' },
      make('h3', { id: 'failure-name', tabindex: '-1' }, problem.title),
      make('p', {}, problem.detail),
      this.#retry,
    );
    this.#countDown(problem.retryAfter);
  }

  #retry = make('button', { type: 'button', class: 'primary' });

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
