import { button, make, sign, unseen } from './dom.js';
import { GRAVEST_FIRST, REASONS, SEVERITIES, counted, number, shortened } from './words.js';

/**
 * @import { Item, Review } from './review.js'
 * @import { Reason, Severity } from './wire.js'
 *
 * What the editor wants done.
 * @typedef {object} Wishes
 * @property {(item: Item) => void} reveal
 * @property {(items: Item[], text: string) => void} replace
 * @property {(items: Item[], reason: Reason, comment: string) => void} dismiss
 * @property {(item: Item) => void} comment
 * @property {(items: Item[]) => void} undo
 * @property {() => void} filtered
 * @property {() => void} listed what is done is shown, so that the latest needs no way back of its own
 *
 * What cards can offer, and the words for it.
 * @typedef {object} Means
 * @property {boolean} dismiss
 * @property {boolean} comment
 * @property {(guideline: string) => string} titleOf
 * @property {(item: Item) => HTMLElement} reasonOf
 */

const SUGGESTIONS = 3; // offered at once
const FIRST_CARDS = 12; // as many as a tall pane shows, made before the first is shown; the others come right after

/** A card for each open finding, one of them open itself; what is done is listed below. */
export class Cards {
  /** @type {Item | null} */
  current = null;
  /** @type {Map<Item, HTMLLIElement>} */
  #cards = new Map();
  #list = make('ol', { class: 'cards', 'aria-labelledby': 'findings' });
  #place = make('span', { class: 'small', id: 'place' });
  #none = make('p', { class: 'none' });
  #handled = make('div', {});
  #handledOpen = false;

  /** @param {Review} review @param {Means} means @param {Wishes} wishes */
  constructor(review, means, wishes) {
    this.#review = review;
    this.#means = means;
    this.#wishes = wishes;
    this.#chips = [null, ...GRAVEST_FIRST].map((severity) => this.#chip(severity));
    this.#list.addEventListener('keydown', (event) => this.#onKey(event));
    const steps = make('div', { class: 'row' }, this.#place,
      button('', () => this.step(-1), { class: 'icon up', 'aria-label': 'Previous finding', title: 'Previous finding (Shift+F8)' }),
      button('', () => this.step(1), { class: 'icon down', 'aria-label': 'Next finding', title: 'Next finding (F8)' }));
    this.element = make('section', { class: 'findings', 'aria-labelledby': 'findings' },
      make('div', { class: 'head' },
        make('div', { class: 'row' }, make('h2', { id: 'findings', tabindex: '-1' }, 'Findings'), steps),
        make('div', { class: 'chips', role: 'group', 'aria-label': 'Show findings of one severity' }, ...this.#chips)),
      this.#list, this.#none, this.#handled);
    this.#build(FIRST_CARDS);
    setTimeout(() => {
      this.#build(review.items.length);
      this.draw();
    });
  }

  /** @type {Review} */ #review;
  /** @type {Means} */ #means;
  /** @type {Wishes} */ #wishes;
  /** @type {HTMLButtonElement[]} */ #chips;

  /** Makes the cards that are still missing up to a number of them, yet to be drawn. @param {number} number */
  #build(number) {
    for (const item of this.#review.items.slice(this.#cards.size, number)) {
      const card = this.#card(item);
      this.#cards.set(item, card);
      this.#list.append(card);
    }
  }

  /** Opens a card. @param {Item | null} item @param {boolean} focus @param {boolean} [show] whether it is scrolled to */
  open(item, focus, show = true) {
    if (item && this.#review.filter && item.finding.severity !== this.#review.filter) this.#filter(null);
    if (this.current && this.current !== item) this.#cards.get(this.current)?.querySelector('.body')?.remove();
    this.current = item;
    if (item && !this.#cards.has(item)) this.#build(this.#review.items.length);
    this.draw();
    const card = item && this.#cards.get(item);
    if (!item || !card) {
      if (focus) this.element.querySelector('h2')?.focus();
      return;
    }
    if (!card.querySelector('.body')) card.append(this.#body(item));
    if (focus) card.querySelector('button')?.focus({ preventScroll: true });
    if (!show) return;
    card.scrollIntoView({ block: 'nearest' });
    if (card.offsetHeight > innerHeight / 3) card.scrollIntoView({ block: 'start' }); // a tall one by its title
  }

  /** Goes to the next finding, or the previous one for -1, around the ends. @param {1 | -1} step */
  step(step) {
    const { shown } = this.#review;
    const at = this.current ? shown.indexOf(this.current) : -1;
    const item = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : (at + step + shown.length) % shown.length];
    if (item) this.#pick(item);
  }

  draw() {
    const { shown, handled, filter } = this.#review;
    const visibles = new Set(shown);
    for (const [item, card] of this.#cards) {
      const visible = visibles.has(item);
      if (card.hidden === visible) card.hidden = !visible;
      card.classList.toggle('gone', item.gone);
      if (item === this.current) card.setAttribute('aria-current', 'true');
      else card.removeAttribute('aria-current');
    }
    this.#chips.forEach((chip, at) => this.#drawChip(chip, [null, ...GRAVEST_FIRST][at] ?? null));
    const at = this.current ? shown.indexOf(this.current) : -1;
    this.#place.textContent = at < 0 ? '' : `${number(at + 1)} of ${number(shown.length)}`;
    this.#none.textContent = shown.length ? '' : filter ? 'Nothing of this kind is left.' : 'Nothing is left to decide.';
    this.#none.hidden = shown.length > 0;
    this.#handled.replaceChildren(...(handled.length ? [this.#handledView(handled)] : []));
  }

  /** @param {Item} item */
  #pick(item) {
    this.open(item, true);
    this.#wishes.reveal(item);
  }

  /** @param {Severity | null} severity */
  #filter(severity) {
    this.#review.filter = severity;
    this.draw();
    this.#wishes.filtered();
  }

  /** Arrow keys walk from title to title. @param {KeyboardEvent} event */
  #onKey(event) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!(event.target instanceof Element && event.target.matches('.title'))) return;
    event.preventDefault();
    this.step(step);
  }

  /** @param {Severity | null} severity */
  #chip(severity) {
    return make('button', { type: 'button', class: 'chip', onclick: () => this.#filter(severity) },
      make('span', { class: 'count' }, severity && sign(severity), make('b', {})),
      make('span', {}, severity ? SEVERITIES[severity].many : 'All'));
  }

  /** @param {HTMLButtonElement} chip @param {Severity | null} severity */
  #drawChip(chip, severity) {
    const count = this.#review.count(severity);
    const number_ = chip.querySelector('b');
    if (number_) number_.textContent = number(count);
    const pressed = this.#review.filter === severity;
    chip.disabled = count === 0 && !pressed;
    chip.setAttribute('aria-pressed', String(pressed));
  }

  /** @param {Item} item */
  #card(item) {
    const { finding } = item;
    const title = make('button', { type: 'button', class: 'title' }, sign(finding.severity), make('span', {}, this.#means.titleOf(finding.guideline), unseen(`, ${SEVERITIES[finding.severity].one}`)));
    const pick = (/** @type {Event} */ event) => {
      if (event.target instanceof Element && !event.target.closest('.body')) this.#pick(item);
    };
    return make('li', { class: `card ${finding.severity}`, onclick: pick }, make('h3', {}, title), make('p', { class: 'words' }, make('q', {}, shortened(finding.quote))));
  }

  /** What an open card shows. @param {Item} item */
  #body(item) {
    const { finding } = item;
    const body = make('div', { class: 'body' });
    const like = this.#review.like(item).length;
    const all = make('input', { type: 'checkbox' });
    const chosen = () => (all.checked ? this.#review.like(item) : [item]);
    const texts = item.whole ? finding.suggestions.slice(0, SUGGESTIONS) : [];
    const replacing = texts.map((text, at) =>
      button(text ? `Replace with “${shortened(text)}”` : 'Leave out', () => this.#wishes.replace(chosen(), text), { class: at ? 'replace' : 'replace primary' }));
    const asking = make('div', { class: 'asking', hidden: true });
    const dismiss = button('Dismiss', () => this.#ask(asking, dismiss, chosen), { 'aria-expanded': 'false' });
    const rule = make('div', { hidden: true });
    const why = button('Why', () => {
      if (!rule.hasChildNodes()) rule.append(this.#means.reasonOf(item));
      rule.hidden = !rule.hidden;
      why.setAttribute('aria-expanded', String(!rule.hidden));
    }, { class: 'subtle', 'aria-expanded': 'false' });
    body.append(
      make('p', { class: 'message-text' }, finding.message),
      make('p', { class: 'changed' }, 'These words have changed since the check.'),
      ...(like > 1 ? [make('label', { class: 'like' }, all, `All ${number(like)} like this`)] : []),
      ...replacing,
      make('div', { class: 'row actions' },
        this.#means.dismiss && dismiss,
        this.#means.comment && button('Comment', () => this.#wishes.comment(item)),
        why),
      asking, rule);
    return body;
  }

  /** The reasons for a dismissal, in the card itself. @param {HTMLElement} asking @param {HTMLButtonElement} opener @param {() => Item[]} chosen */
  #ask(asking, opener, chosen) {
    asking.hidden = !asking.hidden;
    opener.setAttribute('aria-expanded', String(!asking.hidden));
    if (asking.hidden) return;
    const comment = make('input', { type: 'text', maxlength: '500', 'aria-label': 'Your reason', placeholder: 'Your reason' });
    const other = make('form', { class: 'row', hidden: true, onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#wishes.dismiss(chosen(), 'other', comment.value.trim());
    } }, comment, make('button', { class: 'primary' }, 'Dismiss'));
    const reasons = /** @type {[Reason, string][]} */ (Object.entries(REASONS)).map(([reason, text]) =>
      button(text, () => {
        if (reason !== 'other') return this.#wishes.dismiss(chosen(), reason, '');
        other.hidden = false;
        comment.focus();
      }, { class: 'reason' }));
    asking.replaceChildren(make('p', { class: 'small' }, 'Why do you dismiss it?'), ...reasons, other);
    asking.onkeydown = ({ key }) => {
      if (key !== 'Escape') return;
      this.#ask(asking, opener, chosen);
      opener.focus();
    };
    reasons[0]?.focus();
  }

  /** @param {Item[]} handled */
  #handledView(handled) {
    const of = (/** @type {Item['state']} */ state) => handled.filter((item) => item.state === state).length;
    const parts = [of('replaced') && `${number(of('replaced'))} replaced`, of('dismissed') && `${number(of('dismissed'))} dismissed`].filter(Boolean);
    const view = make('details', { class: 'handled', open: this.#handledOpen },
      make('summary', {}, parts.join(', ')),
      make('ul', {}, ...handled.map((item) => this.#handledRow(item))),
      handled.length > 1 && button('Undo all', () => this.#wishes.undo(handled)));
    view.addEventListener('toggle', () => {
      if (view.open && !this.#handledOpen) this.#wishes.listed();
      this.#handledOpen = view.open;
    });
    return view;
  }

  /** @param {Item} item */
  #handledRow(item) {
    const { finding, state, reason, pending } = item;
    const how = state === 'replaced' ? 'Replaced' : `Dismissed${reason ? `: ${REASONS[reason].toLowerCase()}` : ''}${pending ? '; waits for approval and counts until then' : ''}`;
    return make('li', { class: 'row' },
      make('div', {}, make('q', {}, shortened(finding.quote)), make('p', { class: 'small' }, `${this.#means.titleOf(finding.guideline)}. ${how}.`)),
      button('Undo', () => this.#wishes.undo([item]), { class: 'subtle', 'aria-label': `Undo: ${shortened(finding.quote)}` }));
  }
}

/** "3 findings: 1 breach, 2 warnings", for the status line. @param {Review} review */
export function findingsInWords(review) {
  const parts = GRAVEST_FIRST.map((severity) => {
    const { one, many } = SEVERITIES[severity];
    const count = review.count(severity);
    return count && counted(count, one.toLowerCase(), many.toLowerCase());
  }).filter(Boolean);
  return parts.length ? `${counted(review.count(null), 'finding')}: ${parts.join(', ')}` : 'nothing to fix';
}
