"""What is new about a document's findings since an earlier check, and why. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.article import Article
from agent.finding import CONTEXT_CHARACTERS, Finding, normalised


class Note(StrEnum):
    """Why a finding wasn't raised before."""

    NEW_RULE = "new rule"  # the version that checked before doesn't have the guideline
    CHANGED_RULE = "changed rule"  # it has, in other words
    CHANGED_TEXT = "changed text"  # the words, or those around them, weren't there


@dataclass(frozen=True, slots=True)
class Before:
    """The check before."""

    rules: Mapping[str, str]  # guideline -> digest, of all that its version has
    checked: frozenset[str]  # guidelines with a verdict
    found: frozenset[str]  # fingerprints
    text: str


def notes(before: Before, rules: Mapping[str, str], findings: Iterable[Finding], article: Article) -> dict[str, Note]:
    """Fingerprint -> note; `rules` are those of the version that checks now, `article` what it read.

    A finding without a note was there before, or is one that the guideline missed then: the same rule on the same
    words may come out otherwise where a model reads them, or wasn't asked for, or failed.
    """
    text = normalised(before.text)
    found: dict[str, Note] = {}
    for finding in findings:
        if finding.fingerprint in before.found:
            continue
        if note := _note(before, rules, finding, article, text):
            found[finding.fingerprint] = note
    return found


def _note(before: Before, rules: Mapping[str, str], finding: Finding, article: Article, text: str) -> Note | None:
    """A rule that is new is new whatever the text; words that are new no changed rule brought about."""
    earlier = before.rules.get(finding.guideline)
    if earlier is None:
        return Note.NEW_RULE
    if _passage(finding, article) not in text:
        return Note.CHANGED_TEXT
    changed = earlier != rules.get(finding.guideline) and finding.guideline in before.checked
    return Note.CHANGED_RULE if changed else None


def _passage(finding: Finding, article: Article) -> str:
    """The words with what their fingerprint has of those around them."""
    paragraph = article.paragraph_at(finding.start)
    start = max(paragraph.start, finding.start - CONTEXT_CHARACTERS)
    end = min(max(paragraph.end, finding.end), finding.end + CONTEXT_CHARACTERS)
    return normalised(article.text[start:end])
