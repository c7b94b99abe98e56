"""Sentence case and title case."""

import regex

# Up to a fifth of a heading's words may have a capital without being known as names.
SENTENCE_CASE_SHARE = 0.8
_PIECE = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}.'’&/-]*|[:;.!?–—-]")
_SMALL = {
    "AP": "a an and as at but by for if in nor of off on or per so the to up via vs yet".split(),
    "Chicago": (
        "a about above across after against along among an and around as at before behind below between but by "
        "during except for from in inside into near nor of off on onto or out over past per since so than the "
        "through to toward under until up upon via vs with within without yet"
    ).split(),
}


def is_sentence_case(text: str, *, exceptions: tuple[str, ...] = (), indicators: tuple[str, ...] = ()) -> bool:
    """The first word has a capital and at least SENTENCE_CASE_SHARE of all words are as they should be.

    Words of capitals only, with digits or inner capitals, and exceptions are fine anywhere, and so
    is any capital after an indicator (":").
    """
    pieces = _PIECE.findall(text)
    words = right = 0
    for position, piece in enumerate(pieces):
        if not piece[0].isalnum():
            continue
        words += 1
        if words == 1 and piece[0].islower() and piece == piece.lower() and piece not in exceptions:
            return False
        begins = words == 1 or pieces[position - 1] in indicators
        right += begins or piece[1:] != piece[1:].lower() or piece[0] == piece[0].lower() or piece in exceptions
        right += piece == "I"
    return not words or right / words >= SENTENCE_CASE_SHARE


def is_title_case(text: str, *, style: str = "AP", exceptions: tuple[str, ...] = ()) -> bool:
    """Every word has a capital but small ones, which have one only as first or last."""
    words = [piece for piece in _PIECE.findall(text) if piece[0].isalnum()]
    small = _SMALL[style]
    for position, word in enumerate(words):
        if word in exceptions or not word[0].isalpha() or word[1:] != word[1:].lower():
            continue
        edge = position in (0, len(words) - 1)
        if word.lower() in small and not edge:
            if word[0].isupper():
                return False
        elif word[0].islower():
            return False
    return True
