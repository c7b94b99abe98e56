import { newKey } from './api.js';

/**
 * @import { Submission } from './api.js'
 * @import { Settled } from './desk.js'
 * @import { DocumentPort, Passage } from './document.js'
 * @import { Paragraph, Result } from './wire.js'
 *
 * What is sent, and how what comes back lies in the document.
 * @typedef {{submission: Submission, settle: (result: Result) => Promise<Settled>, selection: boolean}} Errand
 */

/** The document as it stands, or the paragraphs that the selection touches; null: there is nothing to check.
 * @param {DocumentPort} doc @param {boolean} selection @returns {Promise<Errand | null>} */
export async function errandOf(doc, selection) {
  const passages = await doc.read();
  const chosen = selection ? await doc.selected() : passages.map((_, index) => index);
  const sent = chosen.flatMap((index) => passages[index] ?? []);
  if (!sent.some(({ text }) => text.trim())) return null;
  const document = { ...articleOf(sent, passages), document_id: await doc.identity(), channel: doc.channel };
  const settle = async () => ({ passages, at: (/** @type {Paragraph} */ { origin }) => chosen[origin] ?? -1 });
  return { submission: { document, key: newKey() }, settle, selection };
}

/** What is sent of a document: offsets in a paragraph hold here and there, because each character is one.
 * @param {Passage[]} sent @param {Passage[]} all */
function articleOf(sent, all) {
  const first = all.find(({ text }) => text.trim());
  return {
    article: { paragraphs: sent.map(({ text, kind, level, unread }) => ({ text: unread ? '' : wireText(text), kind, level })) },
    title: first?.kind === 'heading' ? wireText(first.text).slice(0, 1000) : '',
  };
}

/** Word's own characters as the service knows them; U+FFFC stands for footnote marks and pictures. @param {string} text */
function wireText(text) {
  return text.replace(/\x1e/g, '-').replace(/\x1f/g, '\u00ad').replace(/[\0-\x08\x0e-\x1d]/g, '\ufffc');
}
