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
 * @property {number} paragraph where it begins, as the paragraphs were sent
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
 * @typedef {{start: number, end: number, text: string, kind: ParagraphKind, level: number, origin: number}} Paragraph
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
 * @property {number} kept verdicts on paragraphs that stood from earlier checks
 * @property {number} seconds
 *
 * @typedef {{job_id: string, report: Report, text: string, paragraphs: Paragraph[], feedback?: Feedback[]}} Result
 *
 * What an editor says of a finding, and what became of it.
 * @typedef {'false-alarm' | 'not-in-this-context' | 'style-choice' | 'quotation' | 'house-exception' | 'other'} Reason
 * @typedef {{finding: string, action: 'accept' | 'dismiss', reason?: Reason, comment?: string}} Decision
 * @typedef {{finding: string, state: 'accepted' | 'dismissed' | 'dismissed-pending' | 'dismissed-declined', reason: Reason | null, comment: string, by: string, at: string}} Feedback
 * @typedef {{score: Score | null, band: Band | null, feedback: Feedback[]}} Decided
 *
 * Part of a guideline's findings that people who judged them held to be right, with its interval.
 * @typedef {{value: number, low: number, high: number, findings: number} | null} Precision
 * @typedef {{guideline: string, precision: Precision}} Figure
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
 * @typedef {{status: JobStatus, position?: number | null, done?: number | null, total?: number | null, checked?: string[]}} Progress
 */
export {};
