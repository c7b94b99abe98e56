"""Log lines as JSON for whoever collects them, or as text for a person.

No line holds an article: our own messages don't, and of an unforeseen exception, whose text may quote the value it
stumbled over, a line has the type and the place.
"""

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from pydantic_settings import BaseSettings, SettingsConfigDict
from pythonjsonlogger.json import JsonFormatter

from agent.errors import CopydeskError
from serving.about import about

if TYPE_CHECKING:
    from rich.console import Console

# They tell of each plugin, of each call to the blob store with all its headers, of each callback with its address, that
# may hold a secret, and of each call to the model.
TALKATIVE = ("alembic.runtime.plugins", "azure", "httpx", "httpx2")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="COPYDESK_")

    log_format: Literal["json", "text", ""] = ""  # empty: text, and JSON for a service that no person watches


def set_up_logs(format: Literal["json", "text"], level: int, console: "Callable[[], Console]") -> None:
    """For the whole process, to standard error; text to the console that is asked for then."""
    handler: logging.Handler
    if format == "json":
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLine())
    else:
        from rich.logging import RichHandler  # a service that logs JSON keeps 3 MB less

        handler = RichHandler(console=console(), show_path=False)
        handler.setFormatter(TextLine("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class JsonLine(JsonFormatter):
    """Fields time, level, logger, message and, where there are, request_id, trace_id, job_id, attempt and error."""

    def __init__(self) -> None:
        super().__init__(
            "%(message)s %(levelname)s %(name)s",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "error"},
            json_ensure_ascii=False,
        )

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        super().add_fields(log_data, record, message_dict)
        present = about()
        said = {"request_id": present.request_id, "trace_id": present.trace_id, "job_id": present.job_id}
        log_data.update((name, value) for name, value in said.items() if value)
        if present.attempt:
            log_data["attempt"] = present.attempt

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's own name
        return where(ei)


class TextLine(logging.Formatter):
    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's own name
        return where(ei)


def where(failure: _ExcInfo) -> str:
    """An exception and what led to it: types and places, and the texts of those whose text is written for people."""
    return "\n".join(_steps(failure[1]))


def _steps(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        yield f"{name}: {error}" if isinstance(error, CopydeskError | OSError) else name
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
