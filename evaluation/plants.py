"""Plants: sentences with a known violation, or with words that only look like one, to be set into clean articles.

A file of plants belongs to one guideline and one split. `[[ ]]` marks the words that an editor would underline; slots
like {topic} are filled from the article that a plant lands in.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent.errors import CopydeskError

_MARKED = re.compile(r"\[\[(.+?)\]\]", re.DOTALL)
_SLOT = re.compile(r"\{(\w+)\}")
SLOTS = ("topic", "place", "organisation", "person")
REGISTERS = ("news", "feature", "interview", "press-release", "service", "opinion", "blog")


class PlantError(CopydeskError):
    """A file of plants, or of an article to plant into, has a mistake."""

    type = "invalid-plants"


class Place(StrEnum):
    """Where in an article a plant stands."""

    SENTENCE = "sentence"  # at the end of a paragraph
    PARAGRAPH = "paragraph"  # a paragraph of its own between others
    END = "end"  # a paragraph of its own at the end
    HEADING = "heading"
    LIST = "list"


class Plant(BaseModel):
    """One realisation of a violation, or one hard negative."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    place: Place = Field(default=Place.SENTENCE, alias="in")
    not_in: tuple[str, ...] = ()  # registers in which the guideline doesn't hold

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, value: Any) -> Any:  # noqa: ANN401 - as the YAML has it
        return {"text": value} if isinstance(value, str) else value

    @field_validator("text")
    @classmethod
    def _marked_once(cls, text: str) -> str:
        if len(_MARKED.findall(text)) != 1 or text.count("[[") != 1 or text.count("]]") != 1:
            raise ValueError("mark exactly one stretch of the text by [[ ]]")
        if unknown := sorted(set(_SLOT.findall(text)) - set(SLOTS)):
            raise ValueError(f"slot {{{unknown[0]}}} is none of {', '.join(SLOTS)}")
        if "\n" in text or text != text.strip():
            raise ValueError("a plant is one line without white space around it")
        return text

    @field_validator("not_in")
    @classmethod
    def _known(cls, registers: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(registers) - set(REGISTERS)):
            raise ValueError(f"register {unknown[0]!r} is none of {', '.join(REGISTERS)}")
        return registers

    @property
    def marked(self) -> str:
        """The marked words, with their slots unfilled."""
        return _MARKED.findall(self.text)[0]  # type: ignore[no-any-return]


class Plants(BaseModel):
    """All plants of a guideline in one split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    guideline: str
    not_in: tuple[str, ...] = ()  # for all plants of the file
    violations: tuple[Plant, ...] = Field(min_length=1)
    negatives: tuple[Plant, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Filled:
    """A plant's text as it goes into an article, and where in it the marked words are."""

    text: str
    start: int
    end: int


def fill(plant: Plant, slots: dict[str, str]) -> Filled:
    """Puts a plant's slots in; one that begins a sentence gets a capital."""
    text = plant.text
    for match in reversed(list(_SLOT.finditer(text))):
        value = slots[match[1]]
        before = text[: match.start()].removesuffix("[[").rstrip(" “‘")
        if not before or before.endswith((".", "!", "?", ":”")):
            value = value[0].upper() + value[1:]
        text = text[: match.start()] + value + text[match.end() :]
    start = text.index("[[")
    end = text.index("]]") - 2
    return Filled(text.replace("[[", "", 1).replace("]]", "", 1), start, end)


def read_plants(path: Path) -> Plants:
    """Reads a file of plants; raises PlantError with every mistake in it."""
    try:
        plants = Plants.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        said = [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise PlantError("\n".join(said)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlantError(f"{path.name} can't be read as plants: {error}") from error
    if plants.guideline != path.stem:
        raise PlantError(f"{path.name} is about guideline {plants.guideline!r}: name the file {plants.guideline}.yaml")
    return plants
