"""What became of things that another side was to be told, MLflow or a client. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PutOff:
    """Why something is done later, or no more."""

    reason: str
    blocked: bool = False  # nothing gets through: the other side doesn't answer, lets nobody in, or we can't sign


@dataclass(frozen=True, slots=True)
class Telling:
    """One try to tell of something."""

    of: str  # the job, or the message of a callback
    put_off: PutOff | None = None  # None: it is told


@dataclass(frozen=True, slots=True)
class Tally:
    """What several came to."""

    done: int = 0
    put_off: tuple[PutOff, ...] = ()

    @property
    def blocked(self) -> bool:
        return any(each.blocked for each in self.put_off)
