/// <reference types="office-js" />
import { newKey } from './api.js';

/**
 * @import { DocumentPort, Passage } from './document.js'
 * @import { ParagraphKind } from './wire.js'
 */

const SETTING = 'copydesk.document';

/** @param {string} version of WordApi */
export const has = (version) => Office.context.requirements.isSetSupported('WordApi', version);

/** The document in Word, by WordApi 1.3: what a check needs of it.
 * @implements {DocumentPort} */
export class WordDocument {
  channel = /** @type {const} */ ('word');

  /** A random name kept in the file's settings: its path would tell too much, and changes. */
  async identity() {
    const { settings } = Office.context.document;
    const known = settings.get(SETTING);
    if (typeof known === 'string' && known) return known;
    const made = `word-${newKey()}`;
    settings.set(SETTING, made);
    await new Promise((resolve) => settings.saveAsync(resolve)); // a file that can't be written keeps it for this session
    return made;
  }

  read() {
    return Word.run(async (context) => (await paragraphsOf(context)).passages);
  }

  selected() {
    return Word.run(async (context) => {
      const selection = context.document.getSelection();
      selection.load({ text: true });
      const { paragraphs } = await paragraphsOf(context);
      if (!selection.text) return [];
      const relations = paragraphs.map((paragraph) => paragraph.getRange(Word.RangeLocation.whole).compareLocationWith(selection));
      await context.sync();
      return relations.flatMap(({ value }, index) => (/^(?:Equal|Contains|Inside|Overlaps)/.test(value) ? [index] : []));
    });
  }

  async editing() {
    const { WordEditing } = await import('./word-editing.js');
    return new WordEditing();
  }
}

/** All paragraphs, as Word's and as the pane's: without what is deleted, where the host can tell. @param {Word.RequestContext} context */
export async function paragraphsOf(context) {
  const ids = has('1.6');
  const { paragraphs } = context.document.body;
  const wanted = { text: true, styleBuiltIn: true, isListItem: true, tableNestingLevel: true };
  paragraphs.load(ids ? { ...wanted, uniqueLocalId: true } : wanted);
  await context.sync();
  const { items } = paragraphs;
  const texts = has('1.4') ? items.map((paragraph) => paragraph.getReviewedText(Word.ChangeTrackingVersion.current)) : [];
  if (texts.length) await context.sync();
  /** @type {Passage[]} */
  const passages = items.map((paragraph, at) => {
    const text = texts[at]?.value ?? paragraph.text;
    return { id: ids ? paragraph.uniqueLocalId : '', text, ...kindOf(paragraph) };
  });
  return { paragraphs: items, passages };
}

/** @param {Word.Paragraph} paragraph @returns {{kind: ParagraphKind, level: number, unread?: boolean}} */
function kindOf({ styleBuiltIn, isListItem, tableNestingLevel }) {
  if (/^Toc[1-9]$/.test(styleBuiltIn)) return { kind: 'text', level: 0, unread: true };
  const level = Number(/^Heading([1-6])$/.exec(styleBuiltIn)?.[1] ?? (styleBuiltIn === 'Title' ? 1 : 0));
  if (tableNestingLevel > 0) return { kind: 'table', level: 0 };
  if (level) return { kind: 'heading', level };
  if (isListItem) return { kind: 'list', level };
  return { kind: /Quote$/.test(styleBuiltIn) ? 'quote' : 'text', level };
}
