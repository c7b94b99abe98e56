/**
 * Makes an element. `text` and children are text nodes, never markup: what is shown comes from articles.
 * Properties that begin with "on" are listeners, `true` is an empty attribute, null and false leave one out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** @param {string} text @param {() => void} onclick @param {Record<string, unknown>} [properties] */
export const button = (text, onclick, properties = {}) => make('button', { type: 'button', onclick, ...properties }, text);

/** For those who hear the page. @param {string} text */
export const unseen = (text) => make('span', { class: 'unseen' }, text);

/** A shape for each severity, so that nothing is told by colour alone. @param {string} severity */
export const sign = (severity) => make('span', { class: `sign ${severity}`, 'aria-hidden': 'true' });

/**
 * The element of an id, which the page must have.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} with id "${id}"`);
  return element;
}
