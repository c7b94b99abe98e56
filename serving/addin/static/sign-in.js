import { Problem, ask } from './api.js';
import { make } from './dom.js';

/**
 * How one signs in here, as the server says.
 * @typedef {object} Settings
 * @property {'none' | 'key' | 'entra'} auth
 * @property {string} client the application's id in Entra
 * @property {string} authority
 * @property {string} scope
 * @property {string} msal where Microsoft's library is loaded from
 */

const EARLY_SECONDS = 60; // a session is renewed so long before it ends
const LONGEST_TIMER_SECONDS = 24 * 3600;

/** Who asks. The token is in this object and nowhere else: closing the pane signs out. */
export class SignIn {
  #token = '';
  #timer = 0;

  /** @param {Settings} settings @param {() => Promise<string>} loginHint whom the host knows, for Entra */
  constructor(settings, loginHint) {
    this.settings = settings;
    this.#loginHint = loginHint;
  }

  /** @type {() => Promise<string>} */ #loginHint;

  get needed() {
    return !this.#token;
  }

  /** What a request says of who sends it. @returns {Record<string, string>} */
  get headers() {
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** By an API key, or for Entra by Microsoft's library; `ask` lets that open its window.
   * @param {string} key @param {boolean} ask throws Problem and Unreachable */
  async enter(key, ask) {
    if (this.settings.auth === 'entra') await this.#withEntra(ask);
    else await this.#begin(key);
  }

  /** Asks who it is. @param {(key: string) => void} onSignIn @param {string} refused */
  form(onSignIn, refused) {
    const byKey = this.settings.auth === 'key';
    const key = make('input', { type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'refused' });
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      onSignIn(key.value.trim());
      key.value = '';
    };
    return make('form', { class: 'signing', onsubmit: submit, 'aria-labelledby': 'signing' },
      make('h2', { id: 'signing', tabindex: '-1' }, 'Sign in'),
      byKey && make('label', { for: 'key' }, 'API key'),
      byKey && key,
      make('p', { id: 'refused', class: refused ? 'problem' : 'small' }, refused || 'You stay signed in until this pane is closed.'),
      make('button', { class: 'primary' }, byKey ? 'Sign in' : 'Sign in with Microsoft'));
  }

  /** @param {boolean} ask */
  async #withEntra(ask) {
    const { token, seconds } = await this.#entra(ask);
    try {
      await this.#begin(token);
    } catch (error) {
      if (!(error instanceof Problem && error.type === 'no-session')) throw error;
      this.#keep(token, seconds); // a service without sessions takes Entra's tokens themselves
    }
  }

  forget() {
    clearTimeout(this.#timer);
    this.#token = '';
  }

  /** A session for a credential, or the next one for a session's token. @param {string} credential */
  async #begin(credential) {
    const { token, expires_in } = await ask('/api/v1/session', { method: 'POST', headers: { Authorization: `Bearer ${credential}` } });
    this.#keep(token, expires_in);
  }

  /** @param {string} token @param {number} seconds */
  #keep(token, seconds) {
    this.#token = token;
    clearTimeout(this.#timer);
    const wait = Math.min(Math.max(seconds - EARLY_SECONDS, seconds / 2), LONGEST_TIMER_SECONDS);
    this.#timer = setTimeout(() => this.#renew(), wait * 1000);
  }

  /** What can't be renewed ends: the next request is refused, and the pane asks to sign in. */
  async #renew() {
    try {
      await this.enter(this.#token, false);
    } catch (error) {
      console.warn('the session could not be renewed', error);
    }
  }

  /** @param {boolean} ask @returns {Promise<{token: string, seconds: number}>} */
  async #entra(ask) {
    const { client, authority, scope, msal } = this.settings;
    const { createNestablePublicClientApplication } = await import(msal);
    const application = await createNestablePublicClientApplication({
      auth: { clientId: client, authority },
      cache: { cacheLocation: 'memoryStorage' },
    });
    const request = { scopes: [scope], loginHint: await this.#loginHint() };
    const got = await application.ssoSilent(request).catch((/** @type {unknown} */ error) => {
      if (!ask) throw error;
      return application.acquireTokenPopup(request);
    });
    return { token: got.accessToken, seconds: (got.expiresOn - Date.now()) / 1000 };
  }
}
