import { Unreachable } from './api.js';

/**
 * @import { Api, Submission } from './api.js'
 * @import { Job, Progress, Result } from './wire.js'
 *
 * Where a check stands.
 * @typedef {{phase: 'submitting'}
 *   | {phase: 'queued', job: Job, position: number | null}
 *   | {phase: 'running', job: Job, done: number, total: number, checked: string[]}
 *   | {phase: 'away', job: Job}
 *   | {phase: 'done', job: Job, result: Result}} Stage
 */

const FIRST_WAIT_MS = 150;
const LONGEST_WAIT_MS = 1000; // asking, not a stream: gateways that hold streams back are common, and the place in the queue moves without an event
const PATIENCE = 30; // questions without an answer, about half a minute, before giving up

/**
 * Submits an article and follows its job to the result.
 * @param {Api} api
 * @param {Submission} submission
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Stage, void>} throws Problem or Unreachable
 */
export async function* check(api, submission, signal) {
  yield { phase: 'submitting' };
  yield* follow(api, await api.submit(submission, signal), signal);
}

/**
 * Follows a job that was submitted before; a server that is away for a moment doesn't end it.
 * @param {Api} api
 * @param {Job} job
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Stage, void>} throws Problem or Unreachable
 */
export async function* follow(api, job, signal) {
  let wait = FIRST_WAIT_MS;
  let missed = 0;
  while (true) {
    try {
      const progress = await api.status(job, signal);
      missed = 0;
      if (progress.status !== 'queued' && progress.status !== 'running') break;
      yield stageOf(job, progress);
    } catch (error) {
      if (!(error instanceof Unreachable) || ++missed > PATIENCE) throw error;
      yield { phase: 'away', job };
    }
    await pause(wait, signal);
    wait = Math.min(wait * 1.4, LONGEST_WAIT_MS);
  }
  yield { phase: 'done', job, result: await api.result(job, signal) };
}

/** @param {Job} job @param {Progress} progress @returns {Stage} */
function stageOf(job, progress) {
  if (progress.status === 'queued') return { phase: 'queued', job, position: progress.position ?? null };
  const { done, total, checked } = progress;
  return { phase: 'running', job, done: done ?? 0, total: total ?? 0, checked: checked ?? [] };
}

/** Waits, or less when the network comes back. @param {number} milliseconds @param {AbortSignal} signal */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const settled = new AbortController();
    const finish = (/** @type {() => void} */ how) => {
      clearTimeout(timer);
      settled.abort();
      how();
    };
    const timer = setTimeout(() => finish(() => resolve(undefined)), milliseconds);
    addEventListener('online', () => finish(() => resolve(undefined)), { signal: settled.signal });
    signal.addEventListener('abort', () => finish(() => reject(signal.reason)), { signal: settled.signal });
  });
}
