/** @import { Band, Method, Reason, Severity } from './wire.js' */

/** @type {Record<Severity, {one: string, many: string}>} */
export const SEVERITIES = {
  breach: { one: 'Breach', many: 'Breaches' },
  warning: { one: 'Warning', many: 'Warnings' },
  advice: { one: 'Advice', many: 'Advice' },
};

/** @type {Severity[]} */
export const GRAVEST_FIRST = ['breach', 'warning', 'advice'];

/** @type {Record<Band, string>} */
export const BANDS = { green: 'In good shape', amber: 'Needs another look', red: 'Needs work' };

/** @type {Record<Method, string>} */
export const METHODS = {
  model: 'read by the model',
  pattern: 'checked by patterns',
  fallback: 'checked by patterns while the model was away',
};

/** @type {Record<Reason, string>} */
export const REASONS = {
  'false-alarm': 'False alarm',
  'not-in-this-context': 'Not in this context',
  'style-choice': 'A choice of style',
  quotation: 'It is a quotation',
  'house-exception': 'The house makes an exception',
  other: 'Another reason',
};

/** To a tenth, thousands set off. By hand, because Intl takes 40 ms to come up. @param {number} value */
export const number = (value) => String(Math.round(value * 10) / 10).replace(/\B(?=(?:\d{3})+(?!\d))/, ',');

/** @param {number} count @param {string} one @param {string} many */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** "attribution-of-numbers" or "sourcing" as a heading. @param {string} name */
export const asHeading = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');

/** A long quote by its two ends. @param {string} quote */
export function shortened(quote) {
  const characters = [...quote];
  if (characters.length <= 160) return quote;
  return `${characters.slice(0, 80).join('').trimEnd()} … ${characters.slice(-80).join('').trimStart()}`;
}
