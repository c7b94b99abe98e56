import { Api, Unreachable, ask, newKey, problemFrom } from './api.js';
import { button, make } from './dom.js';
import { FailureView } from './failure.js';
import { guidebookOf, welcome } from './rules.js';

/**
 * @import { Problem } from './api.js'
 * @import { Checking } from './checking.js'
 * @import { Desk } from './desk.js'
 * @import { DocumentPort, Editing } from './document.js'
 * @import { Errand } from './errand.js'
 * @import { Settings, SignIn } from './sign-in.js'
 * @import { Job } from './wire.js'
 *
 * What is needed from the first check on.
 * @typedef {object} Rest
 * @property {typeof Checking} Checking
 * @property {typeof import('./errand.js').errandOf} errandOf
 * @property {Editing} editing
 */

/** A pane for a document, yet to be started; null where the service doesn't say how to sign in, which the pane then tells.
 * @param {HTMLElement} root @param {DocumentPort} doc @param {() => Promise<string>} loginHint whom the host knows */
export async function paneFor(root, doc, loginHint) {
  try {
    /** @type {Settings} */
    const settings = await ask('/addin/settings.json', {});
    const signIn = settings.auth === 'none' ? null : new (await fetched(import('./sign-in.js'))).SignIn(settings, loginHint);
    return new Pane(root, doc, new Api(signIn), signIn);
  } catch (error) {
    root.append(new FailureView(problemFrom(error), () => location.reload(), () => {}).element);
    return null;
  }
}

/** A part of the pane that isn't fetched before it is needed. @template T @param {Promise<T>} part @returns {Promise<T>} throws Unreachable */
async function fetched(part) {
  try {
    return await part;
  } catch (error) {
    throw new Unreachable('a part of the pane did not come', { cause: error });
  }
}

/** Styles of what is shown from the first check on. */
function findingsStyled() {
  return new Promise((resolve, reject) => {
    const href = new URL('./findings.css', import.meta.url);
    document.head.append(make('link', { rel: 'stylesheet', href, onload: resolve, onerror: reject }));
  });
}

/** The pane, the same in Word and in the browser: what differs is the document. */
export class Pane {
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Desk | null} */
  #desk = null;
  /** @type {FailureView | null} */
  #failure = null;
  /** @type {Promise<Rest> | null} */
  #rest = null;
  #reading = false;
  #book = guidebookOf(null);
  #check = button('Check article', () => this.check(), { class: 'primary' });
  #selection = button('Check selection', () => this.check({ selection: true }));
  #notices = make('div', { class: 'notices' });
  #stage = make('div', { class: 'stage' });
  #report = make('div', {});
  #undo = make('div', { class: 'toast row', hidden: true });
  #status = make('p', { class: 'unseen', role: 'status' });

  /** @param {HTMLElement} root @param {DocumentPort} doc @param {Api} api @param {SignIn | null} signIn null: nobody needs to */
  constructor(root, doc, api, signIn) {
    this.#doc = doc;
    this.#api = api;
    this.#signIn = signIn;
    root.append(make('div', { class: 'toolbar row' }, this.#check, this.#selection), this.#notices, this.#stage, this.#report, this.#undo, this.#status);
    addEventListener('online', () => this.#draw());
    addEventListener('offline', () => this.#draw());
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'F8' || !this.#desk) return;
      event.preventDefault();
      this.#desk.step(event.shiftKey ? -1 : 1);
    });
  }

  /** @type {DocumentPort} */ #doc;
  /** @type {Api} */ #api;
  /** @type {SignIn | null} */ #signIn;

  async start() {
    if (this.#signIn?.settings.auth === 'entra') await this.#enter('', false);
    else if (this.#signIn) this.#askWho();
    else await this.#welcome();
    this.#load().catch((error) => console.warn('the rest of the pane comes with the first check', error));
  }

  /** The document was replaced by another one. */
  forget() {
    this.#running?.abort();
    this.#running = null;
    this.#desk?.leave();
    this.#desk = null;
    this.#report.replaceChildren();
    this.#offer('');
    this.#put(...welcome(this.#book));
    this.#draw();
  }

  /** @param {{selection?: boolean}} [options] */
  async check({ selection = false } = {}) {
    if (this.#reading) return; // asked for twice
    this.#reading = true;
    try {
      const { errandOf } = await this.#load();
      const errand = await errandOf(this.#doc, selection);
      if (errand) this.run(errand);
      else this.#offer(selection ? 'Select the text to check first.' : 'There is nothing to check yet: write or open an article first.');
    } catch (error) {
      this.#fail(problemFrom(error), () => this.check({ selection }));
    } finally {
      this.#reading = false;
    }
  }

  /** Has something checked, and shows the way. @param {Errand} errand @param {Job | null} [going] a job to go on with */
  async run(errand, going = null) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#hear('');
    this.#draw();
    let job = going;
    try {
      const { Checking, editing } = await this.#load();
      running.signal.throwIfAborted();
      const checking = new Checking(errand, going, this.#around(editing), { begun: (begun) => (job = begun), stop: () => this.#stop(job) });
      this.#put(checking.element);
      await this.#show(await checking.desk(running.signal));
    } catch (error) {
      if (running.signal.aborted) return;
      const problem = problemFrom(error);
      const { submission } = errand;
      const lost = problem.type === 'unreachable'; // an answer, perhaps; with its old key a second try is the same job
      const fresh = { ...errand, submission: lost ? submission : { ...submission, key: newKey() } };
      this.#fail(problem, () => (lost ? this.run(fresh, job) : 'file' in submission ? this.run(fresh) : this.check(errand)));
    } finally {
      if (this.#running === running) this.#running = null;
      this.#draw();
    }
  }

  /** @param {Job | null} job */
  #stop(job) {
    this.#running?.abort();
    this.#running = null;
    if (job) this.#api.cancel(job).catch((error) => console.warn('the job could not be cancelled', problemFrom(error)));
    this.#put(...(this.#desk ? [] : welcome(this.#book)));
    this.#hear('Stopped.');
    this.#draw();
    this.#check.focus();
  }

  /** More than half of the pane is needed only from the first check on, so it comes when the pane is shown. */
  #load() {
    this.#rest ??= this.#fetch().catch((error) => {
      this.#rest = null;
      throw error;
    });
    return this.#rest;
  }

  async #fetch() {
    const parts = Promise.all([import('./checking.js'), import('./errand.js'), this.#doc.editing(), findingsStyled()]);
    const [{ Checking }, { errandOf }, editing] = await fetched(parts);
    await editing.onChange(() => this.#desk?.look());
    await editing.onPick((key) => this.#desk?.pick(key));
    return { Checking, errandOf, editing };
  }

  /** @param {Editing} editing */
  #around(editing) {
    return {
      doc: this.#doc,
      editing,
      api: this.#api,
      book: this.#book,
      offer: (/** @type {string} */ text, /** @type {(() => void) | undefined} */ undo) => this.#offer(text, undo),
      hear: (/** @type {string} */ text) => this.#hear(text),
      looked: () => this.#draw(),
    };
  }

  /** @param {Desk} desk */
  async #show(desk) {
    this.#desk = desk;
    this.#offer('');
    this.#put();
    this.#report.replaceChildren(desk.element);
    await desk.begin();
  }

  /** @param {Problem} problem @param {() => void} again */
  #fail(problem, again) {
    if (problem.status === 401 && this.#signIn) return this.#askWho('You are signed out. Sign in to go on.');
    const failure = new FailureView(problem, again, () => this.check({ selection: true }));
    this.#put(failure.element);
    this.#failure = failure;
    document.getElementById('failure')?.focus();
    this.#hear(`${problem.title}. ${problem.detail}`);
  }

  /** @param {string} [refused] */
  #askWho(refused = '') {
    if (!this.#signIn) return;
    this.#put(this.#signIn.form((key) => this.#enter(key, true), refused));
    this.#draw();
    if (refused) document.getElementById('signing')?.focus();
    if (refused) this.#hear(refused);
  }

  /** @param {string} key @param {boolean} ask */
  async #enter(key, ask) {
    try {
      await this.#signIn?.enter(key, ask);
      await this.#welcome();
    } catch (error) {
      const { detail = String(error) } = error instanceof Error && 'detail' in error ? /** @type {Problem} */ (error) : {};
      this.#askWho(ask ? detail : '');
    }
  }

  async #welcome() {
    try {
      this.#book = guidebookOf(await this.#api.guidelines());
    } catch (error) {
      const problem = problemFrom(error);
      if (problem.status === 401) return this.#askWho();
      console.warn('the guidelines could not be loaded', problem);
    }
    if (!this.#running) this.#put(...(this.#desk ? [] : welcome(this.#book)));
    this.#draw();
  }

  /** What stands above the report: only what the editor should know now. */
  #draw() {
    const needed = this.#signIn?.needed ?? false;
    const [desk, busy] = [this.#desk, this.#running !== null];
    this.#check.textContent = desk ? 'Check again' : 'Check article';
    this.#check.classList.toggle('primary', !desk || desk.changed);
    for (const one of [this.#check, this.#selection]) one.disabled = needed || busy;
    const notices = [
      !navigator.onLine && desk && 'You are offline. Findings can still be looked at and replaced.',
      desk?.changed && !busy && 'The text has changed since it was checked; the score is of the text before.',
    ];
    const texts = notices.filter((text) => typeof text === 'string');
    if (texts.join() !== this.#notices.dataset.texts) {
      this.#notices.dataset.texts = texts.join();
      this.#notices.replaceChildren(...texts.map((text) => make('p', { class: 'message' }, text)));
    }
  }

  /** @param {...HTMLElement} elements */
  #put(...elements) {
    this.#failure?.stop();
    this.#failure = null;
    this.#stage.replaceChildren(...elements);
  }

  /** Something to be seen, until it is closed or the next thing is said. @param {string} text */
  say(text) {
    this.#offer(text);
  }

  /** With a way back, if there is one. @param {string} text @param {() => void} [undo] */
  #offer(text, undo) {
    this.#undo.hidden = !text;
    this.#undo.replaceChildren(...(text ? [
      make('span', {}, text),
      ...(undo ? [button('Undo', undo, { class: 'subtle' })] : []),
      button('', () => this.#offer(''), { class: 'icon close', 'aria-label': 'Close' }),
    ] : []));
    if (text) this.#hear(text);
  }

  /** @param {string} text */
  #hear(text) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}
