import { button, make } from './dom.js';
import { counted, number } from './words.js';

/**
 * @import { Problem } from './api.js'
 * @import { Stage } from './check.js'
 */

const NAMED = 4; // guidelines that finished last

/** What is happening while a person waits. The bar is determinate as soon as there is something to count. */
export class ProgressView {
  #title = make('h2', { id: 'waiting' });
  #bar = make('progress', { 'aria-labelledby': 'waiting' });
  #detail = make('p', { class: 'small' });
  #names = make('ul', { class: 'finished', 'aria-label': 'Finished last' });

  /** @param {() => void} onStop */
  constructor(onStop) {
    const head = make('div', { class: 'row' }, this.#title, button('Stop', onStop, { class: 'subtle' }));
    this.element = make('section', { class: 'waiting', 'aria-labelledby': 'waiting' }, head, this.#bar, this.#detail, this.#names);
  }

  /** @param {Stage} stage @param {(guideline: string) => string} titleOf */
  show(stage, titleOf) {
    const { title, detail } = inWords(stage);
    this.#title.textContent = title;
    this.#detail.textContent = detail;
    const names = stage.phase === 'running' ? stage.checked.slice(-NAMED).reverse() : [];
    this.#names.hidden = !names.length;
    this.#names.replaceChildren(...names.map((id) => make('li', {}, titleOf(id))));
    if (stage.phase === 'running' && stage.total) {
      this.#bar.max = stage.total;
      this.#bar.value = stage.done;
    } else this.#bar.removeAttribute('value');
  }
}

/** @param {Stage} stage */
export function inWords(stage) {
  if (stage.phase === 'reading') return { title: 'Reading the document', detail: '' };
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

/** Asks who it is: for an API key, or for Microsoft's sign-in. @param {'key' | 'entra'} how @param {(key: string) => void} onSignIn @param {string} [refused] */
export function signInView(how, onSignIn, refused = '') {
  const key = make('input', { type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'refused' });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    onSignIn(key.value.trim());
    key.value = '';
  };
  return make('form', { class: 'signing', onsubmit: submit, 'aria-labelledby': 'signing' },
    make('h2', { id: 'signing', tabindex: '-1' }, 'Sign in'),
    how === 'key' && make('label', { for: 'key' }, 'API key'),
    how === 'key' && key,
    make('p', { id: 'refused', class: refused ? 'problem' : 'small' }, refused || 'You stay signed in until this pane is closed.'),
    make('button', { class: 'primary' }, how === 'key' ? 'Sign in' : 'Sign in with Microsoft'));
}

/** Before the first check. @param {number} guidelines @param {string} pack */
export function welcome(guidelines, pack) {
  const against = guidelines ? `${counted(guidelines, 'guideline')} of the ${pack}.` : 'the house’s guidelines.';
  return make('section', { class: 'welcome' },
    make('h2', {}, 'Check this article'),
    make('p', {}, `Against ${against} You get a score, and each finding at its exact words, with the rule behind it and what to write instead.`),
    make('p', { class: 'small' }, 'Checking sends the text to your house’s Copydesk service.'));
}
