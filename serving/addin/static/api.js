/**
 * The only module that speaks to the service.
 *
 * @import { SignIn } from './sign-in.js'
 * @import { Decided, Decision, Figure, Guidelines, Job, Precision, Progress, Result } from './wire.js'
 */

/** The API's answer to what it can't do (RFC 9457): a title, a detail, and when to come back. */
export class Problem extends Error {
  /** @param {{title: string, detail: string, type?: string, status?: number, retryAfter?: number}} problem */
  constructor({ title, detail, type = '', status = 0, retryAfter = 0 }) {
    super(detail);
    this.title = title;
    this.detail = detail;
    this.type = type;
    this.status = status;
    /** Seconds to wait before another try; 0 when the API doesn't say. */
    this.retryAfter = retryAfter;
  }
}

/** Nothing answered: the network or the server is away. */
export class Unreachable extends Error {}

/**
 * An article as it is sent; the API takes two submissions of one key for the same.
 * @typedef {({document: object} | {file: File}) & {key: string}} Submission
 */

export class Api {
  /** @param {SignIn | null} signIn null: nobody needs to */
  constructor(signIn) {
    this.#signIn = signIn;
  }

  /** @type {SignIn | null} */ #signIn;

  /** @param {Submission} submission @param {AbortSignal} signal @returns {Promise<Job>} */
  submit(submission, signal) {
    const { body, headers } = 'file' in submission ? upload(submission.file) : json(submission.document);
    return this.#ask('/api/v1/compliance/check', { method: 'POST', signal, body, headers: { ...headers, 'Idempotency-Key': submission.key } });
  }

  /** @param {Job} job @param {AbortSignal} signal @returns {Promise<Progress>} */
  status(job, signal) {
    return this.#ask(job.links.status, { signal });
  }

  /** @param {Job} job @param {AbortSignal} signal @returns {Promise<Result>} */
  result(job, signal) {
    return this.#ask(job.links.result, { signal });
  }

  /** Nobody waits for it any more. @param {Job} job */
  cancel(job) {
    return this.#ask(jobPath(job), { method: 'DELETE' });
  }

  /** @returns {Promise<Guidelines>} */
  guidelines() {
    return this.#ask('/api/v1/guidelines', {});
  }

  /** How often each guideline's findings were right; nothing for those who may not see it, or where nobody decided.
   * @param {string} version its number @returns {Promise<Map<string, Precision>>} */
  async precisions(version) {
    try {
      const { figures } = await this.#ask(`/api/v1/guidelines/figures?version=${encodeURIComponent(version)}`, {});
      return new Map(figures.map((/** @type {Figure} */ one) => [one.guideline, one.precision]));
    } catch (error) {
      if (error instanceof Problem) return new Map();
      throw error;
    }
  }

  /** @param {string} job @param {Decision[]} decisions @returns {Promise<Decided>} */
  decide(job, decisions) {
    const { body, headers } = json(decisions);
    return this.#ask(`${jobPath({ job_id: job })}/feedback`, { method: 'POST', body, headers });
  }

  /** @param {string} job @param {string} finding a fingerprint @returns {Promise<Decided>} */
  undecide(job, finding) {
    return this.#ask(`${jobPath({ job_id: job })}/feedback/${encodeURIComponent(finding)}`, { method: 'DELETE' });
  }

  /** @param {string} url @param {RequestInit} request */
  async #ask(url, request) {
    const response = await send(url, { ...request, headers: { ...request.headers, ...this.#signIn?.headers } });
    if (response.status === 401) this.#signIn?.forget();
    return read(response);
  }
}

/** @param {{job_id: string}} job */
const jobPath = (job) => `/api/v1/jobs/${encodeURIComponent(job.job_id)}`;

/** @param {object} document */
function json(document) {
  return { body: JSON.stringify(document), headers: { 'Content-Type': 'application/json' } };
}

/** @param {File} file */
function upload(file) {
  const body = new FormData();
  body.append('file', file);
  body.append('channel', 'page');
  return { body, headers: {} };
}

/** A request of nobody in particular. @param {string} url @param {RequestInit} request */
export async function ask(url, request) {
  return read(await send(url, request));
}

/** A key no other submission has; `crypto.randomUUID` would need a secure context. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16).padStart(8, '0')).join('');
}

/** @param {string} url @param {RequestInit} request */
async function send(url, request) {
  try {
    return await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...request });
  } catch (error) {
    if (request.signal?.aborted) throw error;
    throw new Unreachable(`no answer from ${url}`, { cause: error });
  }
}

/** @param {Response} response */
async function read(response) {
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** @param {Response} response */
async function problemOf(response) {
  const kind = response.headers.get('Content-Type') ?? '';
  const body = kind.includes('json') ? await response.json() : {};
  return new Problem({
    title: body.title ?? 'The check could not be done',
    detail: body.detail ?? `The server answered ${response.status} ${response.statusText}.`,
    type: body.type ?? '',
    status: response.status,
    retryAfter: secondsOf(response.headers.get('Retry-After')),
  });
}

/** Retry-After is seconds or a date. @param {string | null} value */
export function secondsOf(value) {
  if (!value) return 0;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

/** What to tell a person about a failure. @param {unknown} error @returns {Problem} */
export function problemFrom(error) {
  if (error instanceof Problem) return error;
  if (error instanceof Unreachable) {
    return new Problem({
      title: navigator.onLine ? 'The server does not answer' : 'You are offline',
      detail: 'Nothing is lost: the article is still here. Try again when the connection is back.',
      type: 'unreachable',
    });
  }
  console.error(error);
  return new Problem({ title: 'Something went wrong in the pane', detail: error instanceof Error ? error.message : String(error) });
}
