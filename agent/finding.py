"""A finding: a guideline broken at exact words, with what to do about it."""

import hashlib
import unicodedata
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.article import Article

CONTEXT_CHARACTERS = 32


class Severity(StrEnum):
    """How grave a broken guideline is. A breach keeps an article from green."""

    ADVICE = "advice"
    WARNING = "warning"
    BREACH = "breach"


class Method(StrEnum):
    """How a guideline was checked."""

    MODEL = "model"  # a language model read the article
    PATTERN = "pattern"  # by patterns, as the guideline or the version says
    FALLBACK = "fallback"  # by patterns, because the version's model was down


class Finding(BaseModel):
    """Offsets are code points in the article's text, end exclusive: `text[start:end] == quote`."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    severity: Severity
    start: int
    end: int
    quote: str
    paragraph: int  # index of the paragraph of its first character in the document it came from
    message: str
    suggestions: tuple[str, ...] = ()  # replacements for the quote, best first
    method: Method
    fingerprint: str  # the same after a re-check of the same words in the same context


def normalised(quote: str) -> str:
    """A quote as fingerprints see it: NFKC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", quote).casefold().split())


def fingerprint(guideline: str, article: Article, start: int, end: int) -> str:
    """Guideline, normalised quote and the words around it in its paragraph, as 16 hex digits.

    Edits elsewhere leave it as it is, and so do changes of case or white space in the quote.
    """
    paragraph = article.paragraph_at(start)
    before = article.text[max(paragraph.start, start - CONTEXT_CHARACTERS) : start]
    after = article.text[end : min(max(paragraph.end, end), end + CONTEXT_CHARACTERS)]
    parts = (guideline, normalised(article.text[start:end]), normalised(before), normalised(after))
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:16]


def make_finding(
    article: Article,
    start: int,
    end: int,
    *,
    guideline: str,
    severity: Severity,
    message: str,
    method: Method,
    suggestions: tuple[str, ...] = (),
) -> Finding:
    """A finding on `article.text[start:end]`; raises ValueError when that is empty or outside the text."""
    if not 0 <= start < end <= len(article.text):
        raise ValueError(f"a finding needs 0 <= start < end <= {len(article.text)}, got {start}..{end}")
    return Finding(
        guideline=guideline,
        severity=severity,
        start=start,
        end=end,
        quote=article.text[start:end],
        paragraph=article.paragraph_at(start).origin,
        message=message,
        suggestions=suggestions,
        method=method,
        fingerprint=fingerprint(guideline, article, start, end),
    )
