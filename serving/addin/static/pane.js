import { Api, Unreachable, newKey, problemFrom } from './api.js';
import { articleOf, check, follow } from './check.js';
import { button, make } from './dom.js';
import { guidebookOf, rulesView } from './rules.js';
import { SignIn, settingsHere } from './sign-in.js';
import { FailureView, ProgressView, inWords, signInView, welcome } from './stages.js';

/**
 * @import { Problem, Submission } from './api.js'
 * @import { Stage } from './check.js'
 * @import { Desk, Settled } from './desk.js'
 * @import { DocumentPort } from './document.js'
 * @import { Job, Paragraph, Result } from './wire.js'
 *
 * What is sent, and how what comes back lies in the document.
 * @typedef {{submission: Submission, settle: (result: Result) => Promise<Settled>, selection: boolean}} Errand
 */

const SPOKEN_QUARTERS = 4; // of the progress are told to screen readers

/** A pane for a document, yet to be started; null where the service doesn't say how to sign in, which the pane then tells.
 * @param {HTMLElement} root @param {DocumentPort} doc @param {() => Promise<string>} loginHint whom the host knows */
export async function paneFor(root, doc, loginHint) {
  try {
    const signIn = new SignIn(await settingsHere(), loginHint);
    return new Pane(root, doc, new Api(signIn), signIn);
  } catch (error) {
    root.append(new FailureView(problemFrom(error), () => location.reload(), () => {}).element);
    return null;
  }
}

/** The pane, the same in Word and in the browser: what differs is the document. */
export class Pane {
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Desk | null} */
  #desk = null;
  /** @type {FailureView | null} */
  #failure = null;
  /** @type {Promise<typeof import('./desk.js')> | null} */
  #loading = null;
  #book = guidebookOf(null);
  #check = button('Check article', () => this.check(), { class: 'primary' });
  #selection = button('Check selection', () => this.check({ selection: true }));
  #notices = make('div', { class: 'notices' });
  #stage = make('div', { class: 'stage' });
  #report = make('div', {});
  #undo = make('div', { class: 'toast row', hidden: true });
  #status = make('p', { class: 'unseen', role: 'status' });

  /** @param {HTMLElement} root @param {DocumentPort} doc @param {Api} api @param {SignIn} signIn */
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
  /** @type {SignIn} */ #signIn;

  async start() {
    await this.#doc.onChange(() => this.#desk?.look());
    await this.#doc.onPick((key) => this.#desk?.pick(key));
    if (this.#signIn.settings.auth === 'entra') await this.#enter('', false);
    else if (this.#signIn.needed) this.#askWho();
    else await this.#welcome();
    this.#load().catch((error) => console.warn('the rest of the pane comes with the first check', error));
  }

  /** The document was replaced by another one. */
  forget() {
    this.#running?.abort();
    this.#running = null;
    this.#desk = null;
    this.#report.replaceChildren();
    this.#offer('');
    this.#doc.mark([]);
    this.#put(...this.#before());
    this.#draw();
  }

  /** @param {{selection?: boolean}} [options] */
  async check({ selection = false } = {}) {
    try {
      const passages = await this.#doc.read();
      const chosen = selection ? await this.#doc.selected() : passages.map((_, index) => index);
      if (!chosen.some((index) => passages[index]?.text.trim())) {
        return this.#offer(selection ? 'Select the text to check first.' : 'There is nothing to check yet: write or open an article first.');
      }
      const sent = chosen.flatMap((index) => passages[index] ?? []);
      const document = { ...articleOf(sent, passages), document_id: await this.#doc.identity(), channel: this.#doc.channel };
      const submission = { document, key: newKey() };
      const settle = async () => ({ passages, at: (/** @type {Paragraph} */ { origin }) => chosen[origin] ?? -1 });
      await this.run({ submission, settle, selection });
    } catch (error) {
      this.#fail(problemFrom(error), () => this.check({ selection }));
    }
  }

  /** Has something checked, and shows the way. @param {Errand} errand @param {Job | null} [going] a job to go on with */
  async run(errand, going = null) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    let job = going;
    const view = new ProgressView(() => this.#stop(job));
    this.#put(view.element);
    this.#hear('');
    this.#draw();
    const { submission } = errand;
    const stages = going ? follow(this.#api, going, running.signal) : check(this.#api, submission, running.signal);
    try {
      for await (const stage of stages) {
        if ('job' in stage) job = stage.job;
        if (stage.phase === 'done') await this.#finish(stage.result, errand);
        else {
          view.show(stage, (id) => this.#titleOf(id));
          this.#speakStage(stage);
        }
      }
    } catch (error) {
      if (running.signal.aborted) return;
      const problem = problemFrom(error);
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
    this.#put(...(this.#desk ? [] : this.#before()));
    this.#hear('Stopped.');
    this.#draw();
    this.#check.focus();
  }

  /** Half of the pane is needed only after a check, so it comes when the first half is shown. */
  #load() {
    this.#loading ??= import('./desk.js').catch((error) => {
      this.#loading = null;
      throw new Unreachable('no answer from desk.js', { cause: error });
    });
    return this.#loading;
  }

  /** @param {Result} result @param {Errand} errand */
  async #finish(result, errand) {
    const { Desk } = await this.#load();
    const settled = await errand.settle(result);
    const desk = new Desk(result, settled, errand.selection, {
      doc: this.#doc,
      api: this.#api,
      book: this.#book,
      offer: (text, undo) => this.#offer(text, undo),
      hear: (text) => this.#hear(text),
      looked: () => this.#draw(),
    });
    this.#desk = desk;
    this.#offer('');
    this.#put();
    this.#report.replaceChildren(desk.element);
    await desk.begin();
  }

  /** @param {Problem} problem @param {() => void} again */
  #fail(problem, again) {
    if (problem.status === 401) return this.#askWho('You are signed out. Sign in to go on.');
    const failure = new FailureView(problem, again, () => this.check({ selection: true }));
    this.#put(failure.element);
    this.#failure = failure;
    document.getElementById('failure')?.focus();
    this.#hear(`${problem.title}. ${problem.detail}`);
  }

  /** @param {string} [refused] */
  #askWho(refused = '') {
    const { auth } = this.#signIn.settings;
    if (auth === 'none') return;
    this.#put(signInView(auth, (key) => this.#enter(key, true), refused));
    this.#draw();
    if (refused) document.getElementById('signing')?.focus();
    if (refused) this.#hear(refused);
  }

  /** @param {string} key @param {boolean} ask */
  async #enter(key, ask) {
    try {
      if (this.#signIn.settings.auth === 'entra') await this.#signIn.withEntra(ask);
      else await this.#signIn.withKey(key);
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
    if (!this.#running) this.#put(...(this.#desk ? [] : this.#before()));
    this.#draw();
  }

  #before() {
    const { guidelines, pack, version } = this.#book;
    return [welcome(guidelines.size, `pack “${pack}”, version ${version}`), ...(guidelines.size ? [rulesView(this.#book)] : [])];
  }

  /** What stands above the report: only what the editor should know now. */
  #draw() {
    const { needed } = this.#signIn;
    const [desk, busy] = [this.#desk, this.#running !== null];
    this.#check.textContent = desk ? 'Check again' : 'Check article';
    this.#check.classList.toggle('primary', !desk || desk.changed);
    for (const one of [this.#check, this.#selection]) one.disabled = needed || busy;
    const notices = [
      !navigator.onLine && 'You are offline. Findings can still be looked at and replaced.',
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

  /** @param {Stage} stage */
  #speakStage(stage) {
    const { title, detail } = inWords(stage);
    if (stage.phase !== 'running' || !stage.total) return this.#hear(`${title}. ${detail}`);
    const quarter = Math.floor((SPOKEN_QUARTERS * stage.done) / stage.total);
    this.#hear(`${title}: ${Math.round((100 * quarter) / SPOKEN_QUARTERS)} per cent done.`);
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

  /** @param {string} id */
  #titleOf(id) {
    return this.#book.guidelines.get(id)?.title ?? id;
  }
}
