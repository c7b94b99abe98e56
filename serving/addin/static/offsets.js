const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

/** Code points on the wire, UTF-16 code units in JavaScript: the only place here that converts. */
export class Utf16Offsets {
  /** Positions of the characters that take two units, in code points. @type {number[]} */
  #wide;

  /** @param {string} text */
  constructor(text) {
    this.#wide = Array.from(text.matchAll(PAIRS), ({ index }, before) => index - before);
    /** The text's length in code points; a lone surrogate counts as one, as it does in Python. */
    this.length = text.length - this.#wide.length;
  }

  /** The UTF-16 offset of a code-point offset. @param {number} codePoints */
  units(codePoints) {
    if (!Number.isInteger(codePoints) || codePoints < 0 || codePoints > this.length) {
      throw new RangeError(`offset must be in 0..${this.length} code points, got ${codePoints}`);
    }
    return codePoints + this.#wideBefore(codePoints);
  }

  /** How many wide characters start before a code-point offset. @param {number} codePoints */
  #wideBefore(codePoints) {
    let low = 0;
    let high = this.#wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {number} */ (this.#wide[middle]) < codePoints) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
