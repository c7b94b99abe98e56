"""What a request asks, read as a credulous model would read it."""

import html
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

LINE_BREAKS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
PARAGRAPH = re.compile(r"(?P<mark>\[\d+\]|\(\d+\)) (?P<text>.*)", re.DOTALL)
TITLE = "[title] "
ELLIPSIS = "[...]"
GUIDELINE = re.compile(r"(?m)^Guideline (\S+)$")
TAGS = range(0xE0020, 0xE007F)  # characters that spell ASCII unseen


@dataclass(frozen=True)
class Question:
    """The parts of a request as its frame gives them, and the text that got out of the frame."""

    guidelines: tuple[str, ...]
    paragraphs: dict[int, str]  # number -> text, of those asked about and of those shown for context
    asked: tuple[int, ...]
    title: str
    escaped: str  # what a reader would take for something else than the article
    deployment: str = ""  # that is asked

    @classmethod
    def of(cls, request: dict[str, Any]) -> "Question":
        system, article, guidelines = (message["content"] for message in request["messages"])
        read = _Reader(article).question(tuple(GUIDELINE.findall(guidelines)), beside=f"{system}\n{guidelines}")
        return replace(read, deployment=str(request.get("model", "")))

    @cached_property
    def text(self) -> str:
        return "\n".join(self.paragraphs.values())


class _Reader:
    def __init__(self, message: str) -> None:
        self._lines = LINE_BREAKS.split(message)
        self._paragraphs: dict[int, str] = {}
        self._asked: list[int] = []
        self._title = ""
        self._escaped: list[str] = []

    def question(self, guidelines: tuple[str, ...], *, beside: str) -> Question:
        inside = False
        for line in self._lines:
            seen = _as_seen(line)
            if not inside or "</article" in seen:
                self._escaped.append(line)
                inside = "<article>" in seen and "</article" not in seen
            else:
                self._take(line)
        escaped = "\n".join(filter(None, (*self._escaped, beside)))
        return Question(guidelines, self._paragraphs, tuple(self._asked), self._title, escaped)

    def _take(self, line: str) -> None:
        self._escaped.append("".join(chr(ord(c) - 0xE0000) for c in line if ord(c) in TAGS))
        if line.startswith(TITLE) and not self._paragraphs:
            self._title = html.unescape(line.removeprefix(TITLE))
        elif (found := PARAGRAPH.fullmatch(line)) and self._comes_next(int(found["mark"][1:-1])):
            number = int(found["mark"][1:-1])
            self._paragraphs[number] = html.unescape(found["text"])
            if found["mark"].startswith("["):
                self._asked.append(number)
        elif line != ELLIPSIS:
            self._escaped.append(line)  # no line of the frame: it must be something else

    def _comes_next(self, number: int) -> bool:
        return number > max(self._paragraphs, default=0)


def _as_seen(line: str) -> str:
    """A line as it looks: compatibility forms folded, what can't be seen and white space left out."""
    folded = unicodedata.normalize("NFKC", line).casefold()
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc", "Mn") and not c.isspace())
