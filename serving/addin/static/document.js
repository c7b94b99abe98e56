/**
 * @import { ParagraphKind, Severity } from './wire.js'
 *
 * What the pane knows of a document, in Word and in the browser. Offsets are UTF-16 units in a paragraph.
 *
 * A paragraph as it stands now; `id` stays with it while the document is open, and is empty where the host has none.
 * One that is `unread`, as a line of a table of contents, isn't checked.
 * @typedef {{id: string, text: string, kind: ParagraphKind, level: number, unread?: boolean}} Passage
 *
 * Exact words of the document, or a caret where start and end are one.
 * @typedef {{index: number, start: number, end: number, quote: string}} Place
 *
 * What is to stand there instead.
 * @typedef {Place & {text: string}} Change
 *
 * Looks for a place in the paragraphs as they are when the host acts; null: these words aren't there any more.
 * @typedef {(passages: Passage[]) => Place | null} FindPlace
 * @typedef {(passages: Passage[]) => Change | null} FindChange
 *
 * @typedef {{key: string, severity: Severity, current: boolean, find: FindPlace}} Mark
 *
 * What a check needs of a document.
 * @typedef {object} DocumentPort
 * @property {'word' | 'page'} channel
 * @property {() => Promise<string>} identity of the document, the same when it is opened again
 * @property {() => Promise<Passage[]>} read
 * @property {() => Promise<number[]>} selected the paragraphs that the selection touches; none for a mere caret
 * @property {() => Promise<Editing>} editing fetched when it is first asked for
 *
 * What its findings need. Each act answers false, and does nothing, where the words it is about are gone.
 * @typedef {object} Editing
 * @property {{track: boolean, comment: boolean}} can what the host does beyond plain replacing
 * @property {(find: FindPlace) => Promise<boolean>} reveal
 * @property {(find: FindChange) => Promise<boolean>} replace
 * @property {(find: FindChange) => Promise<boolean>} restore takes a replacement back
 * @property {(find: FindPlace, note: string) => Promise<boolean>} comment
 * @property {(marks: Mark[]) => Promise<void>} mark shows where findings stand, if the host can
 * @property {(tell: () => void) => Promise<void>} onChange
 * @property {(pick: (key: string) => void) => Promise<void>} onPick a mark was clicked
 */
export {};
