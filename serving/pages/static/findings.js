import { bringIntoView, make } from './dom.js';
import { guidanceOf } from './guidebook.js';
import { GRAVEST_FIRST, METHODS, SEVERITIES, counted } from './words.js';

/**
 * @import { Guidebook } from './guidebook.js'
 * @import { Finding, Report, Severity } from './wire.js'
 *
 * What the rest of the page wants to know.
 * @typedef {{onSelect: (finding: number) => void, onFilter: (severity: Severity | null) => void}} Listeners
 */

const QUOTE_CHARACTERS = 160;

/** The cards, one for each finding, in reading order; one of them may be selected. */
export class Findings {
  /** @type {number | null} */
  #selected = null;
  /** @type {Severity | null} */
  #severity = null;

  /** @param {Report} report @param {Guidebook} guidebook @param {Listeners} listeners */
  constructor(report, guidebook, listeners) {
    this.#findings = report.findings;
    this.#listeners = listeners;
    const titles = new Map(report.outcomes.map((outcome) => [outcome.guideline, outcome.title]));
    this.#cards = report.findings.map((finding, index) => this.#card(finding, index, titles, guidebook));
    this.#chips = [null, ...GRAVEST_FIRST].map((severity) => this.#chip(severity));
    this.#place = make('span', { class: 'place' });
    this.#list = make('ol', { class: 'cards' }, ...this.#cards);
    this.#list.addEventListener('keydown', (event) => this.#onKey(event));
    this.element = make(
      'section',
      { class: 'findings', 'aria-labelledby': 'findings-name' },
      make(
        'div',
        { class: 'findings-bar' },
        make('h3', { id: 'findings-name' }, 'Findings'),
        this.#steps(),
        this.#filters(),
      ),
      this.#list,
    );
    this.#draw();
  }

  /** @type {Finding[]} */ #findings;
  /** @type {Listeners} */ #listeners;
  /** @type {HTMLElement[]} */ #cards;
  /** @type {HTMLElement[]} */ #chips;
  /** @type {HTMLElement} */ #place;
  /** @type {HTMLElement} */ #list;

  /** Selects a card that is shown under the current filter, or clears the filter. @param {number} finding @param {{focus: boolean}} options */
  select(finding, { focus }) {
    if (this.#severity && this.#findings[finding]?.severity !== this.#severity) this.#filter(null);
    this.#selected = finding;
    this.#draw();
    const card = this.#cards[finding];
    if (!card) return;
    if (focus) card.querySelector('button')?.focus({ preventScroll: true });
    bringIntoView(card, 'nearest');
  }

  /** Goes to the next finding, or the previous one for -1, around the ends. @param {1 | -1} step */
  step(step) {
    const shown = this.#shown();
    if (!shown.length) return;
    const at = this.#selected === null ? -1 : shown.indexOf(this.#selected);
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length;
    this.#pick(/** @type {number} */ (shown[next]), true);
  }

  #shown() {
    return this.#findings.flatMap((finding, index) => (!this.#severity || finding.severity === this.#severity ? [index] : []));
  }

  /** @param {number} finding @param {boolean} focus */
  #pick(finding, focus) {
    this.select(finding, { focus });
    this.#listeners.onSelect(finding);
  }

  /** @param {Severity | null} severity */
  #filter(severity) {
    this.#severity = severity;
    this.#listeners.onFilter(severity);
    this.#draw();
  }

  #draw() {
    const shown = this.#shown();
    this.#cards.forEach((card, index) => {
      card.hidden = !shown.includes(index);
      if (index === this.#selected) card.setAttribute('aria-current', 'true');
      else card.removeAttribute('aria-current');
    });
    for (const chip of this.#chips) chip.setAttribute('aria-pressed', String((chip.dataset.severity ?? '') === (this.#severity ?? '')));
    const at = this.#selected === null ? -1 : shown.indexOf(this.#selected);
    this.#place.textContent = at < 0 ? '' : `${at + 1} of ${shown.length}`;
  }

  /** Arrow keys walk through the cards. @param {KeyboardEvent} event */
  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.step(step > 0 ? 1 : -1);
  }

  #filters() {
    return make('div', { class: 'chips', role: 'group', 'aria-label': 'Show findings of one severity' }, ...this.#chips);
  }

  /** @param {Severity | null} severity */
  #chip(severity) {
    const count = this.#findings.filter((finding) => !severity || finding.severity === severity).length;
    const { many, sign } = severity ? SEVERITIES[severity] : { many: 'All', sign: '' };
    return make(
      'button',
      { type: 'button', class: `chip ${severity ?? ''}`, 'data-severity': severity ?? '', disabled: count === 0, onclick: () => this.#filter(severity) },
      sign ? make('span', { class: 'sign', 'aria-hidden': 'true' }, sign) : null,
      many,
      make('span', { class: 'count' }, String(count)),
    );
  }

  #steps() {
    return make(
      'div',
      { class: 'steps' },
      this.#place,
      make('button', { type: 'button', class: 'quiet', title: 'Previous finding (Shift+F8)', 'aria-label': 'Previous finding', onclick: () => this.step(-1) }, '↑'),
      make('button', { type: 'button', class: 'quiet', title: 'Next finding (F8)', 'aria-label': 'Next finding', onclick: () => this.step(1) }, '↓'),
    );
  }

  /** @param {Finding} finding @param {number} index @param {Map<string, string>} titles @param {Guidebook} guidebook */
  #card(finding, index, titles, guidebook) {
    const { one, sign } = SEVERITIES[finding.severity];
    const rule = make('div', { class: 'rule', id: `rule-${index}`, hidden: true }, guidanceOf(guidebook, finding.guideline));
    const pick = (/** @type {Event} */ event) => {
      if (event.target instanceof Element && !event.target.closest('.why, .rule')) this.#pick(index, true);
    };
    return make(
      'li',
      { class: `card ${finding.severity}`, onclick: pick },
      make('h4', {}, make('button', { type: 'button', class: 'title' }, titles.get(finding.guideline) ?? finding.guideline)),
      make('p', { class: 'severity' }, make('span', { class: 'sign', 'aria-hidden': 'true' }, sign), one),
      make('p', { class: 'words' }, make('q', {}, shortened(finding.quote)), ...suggestionsOf(finding)),
      make('p', { class: 'message' }, finding.message),
      make('p', { class: 'method' }, METHODS[finding.method]),
      whyButton(rule),
      rule,
    );
  }
}

/** What to write instead, next to the words themselves. @param {Finding} finding */
function suggestionsOf({ suggestions }) {
  if (!suggestions.length) return [];
  const arrow = make('span', { class: 'arrow' }, make('span', { 'aria-hidden': 'true' }, '→'), make('span', { class: 'unseen' }, 'instead:'));
  return [arrow, ...suggestions.map((suggestion) => make('ins', {}, suggestion || 'leave it out'))];
}

/** Opens and closes the text of the guideline. @param {HTMLElement} rule */
function whyButton(rule) {
  const button = make('button', { type: 'button', class: 'why', 'aria-expanded': 'false', 'aria-controls': rule.id }, 'Why');
  button.addEventListener('click', () => {
    rule.hidden = !rule.hidden;
    button.setAttribute('aria-expanded', String(!rule.hidden));
  });
  return button;
}

/** A long quote by its two ends. @param {string} quote */
function shortened(quote) {
  const characters = [...quote];
  if (characters.length <= QUOTE_CHARACTERS) return quote;
  const half = QUOTE_CHARACTERS / 2;
  return `${characters.slice(0, half).join('').trimEnd()} … ${characters.slice(-half).join('').trimStart()}`;
}

/** "3 findings: 1 breach, 2 warnings", for the status line. @param {Report} report */
export function inWords(report) {
  const parts = GRAVEST_FIRST.map((severity) => {
    const count = report.findings.filter((finding) => finding.severity === severity).length;
    const { one, many } = SEVERITIES[severity];
    return count ? counted(count, one.toLowerCase(), many.toLowerCase()) : '';
  }).filter(Boolean);
  return parts.length ? `${counted(report.findings.length, 'finding')}: ${parts.join(', ')}` : 'nothing to fix';
}
