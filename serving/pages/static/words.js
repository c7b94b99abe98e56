/** @import { Band, Method, Severity } from './wire.js' */

/** Gravest first. A sign goes with each colour, so that nothing is told by colour alone.
 * @type {Record<Severity, {one: string, many: string, sign: string}>} */
export const SEVERITIES = {
  breach: { one: 'Breach', many: 'Breaches', sign: '◆' },
  warning: { one: 'Warning', many: 'Warnings', sign: '▲' },
  advice: { one: 'Advice', many: 'Advice', sign: '●' },
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

const numbers = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });

/** @param {number} value */
export const number = (value) => numbers.format(value);

/** @param {number} count @param {string} one @param {string} many */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** "attribution-of-numbers" or "sourcing" as a heading. @param {string} name */
export const asHeading = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ');

/** @param {string} text */
export const countWords = (text) => text.split(/\s+/).filter(Boolean).length;
