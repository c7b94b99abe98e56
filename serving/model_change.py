"""Whether what answers for a version is what answered when it was evaluated. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from agent.check import AnsweredBy


class ExpiresOn(StrEnum):
    """Which change of what answers ends a version's evidence."""

    MODEL = "model"  # another model id: the deployment names something else by now
    FINGERPRINT = "fingerprint"  # also another configuration of the same model, which providers change often


@dataclass(frozen=True, slots=True)
class Change:
    """What answers now and didn't then."""

    models: tuple[AnsweredBy, ...]  # under another model id
    fingerprints: tuple[AnsweredBy, ...]  # the same model id with another fingerprint
    promoted: tuple[AnsweredBy, ...]

    @property
    def new(self) -> tuple[AnsweredBy, ...]:
        return (*self.models, *self.fingerprints)

    def ends(self, on: ExpiresOn) -> bool:
        """Whether the evidence doesn't hold any more."""
        return bool(self.models) or (on is ExpiresOn.FINGERPRINT and bool(self.fingerprints))

    def __str__(self) -> str:
        return f"{_listed(self.new)} answered, evaluated was {_listed(self.promoted)}"


def change_of(promoted: tuple[AnsweredBy, ...], answered: Iterable[AnsweredBy]) -> Change | None:
    """None where nothing is new, or where nobody knows what answered then: the version was never evaluated."""
    if not promoted:
        return None
    models = {each.model for each in promoted}
    new = [each for each in dict.fromkeys(answered) if each not in promoted]
    if not new:
        return None
    return Change(
        models=tuple(each for each in new if each.model not in models),
        fingerprints=tuple(each for each in new if each.model in models),
        promoted=promoted,
    )


def named(answered: AnsweredBy) -> str:
    """As people read it: the model's id, and its fingerprint in brackets where the provider tells one."""
    return f"{answered.model} ({answered.fingerprint})" if answered.fingerprint else answered.model


def _listed(answered: Iterable[AnsweredBy]) -> str:
    return ", ".join(map(named, answered))
