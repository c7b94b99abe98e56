import { Api, Problem, newKey } from './api.js';
import { check, follow, problemFrom } from './check.js';
import { byId } from './dom.js';
import { FailureView } from './failure.js';
import { Findings, inWords as findingsInWords } from './findings.js';
import { welcome } from './guidebook.js';
import { ProgressView, inWords as stageInWords } from './progress.js';
import { Reading } from './reading.js';
import { summary } from './summary.js';
import { Writing } from './writing.js';
import { BANDS, counted, number } from './words.js';

/**
 * @import { Submission } from './api.js'
 * @import { Stage } from './check.js'
 * @import { Guidebook } from './guidebook.js'
 * @import { Job, Report, Result } from './wire.js'
 */

const SPOKEN_QUARTERS = 4; // progress is announced this often, not at every guideline

/** The page: the article on one side, what is said about it on the other. */
class Desk {
  #api = new Api();
  /** @type {Guidebook} */
  #guidebook = new Map();
  /** What the guidelines belong to, in words. */
  #pack = '';
  /** @type {AbortController | null} */
  #running = null;
  /** @type {Findings | null} */
  #findings = null;
  /** @type {FailureView | null} */
  #failure = null;
  /** @type {Result | null} */
  #fromFile = null;
  #panel = byId('panel', HTMLElement);
  #report = byId('report', HTMLElement);
  #status = byId('status', HTMLElement);
  #readingArea = byId('reading', HTMLElement);
  #writing = new Writing((submission) => this.#check(submission));
  #reading = new Reading(byId('article', HTMLElement), (finding) => this.#findings?.select(finding, { focus: true }));

  constructor() {
    byId('edit', HTMLButtonElement).addEventListener('click', () => this.#edit());
    addEventListener('keydown', (event) => {
      if (event.key !== 'F8' || !this.#findings) return;
      event.preventDefault();
      this.#findings.step(event.shiftKey ? -1 : 1);
    });
  }

  async start() {
    try {
      const served = await this.#api.guidelines();
      this.#guidebook = new Map(served.guidelines.map((guideline) => [guideline.id, guideline]));
      this.#pack = `pack “${served.pack}”, version ${served.version}`;
    } catch (error) {
      console.warn('the guidelines could not be loaded', problemFrom(error));
    }
    if (!this.#panel.hasChildNodes()) this.#panel.replaceChildren(welcome(this.#guidebook, this.#pack));
    document.documentElement.dataset.ready = 'true';
  }

  /** @param {Submission} submission */
  #check(submission) {
    this.#run((signal) => check(this.#api, submission, signal), submission);
  }

  /** @param {Job} job @param {Submission} submission */
  #resume(job, submission) {
    this.#run((signal) => follow(this.#api, job, signal), submission);
  }

  /** @param {(signal: AbortSignal) => AsyncGenerator<Stage, void>} stages @param {Submission} submission */
  async #run(stages, submission) {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    /** @type {Job | null} */
    let job = null;
    const view = new ProgressView(() => this.#stop(job));
    this.#put(view.element);
    this.#writing.setBusy(true);
    this.#show(this.#report);
    try {
      for await (const stage of stages(running.signal)) {
        if ('job' in stage) job = stage.job;
        if (stage.phase === 'done') return this.#finish(stage.result, 'file' in submission);
        view.show(stage, (id) => this.#guidebook.get(id)?.title ?? id);
        this.#speakStage(stage);
      }
    } catch (error) {
      if (!running.signal.aborted) this.#fail(problemFrom(error), job, submission);
    } finally {
      if (this.#running === running) this.#writing.setBusy(false);
    }
  }

  /** @param {Job | null} job */
  #stop(job) {
    this.#running?.abort();
    if (job) this.#api.cancel(job).catch((error) => console.warn('the job could not be cancelled', problemFrom(error)));
    this.#writing.setBusy(false);
    this.#writing.show(true);
    this.#put(welcome(this.#guidebook, this.#pack));
    this.#say('Stopped.');
  }

  /** @param {Result} result @param {boolean} fromFile */
  #finish(result, fromFile) {
    const { report } = result;
    this.#fromFile = fromFile ? result : null;
    this.#reading.show(result);
    byId('facts', HTMLElement).textContent = counted(report.article.words, 'word');
    this.#writing.show(false);
    this.#readingArea.hidden = false;
    this.#findings = new Findings(report, this.#guidebook, {
      onSelect: (finding) => this.#reading.reveal(finding),
      onFilter: (severity) => this.#reading.filter(severity),
    });
    this.#put(summary(report), ...(report.findings.length ? [this.#findings.element] : []));
    this.#show(byId('summary-name', HTMLElement));
    this.#say(reportInWords(report));
  }

  /** @param {Problem} problem @param {Job | null} job @param {Submission} submission */
  #fail(problem, job, submission) {
    const lost = problem.type === 'unreachable'; // an answer, perhaps; with its old key a second try is the same job
    const again = () => {
      if (lost && job) this.#resume(job, submission);
      else this.#check(lost ? submission : { ...submission, key: newKey() });
    };
    const failure = new FailureView(problem, again);
    this.#put(failure.element);
    this.#failure = failure;
    this.#show(byId('failure-name', HTMLElement));
    this.#say(`${problem.title}. ${problem.detail}`);
  }

  #edit() {
    if (this.#fromFile) this.#writing.fill(this.#fromFile.paragraphs);
    this.#fromFile = null;
    this.#findings = null;
    this.#readingArea.hidden = true;
    this.#writing.show(true);
    this.#put(welcome(this.#guidebook, this.#pack));
  }

  /** Moves focus to a part of the report, and on a narrow screen the report to the top. @param {HTMLElement} element */
  #show(element) {
    element.focus({ preventScroll: true });
    if (matchMedia('(max-width: 60rem)').matches) this.#report.scrollIntoView({ block: 'start' });
  }

  /** @param {...HTMLElement} elements */
  #put(...elements) {
    this.#failure?.stop();
    this.#panel.replaceChildren(...elements);
    this.#report.scrollTop = 0;
  }

  /** @param {Stage} stage */
  #speakStage(stage) {
    const { title, detail } = stageInWords(stage, (id) => this.#guidebook.get(id)?.title ?? id);
    if (stage.phase !== 'running' || !stage.total) return this.#say(`${title}. ${detail}`);
    const quarter = Math.floor((SPOKEN_QUARTERS * stage.done) / stage.total);
    this.#say(`${title}: ${Math.round((100 * quarter) / SPOKEN_QUARTERS)} per cent done.`);
  }

  /** @param {string} text */
  #say(text) {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}

/** @param {Report} report */
function reportInWords(report) {
  if (!report.score || !report.band) return 'Nothing could be checked.';
  const partial = report.status === 'partial' ? ' Not everything was checked.' : '';
  return `Score ${number(report.score.value)} of 100, ${BANDS[report.band].toLowerCase()}; ${findingsInWords(report)}.${partial}`;
}

await new Desk().start();
