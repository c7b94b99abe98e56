"""What the present work is about, so that every log line of it says so: in the API, its threads and the worker."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from random import getrandbits

_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class About:
    """Never of whom or of which text."""

    request_id: str = ""
    trace_parent: str = ""  # W3C Trace Context of the present span
    job_id: str = ""
    attempt: int = 0

    @property
    def trace_id(self) -> str:
        """The same in the API and in the worker, whether traces are recorded or not."""
        return self.trace_parent[3:35]


NOTHING = About()
_present: ContextVar[About] = ContextVar("about", default=NOTHING)


def about() -> About:
    return _present.get()


def begin(present: About) -> None:
    """For the rest of this task, and for what it starts."""
    _present.set(present)


@contextmanager
def regarding(present: About) -> Iterator[None]:
    """Within the block, and for what is started in it."""
    token = _present.set(present)
    try:
        yield
    finally:
        _present.reset(token)


def within(trace_parent: str) -> "About":
    """The present work, in another span."""
    return replace(about(), trace_parent=trace_parent)


def sound_trace_parent(given: str) -> str:
    """A `traceparent` header as it is, or nothing where it is none (W3C Trace Context, version 00)."""
    return given if _TRACE_PARENT.fullmatch(given) else ""


def new_trace_parent() -> str:
    """A trace of its own that nobody records. The ids must be rare, not secret."""
    return f"00-{getrandbits(128) or 1:032x}-{getrandbits(64) or 1:016x}-00"
