"""One guideline as a Markdown file: front matter for its facts and patterns, sections for its words.

    ---
    id: anonymous-sources
    ...
    ---
    The rule as editors read it.

    ## Instruction
    ## Does not count
    ## Violations
    ## Compliant

The last three are lists; an item goes on in lines indented by two spaces.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.front_matter import FENCE, FrontMatter, FrontMatterError, Mistake, read_front_matter, split_front_matter
from agent.guideline import Guideline, Kind
from agent.rules import Rule

SECTIONS: Mapping[str, str] = {
    "Instruction": "instruction",
    "Does not count": "does_not_count",
    "Violations": "violations",
    "Compliant": "compliant",
}
FACTS = ("id", "title", "category", "severity", "scope", "kind", "context", "languages", "quotations", "link")
RULES_KEY: Mapping[str, str] = {Kind.PATTERN: "patterns", Kind.PROMPT: "fallback"}
KEYS = (*FACTS, *RULES_KEY.values())


@dataclass(frozen=True)
class GuidelineFile:
    """A guideline with the lines its parts stand in."""

    name: str
    guideline: Guideline
    front: FrontMatter
    example_lines: dict[tuple[str, int], int]  # (violations | compliant, index) -> line

    def line_of_rule(self, index: int, *path: str | int) -> int:
        return self.front.line_of((RULES_KEY[self.guideline.kind], index, *path))


@dataclass(frozen=True)
class Reading:
    """What a file came to: a guideline, or its mistakes, by line; its id, if it got so far, in either case."""

    file: GuidelineFile | None
    mistakes: tuple[Mistake, ...]
    id: str = ""
    id_line: int = 1


@dataclass(frozen=True)
class _Body:
    texts: dict[str, str | list[str]]  # field -> text or items
    lines: dict[str, int]  # field -> line of its heading
    item_lines: dict[tuple[str, int], int]
    mistakes: tuple[Mistake, ...]


def read_guideline(name: str, text: str) -> Reading:
    """Reads the text of the file `name`. Mistakes come back as values: a pack shows those of all its files."""
    try:
        source, body_text, first_line = split_front_matter(text.replace("\r\n", "\n"))
        front = read_front_matter(source)
    except FrontMatterError as error:
        return Reading(None, (error.mistake,))
    body = _read_body(body_text, first_line)
    mistakes = [*front.mistakes, *_misplaced_keys(front), *body.mistakes]
    rules_key = RULES_KEY.get(str(front.values.get("kind")), "patterns")
    values: dict[str, Any] = {key: front.values[key] for key in FACTS if key in front.values} | body.texts
    if rules_key in front.values:
        values["rules"] = front.values[rules_key]
    file = None
    try:
        guideline = Guideline.model_validate(values)
        file = None if mistakes else GuidelineFile(name, guideline, front, body.item_lines)
    except ValidationError as error:
        mistakes += [_mistake(details, front, body, rules_key) for details in error.errors()]
    mistakes.sort(key=lambda mistake: mistake.line)
    return Reading(file, tuple(mistakes), str(front.values.get("id", "")), front.line_of(("id",)))


def write_guideline(guideline: Guideline) -> str:
    """The file's text; raises ValueError for a guideline whose texts the format can't hold."""
    facts = guideline.model_dump(mode="json", include=set(FACTS), exclude_defaults=True)
    front = {key: facts[key] for key in FACTS if key in facts}
    if guideline.rules:
        front[RULES_KEY[guideline.kind]] = [
            {"check": rule.check} | rule.model_dump(mode="json", exclude_defaults=True) for rule in guideline.rules
        ]
    dumped = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    parts = [f"{FENCE}\n{dumped}{FENCE}\n{guideline.guidance}\n"]
    if guideline.instruction:
        parts.append(f"## Instruction\n\n{guideline.instruction}\n")
    for heading, field in list(SECTIONS.items())[1:]:
        if items := getattr(guideline, field):
            parts.append(f"## {heading}\n\n" + "".join(f"- {_indented(item)}\n" for item in items))
    text = "\n".join(parts)
    again = read_guideline("", text)
    if again.file is None or again.file.guideline != guideline:
        reason = again.mistakes[0].message if again.mistakes else "its texts may not begin or end in white space"
        raise ValueError(f"guideline {guideline.id!r} can't be written as Markdown: {reason}")
    return text


def _indented(item: str) -> str:
    return "\n".join("  " + line if line and number else line for number, line in enumerate(item.split("\n")))


def _misplaced_keys(front: FrontMatter) -> Iterable[Mistake]:
    for key in front.values:
        if key not in KEYS:
            yield Mistake(front.line_of((key,)), _unknown("key", key, KEYS))
    kind = str(front.values.get("kind"))
    for owner, key in RULES_KEY.items():
        if key in front.values and kind in RULES_KEY and kind != owner:
            message = f'"{key}" is for {owner} guidelines, and this is a {kind} one: name it "{RULES_KEY[kind]}"'
            yield Mistake(front.line_of((key,)), message)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(known)}"
    return f'unknown {what} "{name}": {hint}'


def _mistake(details: ErrorDetails, front: FrontMatter, body: _Body, rules_key: str) -> Mistake:
    field, *rest = details["loc"] or ("",)
    name = str(field)
    if name in SECTIONS.values():
        return Mistake(body.lines.get(name, 1), f"{name}: {details['msg']}")
    if name == "guidance":
        return Mistake(1, "the guideline has no text: write the rule, as editors read it, under the front matter")
    path = (rules_key, *rest) if name == "rules" else (field, *rest)
    missing = details["type"] == "missing"
    return Mistake(front.line_of(path[:-1] if missing else path), _message(path, details))


def _message(path: tuple[int | str, ...], details: ErrorDetails) -> str:
    """What is wrong, in the words of the file instead of the validator's."""
    key = str(path[-1]) if isinstance(path[-1], str) else f"{_last_key(path)} {int(path[-1]) + 1}"
    context, given = details.get("ctx", {}), details["input"]
    match details["type"]:
        case "missing":
            return f'"{key}" is missing: add "{key}: ..."'
        case "extra_forbidden":
            return _unknown("key", key, _rule_keys(path))
        case "enum" | "literal_error":
            return f'{key} is "{given}": use {context["expected"].replace(chr(39), "")}'
        case "union_tag_invalid":
            return _unknown("check", context["tag"], [tag.strip(" '") for tag in context["expected_tags"].split(",")])
        case "union_tag_not_found":
            return 'the rule has no "check": add "check: existence" or another kind'
        case "string_pattern_mismatch":
            return f'{key} is "{given}": use letters and digits, joined by "-" or "."'
        case "tuple_type":
            return f"{key} must be a list, got {_shown(given)}"
        case "string_type":
            return f"{key} must be text, got {_shown(given)}: put it in quotes"
        case "value_error":
            return str(context["error"])
    message = details["msg"][0].lower() + details["msg"][1:]
    return f"{key}: {message}, got {_shown(given)}"


def _shown(given: object) -> str:
    if isinstance(given, str):
        return f'"{given}"' if given else "nothing"
    return "a list" if isinstance(given, list) else "keys and values"


def _last_key(path: tuple[int | str, ...]) -> str:
    """The name of the list a position is in."""
    return next(str(step) for step in reversed(path[:-1]) if isinstance(step, str))


def _rule_keys(path: tuple[int | str, ...]) -> list[str]:
    kinds = {kind.model_fields["check"].default: kind for kind in get_args(get_args(Rule)[0])}
    return list(kinds[str(path[-2])].model_fields)


def _read_body(text: str, first_line: int) -> _Body:
    mistakes: list[Mistake] = []
    lines: dict[str, int] = {}
    item_lines: dict[tuple[str, int], int] = {}
    texts: dict[str, str | list[str]] = {}
    for number, heading, content in _sections(text, first_line):
        field = SECTIONS.get(heading) if number else "guidance"
        if field is None:
            mistakes.append(Mistake(number, _unknown("section", heading, SECTIONS)))
        elif field in lines:
            mistakes.append(Mistake(number, f'section "{heading}" is there twice, first in line {lines[field]}'))
        elif field in ("guidance", "instruction"):
            lines[field] = number
            texts[field] = "\n".join(line for _, line in content).strip()
        else:
            lines[field] = number
            items = _items(content, mistakes)
            texts[field] = [item for _, item in items]
            item_lines |= {(field, index): line for index, (line, _) in enumerate(items)}
        if number and field and not any(line.strip() for _, line in content):
            mistakes.append(Mistake(number, f'section "{heading}" is empty: write it or delete its heading'))
    return _Body(texts, lines, item_lines, tuple(mistakes))


def _sections(text: str, first_line: int) -> list[tuple[int, str, list[tuple[int, str]]]]:
    """(line of the heading, heading, numbered lines); the first has no heading and line 0."""
    sections: list[tuple[int, str, list[tuple[int, str]]]] = [(0, "", [])]
    for number, line in enumerate(text.split("\n"), start=first_line):
        if line.startswith("## "):
            sections.append((number, line[3:].strip(), []))
        else:
            sections[-1][2].append((number, line))
    return sections


def _items(content: list[tuple[int, str]], mistakes: list[Mistake]) -> list[tuple[int, str]]:
    items: list[tuple[int, list[str]]] = []
    for number, line in content:
        if line.startswith("- "):
            items.append((number, [line[2:].strip()]))
        elif items and (not line.strip() or line.startswith("  ")):
            items[-1][1].append(line[2:].rstrip())
        elif line.strip():
            mistakes.append(Mistake(number, 'expected a list: begin the line with "- ", or with two spaces to go on'))
    return [(number, "\n".join(lines).strip()) for number, lines in items]
