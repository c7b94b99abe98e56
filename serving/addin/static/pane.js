import { Anchors, holdsObjects, smallest, wireText } from './anchors.js';
import { newKey, problemFrom } from './api.js';
import { Cards, findingsInWords } from './cards.js';
import { check, follow } from './check.js';
import { button, make } from './dom.js';
import { Utf16Offsets } from './offsets.js';
import { Review } from './review.js';
import { guidebookOf, reasonOf, rulesView } from './rules.js';
import { FailureView, ProgressView, inWords, signInView, welcome } from './stages.js';
import { summary, versionInWords } from './summary.js';
import { BANDS, REASONS, counted, number } from './words.js';

/**
 * @import { Api, Problem, Submission } from './api.js'
 * @import { Stage } from './check.js'
 * @import { Change, DocumentPort, Passage, Place } from './document.js'
 * @import { Item } from './review.js'
 * @import { SignIn } from './sign-in.js'
 * @import { Decision, Job, Paragraph, Reason, Result } from './wire.js'
 *
 * What is sent, and how the paragraphs that come back lie in the document: `settle` gives them as they were when they
 * were read, and for each of the result's paragraphs which one it is.
 * @typedef {{submission: Submission, settle: (result: Result) => Promise<{passages: Passage[], at: (paragraph: Paragraph, index: number) => number}>, selection: boolean}} Errand
 *
 * A check that is done.
 * @typedef {{result: Result, review: Review, anchors: Anchors, cards: Cards, checked: string, selection: boolean, changed: boolean}} Checked
 */

const SPOKEN_QUARTERS = 4; // of the progress are told to screen readers

/** The pane, the same in Word and in the browser: what differs is the document. */
export class Pane {
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Checked | null} */
  #checked = null;
  /** @type {FailureView | null} */
  #failure = null;
  /** Whether the service keeps what editors decide; null: it hasn't said. @type {boolean | null} */
  #keeps = null;
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
      if (event.key !== 'F8' || !this.#checked) return;
      event.preventDefault();
      this.#checked.cards.step(event.shiftKey ? -1 : 1);
    });
  }

  /** @type {DocumentPort} */ #doc;
  /** @type {Api} */ #api;
  /** @type {SignIn} */ #signIn;

  async start() {
    await this.#doc.onChange(() => this.#look());
    await this.#doc.onPick((key) => this.#picked(key));
    if (this.#signIn.settings.auth === 'entra') await this.#enter('', false);
    else if (this.#signIn.needed) this.#askWho();
    else await this.#welcome();
  }

  /** The document was replaced by another one. */
  forget() {
    this.#running?.abort();
    this.#running = null;
    this.#checked = null;
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
        return this.say(selection ? 'Select the text to check first.' : 'There is nothing to check yet: write or open an article first.', true);
      }
      const sent = chosen.flatMap((index) => passages[index] ?? []);
      const submission = { document: await this.#documentOf(sent, passages), key: newKey() };
      const settle = async () => ({ passages, at: (/** @type {Paragraph} */ { origin }) => chosen[origin] ?? -1 });
      await this.run({ submission, settle, selection });
    } catch (error) {
      this.#fail(problemFrom(error), () => this.check({ selection }));
    }
  }

  /** @param {Passage[]} sent @param {Passage[]} all */
  async #documentOf(sent, all) {
    const first = all.find(({ text }) => text.trim());
    return {
      article: { paragraphs: sent.map(({ text, kind, level, unread }) => ({ text: unread ? '' : wireText(text), kind, level })) },
      title: first?.kind === 'heading' ? wireText(first.text).slice(0, 1000) : '',
      document_id: await this.#doc.identity(),
      channel: this.#doc.channel,
    };
  }

  /** Has something checked, and shows the way. @param {Errand} errand @param {Job | null} [going] a job to go on with */
  async run(errand, going = null) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    let job = going;
    const view = new ProgressView(() => this.#stop(job));
    this.#put(view.element);
    this.say('');
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
    this.#put(...(this.#checked ? [] : this.#before()));
    this.#check.focus();
    this.say('Stopped.');
    this.#draw();
  }

  /** @param {Result} result @param {Errand} errand */
  async #finish(result, errand) {
    const { report, feedback } = result;
    if (this.#keeps !== false) this.#keeps = Array.isArray(feedback);
    const { passages, at } = await errand.settle(result);
    const anchors = new Anchors(passages);
    const review = new Review(report.findings, feedback ?? []);
    for (const item of review.items) anchorItem(anchors, item, result, passages, at);
    const cards = new Cards(review, this.#means(result), {
      reveal: (item) => this.#reveal(item),
      replace: (items, text) => this.#replace(items, text),
      dismiss: (items, reason, comment) => this.#dismiss(items, reason, comment),
      comment: (item) => this.#comment(item),
      undo: (items) => this.#undoAll(items),
      filtered: () => this.#mark(),
    });
    this.#checked = { result, review, anchors, cards, checked: textOf(passages), selection: errand.selection, changed: false };
    this.#offer('');
    this.#put();
    this.#drawReport();
    cards.open(review.shown[0] ?? null, false);
    document.getElementById('score')?.focus();
    this.say(reportInWords(this.#checked));
    await this.#look();
  }

  /** @param {Result} result */
  #means(result) {
    return {
      dismiss: this.#keeps === true,
      comment: this.#doc.can.comment,
      titleOf: (/** @type {string} */ id) => this.#titleOf(id, result),
      reasonOf: (/** @type {Item} */ { finding }) => {
        this.#book.precisions ??= this.#api.precisions().catch(() => new Map());
        return reasonOf(finding, this.#book, `${versionInWords(result.report)} of pack “${result.report.version.pack}”`);
      },
    };
  }

  #drawReport() {
    const { result, review, cards, selection } = /** @type {Checked} */ (this.#checked);
    const open = this.#report.querySelector('details')?.open ?? false;
    const of = selection ? `Of the selection: ${counted(result.report.article.words, 'word')}` : '';
    const { status, outcomes } = result.report;
    const clear = outcomes.filter(({ verdict }) => verdict === 'clear' || verdict === 'findings').length;
    this.#report.replaceChildren(
      summary(result.report, { of, open }),
      ...(review.items.length ? [cards.element] : []),
      ...(!review.items.length && status === 'complete' ? [make('p', { class: 'clear' }, `Nothing to fix. Checked by ${counted(clear, 'guideline')}.`)] : []),
      ...(review.items.length && this.#keeps === false ? [make('p', { class: 'small' }, 'This service does not keep dismissals yet.')] : []),
    );
  }

  /** Sees where the text is now. */
  async #look() {
    const checked = this.#checked;
    if (!checked) return;
    const passages = await this.#doc.read();
    if (checked !== this.#checked) return;
    checked.anchors.follow(passages);
    this.#sift();
    checked.changed = textOf(passages) !== checked.checked;
    checked.cards.draw();
    this.#draw();
    this.#mark();
  }

  #sift() {
    const { review, anchors } = /** @type {Checked} */ (this.#checked);
    for (const item of review.items) item.gone = !anchors.place(item.key);
  }

  #mark() {
    const checked = this.#checked;
    if (!checked) return;
    const { review, anchors, cards } = checked;
    const marks = review.shown.map((item) => ({ key: item.key, severity: item.finding.severity, current: item === cards.current, find: () => anchors.place(item.key) }));
    this.#doc.mark(marks).catch((error) => console.warn('the words could not be marked', error));
  }

  /** @param {string} key */
  #picked(key) {
    const item = this.#checked?.review.items.find((one) => one.key === key);
    if (!item || !this.#checked) return;
    this.#checked.cards.open(item, false);
    this.#mark();
  }

  /** @param {string} key of an anchor @returns {(passages: Passage[]) => Place | null} */
  #finder(key) {
    return (passages) => {
      this.#checked?.anchors.follow(passages);
      return this.#checked?.anchors.place(key) ?? null;
    };
  }

  /** @param {Item} item */
  async #reveal(item) {
    this.#mark();
    const shown = await this.#act(() => this.#doc.reveal(this.#finder(item.key)));
    if (shown === false) await this.#gone();
  }

  /** @param {Item} item */
  async #comment(item) {
    const { finding } = item;
    const note = [`${this.#titleOf(finding.guideline)}: ${finding.message}`, ...finding.suggestions.map((text) => `→ ${text}`)].join('\n');
    const done = await this.#act(() => this.#doc.comment(this.#finder(item.key), note));
    if (done === false) await this.#gone();
    if (done) this.say('The comment is in the margin.');
  }

  async #gone() {
    await this.#look();
    this.say('These words have changed since the check.');
  }

  /** @param {Item[]} items @param {string} text */
  async #replace(items, text) {
    const checked = /** @type {Checked} */ (this.#checked);
    /** @type {Item[]} */
    const done = [];
    for (const item of items) {
      if (items.length > 1) this.say(`Replacing ${number(done.length + 1)} of ${number(items.length)}…`);
      if (await this.#act(() => this.#replaceOne(checked, item, text))) done.push(item);
    }
    if (!done.length) return this.say('Nothing was replaced: the words have changed since the check, or hold a footnote or a picture.', true);
    await this.#next(done);
    const left = items.length - done.length;
    this.#offer(`${done.length > 1 ? `${number(done.length)} replaced` : 'Replaced'}${left ? `, ${number(left)} left as they are` : ''}.`, done);
    await this.#tell(done.map(({ finding }) => ({ finding: finding.fingerprint, action: 'accept' })));
  }

  /** @param {Checked} checked @param {Item} item @param {string} text */
  async #replaceOne({ anchors }, item, text) {
    /** @type {Change | null} */
    let change = null;
    let lead = 0;
    const replaced = await this.#doc.replace((passages) => {
      const place = this.#finder(item.key)(passages);
      if (!place) return null;
      const wanted = smallest(place, text, passages[place.index]?.text ?? '');
      if (holdsObjects(wanted.quote)) return null;
      lead = place.start - wanted.start;
      return (change = wanted);
    });
    if (!replaced || !change) return false;
    const { index, start, quote, text: written } = /** @type {Change} */ (change);
    anchors.replaced(change);
    anchors.add(`edit ${item.key}`, index, start, start + written.length);
    item.state = 'replaced';
    item.edit = { was: quote, lead, length: item.finding.quote.length };
    return true;
  }

  /** @param {Item[]} items @param {Reason} reason @param {string} comment */
  async #dismiss(items, reason, comment) {
    const told = await this.#tell(items.map(({ finding }) => ({ finding: finding.fingerprint, action: 'dismiss', reason, ...(comment && { comment }) })));
    if (!told) return;
    for (const item of items) Object.assign(item, { state: 'dismissed', reason });
    await this.#next(items);
    this.#offer(`${items.length > 1 ? `${number(items.length)} dismissed` : 'Dismissed'}: ${REASONS[reason].toLowerCase()}.`, items);
  }

  /** Takes back what was done, the last first. @param {Item[]} items */
  async #undoAll(items) {
    const checked = /** @type {Checked} */ (this.#checked);
    let left = 0;
    const order = items.filter(({ state }) => state !== 'open').reverse();
    for (const item of order) {
      const undone = item.edit ? await this.#act(() => this.#restoreOne(checked, item)) : true;
      if (!undone) left += 1;
      else await this.#untell(checked, item);
    }
    await this.#look();
    const first = items.find(({ state }) => state === 'open') ?? null;
    checked.cards.open(first, true);
    this.#mark();
    this.#offer('');
    this.say(left ? `${counted(left, 'replacement')} could not be undone: the words have changed since.` : 'Undone.', left > 0);
  }

  /** @param {Checked} checked @param {Item} item */
  async #restoreOne({ anchors }, item) {
    const { was, lead, length } = /** @type {import('./review.js').Edit} */ (item.edit);
    const key = `edit ${item.key}`;
    /** @type {Change | null} */
    let change = null;
    const restored = await this.#doc.restore((passages) => {
      const place = this.#finder(key)(passages);
      return (change = place && { ...place, text: was });
    });
    if (!restored || !change) return false;
    const { index, start } = /** @type {Change} */ (change);
    anchors.replaced(change);
    anchors.forget(key);
    anchors.add(item.key, index, start + lead, start + lead + length);
    item.edit = null;
    item.state = 'open';
    return true;
  }

  /** @param {Item[]} done */
  async #next(done) {
    const { cards, review } = /** @type {Checked} */ (this.#checked);
    const next = review.after(done);
    await this.#look();
    cards.open(next, true);
    this.#mark();
  }

  /** Tells the service what the editor decided; the score follows. @param {Decision[]} decisions */
  async #tell(decisions) {
    const checked = /** @type {Checked} */ (this.#checked);
    if (!this.#keeps) return decisions.every(({ action }) => action === 'accept');
    try {
      const { score, feedback } = await this.#api.decide(checked.result.job_id, decisions);
      this.#told(checked, score, feedback);
      return true;
    } catch (error) {
      const problem = problemFrom(error);
      if (problem.status === 404) this.#keeps = false;
      this.say(problem.status === 404 ? 'This service does not keep dismissals yet.' : `It could not be kept. ${problem.title}: ${problem.detail}`, true);
      return false;
    }
  }

  /** @param {Checked} checked @param {Item} item */
  async #untell(checked, item) {
    const wasDismissed = item.state === 'dismissed';
    if (!this.#keeps) return;
    try {
      const { score, feedback } = await this.#api.undecide(checked.result.job_id, item.finding.fingerprint);
      item.state = 'open';
      this.#told(checked, score, feedback);
    } catch (error) {
      const problem = problemFrom(error);
      if (wasDismissed) this.say(`It could not be undone. ${problem.title}: ${problem.detail}`, true);
    }
  }

  /** @param {Checked} checked @param {Result['report']['score']} score @param {import('./wire.js').Feedback[]} feedback */
  #told(checked, score, feedback) {
    checked.review.told(feedback);
    checked.result.report.score = score ?? checked.result.report.score;
    checked.cards.draw();
    const old = this.#report.querySelector('.summary');
    const of = old?.querySelector('.score .small')?.textContent ?? '';
    old?.replaceWith(summary(checked.result.report, { of, open: old.querySelector('details')?.open ?? false }));
  }

  /** What the host may refuse. @template T @param {() => Promise<T>} act @returns {Promise<T | null>} */
  async #act(act) {
    try {
      return await act();
    } catch (error) {
      console.warn('the document refused', error);
      this.say('The document did not allow that. Is it open for reading only?', true);
      return null;
    }
  }

  /** @param {Problem} problem @param {() => void} again */
  #fail(problem, again) {
    if (problem.status === 401) return this.#askWho('You are signed out. Sign in to go on.');
    this.#failure = new FailureView(problem, again, () => this.check({ selection: true }));
    this.#put(this.#failure.element);
    document.getElementById('failure')?.focus();
    this.say(`${problem.title}. ${problem.detail}`);
  }

  /** @param {string} [refused] */
  #askWho(refused = '') {
    const { auth } = this.#signIn.settings;
    if (auth === 'none') return;
    this.#put(signInView(auth, (key) => this.#enter(key, true), refused));
    this.#draw();
    if (refused) document.getElementById('signing')?.focus();
    if (refused) this.say(refused);
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
    if (!this.#running) this.#put(...(this.#checked ? [] : this.#before()));
    this.#draw();
  }

  #before() {
    const { guidelines, pack, version } = this.#book;
    return [welcome(guidelines.size, `pack “${pack}”, version ${version}`), ...(guidelines.size ? [rulesView(this.#book)] : [])];
  }

  /** What stands above the report: only what the editor should know now. */
  #draw() {
    const { needed } = this.#signIn;
    const [checked, busy] = [this.#checked, this.#running !== null];
    this.#check.textContent = checked ? 'Check again' : 'Check article';
    this.#check.classList.toggle('primary', !checked || checked.changed);
    for (const one of [this.#check, this.#selection]) one.disabled = needed || busy;
    const notices = [
      !navigator.onLine && 'You are offline. Findings can still be looked at and replaced.',
      checked?.changed && !busy && 'The text has changed since it was checked. The findings still lead to their words; the score is of the text before.',
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

  /** A way back, for what was just done. @param {string} text @param {Item[]} [items] */
  #offer(text, items = []) {
    this.#undo.hidden = !text;
    this.#undo.replaceChildren(...(text ? [make('span', {}, text), items.length ? button('Undo', () => this.#undoAll(items), { class: 'subtle' }) : '', button('', () => this.#offer(''), { class: 'icon close', 'aria-label': 'Close' })] : []));
    if (text) this.#hear(text);
  }

  /** @param {string} text @param {boolean} [seen] whether it stands in the pane too */
  say(text, seen = false) {
    if (seen) this.#offer(text);
    else this.#hear(text);
  }

  /** @param {string} text */
  #hear(text) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  /** @param {string} id @param {Result | null} [result] */
  #titleOf(id, result = this.#checked?.result ?? null) {
    return result?.report.outcomes.find(({ guideline }) => guideline === id)?.title ?? this.#book.guidelines.get(id)?.title ?? id;
  }
}

/** Puts a finding's code points into its paragraph's units. A finding over several paragraphs leads to its first words.
 * @param {Anchors} anchors @param {Item} item @param {Result} result @param {Passage[]} passages
 * @param {(paragraph: Paragraph, index: number) => number} at */
function anchorItem(anchors, item, { paragraphs }, passages, at) {
  const { start, end } = item.finding;
  const index = paragraphs.findIndex((paragraph) => start < paragraph.end);
  const paragraph = paragraphs[index];
  const passage = paragraph && passages[at(paragraph, index)];
  if (!paragraph || !passage) return;
  const offsets = new Utf16Offsets(passage.text);
  item.whole = end <= paragraph.end;
  const last = Math.min(end, paragraph.end) - paragraph.start;
  anchors.add(item.key, at(paragraph, index), offsets.units(start - paragraph.start), offsets.units(last));
}

/** @param {Passage[]} passages */
const textOf = (passages) => passages.map(({ text }) => text).join('\n');

/** @param {Checked} checked */
function reportInWords({ result: { report }, review }) {
  if (!report.score || !report.band) return 'Nothing could be checked.';
  const partial = report.status === 'partial' ? ' Not everything was checked.' : '';
  return `Score ${number(report.score.value)} of 100, ${BANDS[report.band].toLowerCase()}; ${findingsInWords(review)}.${partial}`;
}
