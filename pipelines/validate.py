"""Whether a labelled set is sound enough to judge by."""

from agent.guideline import GuidelinePack
from evaluation.labels import LabelError, LabelledSet


def require_sound(labelled: LabelledSet, pack: GuidelinePack) -> None:
    """Raises LabelError for a set that must not judge a version of this pack."""
    if unknown := [id for id in labelled.guidelines if id not in pack.by_id]:
        raise LabelError(
            f"set {labelled.name!r} has labels of guideline {unknown[0]!r}, which pack {pack.name!r} doesn't have"
        )
