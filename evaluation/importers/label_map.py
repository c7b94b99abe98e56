"""Which guideline each label of an export belongs to."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from agent.guideline import ID_PATTERN
from evaluation.labels import LabelError


class LabelMap:
    """Guidelines by label. Without a mapping each label has to be a guideline's id itself."""

    def __init__(self, guidelines: Mapping[str, str | None] | None = None) -> None:
        self._guidelines = guidelines

    def leaves_out(self, label: str) -> bool:
        """Whether the mapping says that this label is not wanted."""
        return self._guidelines is not None and label in self._guidelines and self._guidelines[label] is None

    def guideline(self, label: str) -> str | None:
        """The guideline's id, or None for a label of no guideline."""
        if self._guidelines is not None:
            return self._guidelines.get(label)
        return label if re.fullmatch(ID_PATTERN, label) else None

    def way_out(self, label: str) -> str:
        """What to do about a label of no guideline."""
        if self._guidelines is not None:
            return f"label {label!r} is not in the mapping: add it, with null to leave it out"
        return f"label {label!r} is no guideline's id: name a mapping with --map"


def read_label_map(path: Path) -> LabelMap:
    """Reads `label: guideline-id` or `label: null` a line. Raises LabelError."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabelError(f"{str(path)!r} can't be read as a mapping of labels: {error}") from error
    if not isinstance(values, dict) or not values:
        raise LabelError(f'{str(path)!r} is no mapping of labels: write a line "label: guideline-id" for each')
    for label, guideline in values.items():
        named = isinstance(guideline, str) and re.fullmatch(ID_PATTERN, guideline)
        if not isinstance(label, str) or not (guideline is None or named):
            raise LabelError(
                f"{str(path)!r} maps {label!r} to {guideline!r}: both are text, quoted where YAML reads them as "
                "something else, and the second is a guideline's id or null"
            )
    return LabelMap(values)
