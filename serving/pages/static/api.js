/** @import { Guidelines, Job, Progress, Result } from './wire.js' */

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
 * An article as the page sends it; the API takes two submissions of one key for the same.
 * @typedef {({document: object} | {file: File}) & {key: string}} Submission
 */

/** The part of the API this page uses. */
export class Api {
  /** @param {Submission} submission @param {AbortSignal} signal @returns {Promise<Job>} */
  async submit(submission, signal) {
    const { body, headers } = 'file' in submission ? upload(submission.file) : json(submission.document);
    const request = { method: 'POST', signal, body, headers: { ...headers, 'Idempotency-Key': submission.key } };
    return read(await send('/api/v1/compliance/check', request));
  }

  /** @param {Job} job @param {AbortSignal} signal @returns {Promise<Progress>} */
  async status(job, signal) {
    return read(await send(job.links.status, { signal }));
  }

  /** @param {Job} job @param {AbortSignal} signal @returns {Promise<Result>} */
  async result(job, signal) {
    return read(await send(job.links.result, { signal }));
  }

  /** Nobody waits for it any more. @param {Job} job */
  async cancel(job) {
    return read(await send(`/api/v1/jobs/${encodeURIComponent(job.job_id)}`, { method: 'DELETE' }));
  }

  /** @returns {Promise<Guidelines>} */
  async guidelines() {
    return read(await send('/api/v1/guidelines', {}));
  }
}

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
