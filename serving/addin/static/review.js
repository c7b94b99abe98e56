/**
 * @import { Feedback, Finding, Reason, Severity } from './wire.js'
 *
 * What was written instead, and how the finding's words lay around it.
 * @typedef {{was: string, lead: number, length: number}} Edit
 *
 * A finding and what the editor has made of it. `gone`: its words have changed since the check; `whole`: they lie in one paragraph.
 * @typedef {object} Item
 * @property {string} key
 * @property {Finding} finding
 * @property {'open' | 'replaced' | 'dismissed'} state
 * @property {Reason | null} reason
 * @property {boolean} pending dismissed, but it counts until somebody approves
 * @property {boolean} gone
 * @property {boolean} whole
 * @property {Edit | null} edit
 */

/** The findings of one check on their way from open to done. */
export class Review {
  /** @type {Severity | null} */
  filter = null;

  /** @param {Finding[]} findings @param {Feedback[]} feedback */
  constructor(findings, feedback) {
    /** @type {Item[]} */
    this.items = findings.map((finding, index) => ({
      key: String(index),
      finding,
      state: 'open',
      reason: null,
      pending: false,
      gone: false,
      whole: true,
      edit: null,
    }));
    this.told(feedback);
  }

  /** What the service knows of dismissals, of this check or an earlier one of the document. @param {Feedback[]} feedback */
  told(feedback) {
    const known = new Map(feedback.map((one) => [one.finding, one]));
    for (const item of this.items) {
      const one = known.get(item.finding.fingerprint);
      if (!one || item.state === 'replaced') continue;
      item.state = one.state === 'dismissed' || one.state === 'dismissed-pending' ? 'dismissed' : 'open';
      item.pending = one.state === 'dismissed-pending';
      item.reason = one.reason ?? null;
    }
  }

  /** A decision was taken back: for every finding of equal words in equal surroundings, as the service counts them. @param {Item} item */
  reopen({ finding }) {
    for (const one of this.items) {
      if (one.finding.fingerprint !== finding.fingerprint || one.state === 'replaced') continue;
      Object.assign(one, { state: 'open', pending: false, reason: null });
    }
  }

  /** Open and not filtered away, in reading order. */
  get shown() {
    return this.items.filter(({ state, finding }) => state === 'open' && (!this.filter || finding.severity === this.filter));
  }

  get handled() {
    return this.items.filter(({ state }) => state !== 'open');
  }

  /** @param {Severity | null} severity */
  count(severity) {
    return this.items.filter(({ state, finding }) => state === 'open' && (!severity || finding.severity === severity)).length;
  }

  /** Open ones of the same guideline on the same words with the same way out, itself included. @param {Item} item */
  like(item) {
    const trait = (/** @type {Item} */ { finding }) => JSON.stringify([finding.guideline, finding.quote, finding.suggestions]);
    return this.items.filter((other) => other.state === 'open' && trait(other) === trait(item));
  }

  /** The one to go on with when these are done. @param {Item[]} done */
  after(done) {
    const last = Math.max(...done.map((item) => this.items.indexOf(item)));
    const left = this.shown.filter((item) => !done.includes(item));
    return left.find((item) => this.items.indexOf(item) > last) ?? left.at(-1) ?? null;
  }
}
