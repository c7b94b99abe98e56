/// <reference types="office-js" />
import { byId, make } from './dom.js';
import { paneFor } from './pane.js';
import { WordDocument } from './word-document.js';

const root = byId('pane', HTMLElement);

/** What can't work here, and what to do. @param {string} title @param {string} detail */
function refuse(title, detail) {
  root.append(make('section', { class: 'failure' }, make('h2', {}, title), make('p', {}, detail)));
}

/** Word tells its theme and not when it changes, so it is looked up again when the pane is shown. */
function followTheme() {
  const dark = Office.context.officeTheme?.isDarkTheme;
  if (dark !== undefined) document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
}

/** Whom Word knows, so that Microsoft's sign-in needs no window. */
async function loginHint() {
  const { auth } = /** @type {{auth?: {getAuthContext?: () => Promise<{userPrincipalName?: string}>}}} */ (/** @type {unknown} */ (Office));
  return (await auth?.getAuthContext?.())?.userPrincipalName ?? '';
}

async function start() {
  if (!('Office' in globalThis)) return refuse('Word’s library could not be loaded', 'The pane needs appsforoffice.microsoft.com. Check the connection and open the pane again.');
  const { host } = await Office.onReady();
  if (host !== Office.HostType.Word) return refuse('This pane works in Word', 'Open it in Word from the Review tab. Without Word, the same pane stands beside an article at this service’s first page.');
  if (!Office.context.requirements.isSetSupported('WordApi', '1.3')) return refuse('This Word is too old', 'Copydesk needs Word 2019 or newer, Word on the web, or Word for iPad or Mac.');
  followTheme();
  document.addEventListener('visibilitychange', followTheme);
  const pane = await paneFor(root, new WordDocument(), loginHint);
  await pane?.start();
}

await start();
document.documentElement.dataset.ready = 'true';
