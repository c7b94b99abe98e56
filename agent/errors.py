"""Every failure the agent anticipates.

CopydeskError
├── ArticleError
│   ├── EmptyArticle           nothing to check
│   ├── ContentTooLarge        over the limit of characters or bytes
│   └── UnsupportedDocument    a file that can't be read as an article
├── PackError                  mistakes in a guideline pack, each with file and line
├── UnknownGuideline           an id the pack doesn't have
└── ModelError                 the model endpoint answered badly or not at all

Each message names the value and the way out. `type` is the stable name under which the failure
crosses the wire (RFC 9457) and appears in logs.
"""

from dataclasses import dataclass
from typing import ClassVar


class CopydeskError(Exception):
    """An anticipated failure whose text is written to the person who can mend it."""

    type: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    outage: ClassVar[bool] = False  # something that is needed is away: the same may go well as soon as it is back


class ArticleError(CopydeskError):
    """The article can't be checked as it was given."""

    type = "invalid-article"
    status = 422


class EmptyArticle(ArticleError):
    """There is no prose in the article."""

    type = "empty-article"


class ContentTooLarge(ArticleError):
    """The article has more characters, or its file more bytes, than the limit."""

    type = "content-too-large"
    status = 413


class UnsupportedDocument(ArticleError):
    """The file is not an article that can be read: wrong kind, broken, or not text."""

    type = "unsupported-document"
    status = 415


@dataclass(frozen=True, slots=True)
class PackProblem:
    """One mistake in a guideline pack."""

    file: str
    line: int  # 1-based
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class PackError(CopydeskError):
    """A guideline pack has mistakes; nothing of it is loaded."""

    type = "invalid-pack"

    def __init__(self, folder: str, problems: tuple[PackProblem, ...]) -> None:
        self.folder = folder
        self.problems = problems
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__("\n".join([f"pack {folder!r} has {count}; nothing was loaded", *map(str, problems)]))


class UnknownGuideline(CopydeskError):
    """A guideline id that the pack doesn't have."""

    type = "unknown-guideline"
    status = 422


class ModelError(CopydeskError):
    """The model endpoint failed: `type` of the outcome is in `reason`."""

    type = "model-error"
    status = 502

    def __init__(self, reason: str, message: str, *, retry_after: float | None = None) -> None:
        self.reason = reason
        self.retry_after = retry_after  # seconds the endpoint asks to wait
        self.retries = 0  # how often the call was tried again before this
        super().__init__(message)
