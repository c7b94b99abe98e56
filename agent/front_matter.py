"""YAML front matter with the line of every key and value, so that a mistake can be shown where it stands.

Every scalar is text (`no` is the word "no", 404 the text "404"): the guideline's types decide what it means.
Anchors and aliases are refused, and so is a key given twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

FENCE = "---"
Value = str | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake before its file is known."""

    line: int  # 1-based
    message: str


class FrontMatterError(Exception):
    """Front matter that can't be read at all."""

    def __init__(self, line: int, message: str) -> None:
        self.mistake = Mistake(line, message)
        super().__init__(message)


@dataclass(frozen=True)
class FrontMatter:
    """The keys of a file's front matter. `root` is its YAML node, whose lines count from 0 after the fence."""

    root: yaml.MappingNode
    values: dict[str, Value]
    mistakes: tuple[Mistake, ...]  # keys given twice

    def line_of(self, path: Sequence[str | int]) -> int:
        """The line of the value at `path`, for a key the line of the key, as far down as the path exists."""
        node: yaml.Node = self.root
        line = 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pair = next((pair for pair in node.value if pair[0].value == step), None)
                if pair is None:
                    continue  # a step of the validator's own, such as the kind of a rule
                line, node = _line(pair[0]), pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = _line(node)
        return line


class _Loader(yaml.SafeLoader):
    """Composes nodes; an alias would let a small file grow without bound."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            message = f'"*{event.anchor}" is a YAML alias, which is not allowed: put the text in quotes'
            raise FrontMatterError(int(event.start_mark.line) + 2, message)
        return super().compose_node(parent, index)


def split_front_matter(text: str) -> tuple[str, str, int]:
    """The YAML, the body after it, and the body's first line; raises FrontMatterError when a fence is missing."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise FrontMatterError(1, f'the file has no front matter: begin it with a line "{FENCE}"')
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2
    raise FrontMatterError(1, f'the front matter is not closed: end it with a line "{FENCE}"')


def read_front_matter(source: str) -> FrontMatter:
    """Raises FrontMatterError when `source` isn't a YAML mapping."""
    try:
        root = yaml.compose(source, Loader=_Loader)
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 2
        raise FrontMatterError(line, f"character U+{error.character:04X} is not allowed in YAML: delete it") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"not YAML: {error.problem or 'unreadable'}; a text with : # * or quotes in it needs quotes around it"
        raise FrontMatterError(mark.line + 2 if mark else 1, message) from error
    except RecursionError as error:
        raise FrontMatterError(1, "the front matter is nested too deeply: a rule needs three levels") from error
    if not isinstance(root, yaml.MappingNode):
        raise FrontMatterError(1, 'the front matter has no keys: write "id: ...", "title: ..." and so on')
    mistakes: list[Mistake] = []
    values = _mapping(root, mistakes)
    return FrontMatter(root, values, tuple(mistakes))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 2


def _value(node: yaml.Node, mistakes: list[Mistake]) -> Value:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, mistakes)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, mistakes) for item in node.value]
    return str(node.value)


def _mapping(node: yaml.MappingNode, mistakes: list[Mistake]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            mistakes.append(Mistake(_line(key), "a key must be plain text: put it in quotes"))
            continue
        if key.value in values:
            first = lines[key.value]
            mistakes.append(Mistake(_line(key), f'key "{key.value}" is given twice, first in line {first}'))
            continue
        lines[key.value] = _line(key)
        values[key.value] = _value(value, mistakes)
    return values
