/**
 * What crosses the wire, as types. Offsets are code points, end exclusive.
 *
 * @typedef {'advice' | 'warning' | 'breach'} Severity
 * @typedef {'model' | 'pattern' | 'fallback'} Method
 * @typedef {'green' | 'amber' | 'red'} Band
 * @typedef {'clear' | 'findings' | 'not_applicable' | 'failed' | 'not_checked'} Verdict
 * @typedef {'heading' | 'text' | 'list' | 'quote' | 'table'} ParagraphKind
 *
 * @typedef {object} Finding
 * @property {string} guideline
 * @property {Severity} severity
 * @property {number} start
 * @property {number} end
 * @property {string} quote
 * @property {string} message
 * @property {string[]} suggestions
 * @property {Method} method
 * @property {string} fingerprint
 *
 * @typedef {{guideline: string, findings: number, points: number, score: number}} Contribution
 * @typedef {{value: number, average: number, minimum: number, contributions: Contribution[]}} Score
 *
 * @typedef {object} Outcome
 * @property {string} guideline
 * @property {string} title
 * @property {string} category
 * @property {Severity} severity
 * @property {Verdict} verdict
 * @property {Method | null} method
 * @property {string} reason
 *
 * @typedef {object} Version
 * @property {string} name
 * @property {string} number
 * @property {string} digest
 * @property {string} pack
 * @property {string} evidence
 *
 * @typedef {{title: string, language: string, words: number, characters: number}} Facts
 * @typedef {{start: number, text: string, kind: ParagraphKind, level: number}} Paragraph
 *
 * @typedef {object} Report
 * @property {'complete' | 'partial' | 'failed'} status
 * @property {Score | null} score
 * @property {Band | null} band
 * @property {Facts} article
 * @property {Version} version
 * @property {Finding[]} findings
 * @property {Outcome[]} outcomes
 * @property {number} unanchored
 * @property {string[]} remarks
 * @property {number} seconds
 *
 * @typedef {{report: Report, text: string, paragraphs: Paragraph[]}} Result
 *
 * @typedef {object} Guideline
 * @property {string} id
 * @property {string} title
 * @property {string} category
 * @property {Severity} severity
 * @property {string} guidance
 * @property {string[]} violations
 * @property {string[]} compliant
 *
 * @typedef {{pack: string, version: string, guidelines: Guideline[]}} Guidelines
 *
 * @typedef {'queued' | 'running' | 'completed' | 'partial' | 'failed' | 'cancelled'} JobStatus
 * @typedef {{job_id: string, status: JobStatus, links: {status: string, result: string}}} Job
 * @typedef {{status: JobStatus, position?: number | null, done?: number | null, total?: number | null, guideline?: string | null}} Progress
 */
export {};
