"""A style of the Vale linter (https://vale.sh) as a guideline pack: one guideline a rule, id `Style.Rule`.

A rule of a kind or scope we don't have (spelling, sequence, script, metric; raw markup) is named in
`skipped`. A rule that has one but is broken is a mistake, and nothing is imported.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.errors import PackError, PackProblem
from agent.finding import Severity
from agent.front_matter import FrontMatter, FrontMatterError, read_front_matter
from agent.guideline import Guideline, GuidelinePack, Kind, Scope
from agent.patterns import PatternError, compile_rules
from agent.rules import RuleScope
from agent.search import words_pattern

SEVERITIES = {"suggestion": Severity.ADVICE, "warning": Severity.WARNING, "error": Severity.BREACH}
KINDS = frozenset(
    {"existence", "substitution", "occurrence", "repetition", "consistency", "conditional", "capitalization"}
)
# What a rule's finding may span, by where the rule looks.
SCOPES = {RuleScope.SENTENCE: Scope.SENTENCE, RuleScope.HEADING: Scope.SENTENCE}
# Keys of Vale's that don't change what is found: we have no vocabularies, and suggestions always keep a capital.
_ABOUT = frozenset({"extends", "level", "link", "description", "action", "code", "name", "vocab", "pos", "capitalize"})
# Keys that a rule isn't the same without, unless they have the value that is Vale's default.
_UNSUPPORTED: dict[str, dict[str, str]] = {
    "capitalization": {"prefix": "", "threshold": "0.8"},
    "repetition": {"max": "0"},
}
_GROUP = re.compile(r"\$\d")


@dataclass(frozen=True, slots=True)
class ImportedStyle:
    """A style as a pack, and the rules, or parts of them, that couldn't be taken over, each with the reason."""

    pack: GuidelinePack
    skipped: tuple[str, ...]


def import_vale(folder: Path) -> ImportedStyle:
    """Reads the .yml rules in a folder, or in its folder `rules`; the style is named after the folder.

    Raises PackError with the file and line of every mistake.
    """
    rules = folder / "rules" if (folder / "rules").is_dir() else folder
    paths = sorted(path for path in (*rules.glob("*.yml"), *rules.glob("*.yaml")) if not path.name.startswith("."))
    if not paths:
        raise PackError(str(folder), (PackProblem(str(folder), 1, "there is no .yml rule in it: name a Vale style"),))
    style = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-") or "style"
    guidelines: list[Guideline] = []
    problems: list[PackProblem] = []
    skipped: list[str] = []
    for path in paths:
        try:
            front = read_front_matter(path.read_text(encoding="utf-8-sig"))
            guidelines.append(_guideline(style, path.stem, front))
            if (limit := str(front.values.get("limit", "0"))) != "0":
                skipped.append(f"{style}.{path.stem}, only its limit of {limit} alerts a file: every match is found")
        except FrontMatterError as error:
            problems.append(PackProblem(path.name, max(1, error.mistake.line - 1), error.mistake.message))
        except _NotOurs as reason:
            skipped.append(f"{style}.{path.stem}: {reason}")
        except _Mistaken as mistake:
            problems.append(PackProblem(path.name, mistake.line, str(mistake)))
    if problems:
        raise PackError(str(folder), tuple(problems))
    if not guidelines:
        reasons = "; ".join(skipped)
        raise PackError(str(folder), (PackProblem(str(folder), 1, f"none of its rules can be imported: {reasons}"),))
    return ImportedStyle(GuidelinePack(name=style, guidelines=tuple(guidelines)), tuple(skipped))


class _NotOurs(Exception):
    """A rule of a kind or scope that Copydesk doesn't have."""


class _Mistaken(Exception):
    """A rule that is broken."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(message)


def _guideline(style: str, name: str, front: FrontMatter) -> Guideline:
    values = front.values
    kind = str(values.get("extends", ""))
    if not kind:
        raise _Mistaken(1, '"extends" is missing: add "extends: existence" or another kind')
    if kind not in KINDS:
        raise _NotOurs(f"rules of kind {kind!r} are not supported")
    level = str(values.get("level", "warning"))
    if level not in SEVERITIES:
        raise _Mistaken(_line(front, "level"), f"level is {level!r}: use suggestion, warning or error")
    scope = _scope(values.get("scope", "text"))
    message = str(values.get("message", ""))
    try:
        guideline = Guideline.model_validate(
            {
                "id": f"{style}.{name}",
                "title": f"{style}: {_spaced(name)}"[:80],
                "category": style,
                "severity": SEVERITIES[level],
                "scope": SCOPES.get(scope, Scope.PARAGRAPH),
                "kind": Kind.PATTERN,
                "link": str(values.get("link", "")),
                "guidance": str(values.get("description") or message).replace("%s", "…").strip(),
                "rules": [_rule(kind, scope, values)],
            }
        )
        compile_rules(guideline.rules)
    except ValidationError as error:
        first = error.errors()[0]
        key = next((str(step) for step in first["loc"] if str(step) in values), "")
        missing = first["type"] == "missing"
        wrong = f'"{first["loc"][-1]}" is missing' if missing else f"{first['loc'][-1]}: {first['msg']}"
        raise _Mistaken(_line(front, key), wrong) from error
    except PatternError as error:
        raise _Mistaken(1, str(error)) from error
    return guideline


def _rule(kind: str, scope: RuleScope, values: Mapping[str, Any]) -> dict[str, Any]:
    _refuse_what_we_lack(kind, values)
    left_out = {*_ABOUT, "limit", *_UNSUPPORTED.get(kind, ())}
    rule = {key: value for key, value in values.items() if key not in left_out} | {"check": kind, "scope": scope}
    if kind == "repetition":
        rule["alpha"] = str(values.get("alpha", "false"))
    if kind == "existence" and _is_true(rule.pop("append", "false")) and rule.get("tokens"):
        tokens = words_pattern(map(str, rule.pop("tokens")), nonword=_is_true(rule.get("nonword", "false")))
        rule["raw"] = [tokens, *rule.get("raw", ())]
    action = values.get("action")
    if kind == "existence" and isinstance(action, dict) and action.get("name") == "replace":
        rule["suggestions"] = action.get("params", [])
    return rule


def _refuse_what_we_lack(kind: str, values: Mapping[str, Any]) -> None:
    for key, default in _UNSUPPORTED.get(kind, {}).items():
        if str(values.get(key, default)) != default:
            raise _NotOurs(f"{key} {values[key]!r} is not supported")
    if kind == "occurrence" and "max" in values and "min" in values:
        raise _NotOurs("max and min in one rule are not supported")
    swap = values.get("swap")
    grouped = [str(word) for word in swap.values() if _GROUP.search(str(word))] if isinstance(swap, dict) else []
    if grouped:
        raise _NotOurs(f"a replacement with a group is not supported: {grouped[0]!r}")


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")


def _scope(value: object) -> RuleScope:
    name = value[0] if isinstance(value, list) and len(value) == 1 else value
    if name in ("", None):
        return RuleScope.TEXT
    if isinstance(name, str) and name.startswith("heading."):
        name = "heading"
    try:
        return RuleScope(str(name))
    except ValueError:
        raise _NotOurs(f"scope {name!r} is not supported") from None


def _line(front: FrontMatter, key: str) -> int:
    return max(1, front.line_of((key,)) - 1) if key else 1  # a rule file has no fence above its keys


def _spaced(name: str) -> str:
    """OxfordComma as "Oxford comma"."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z]|\d|\b|$)|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+", name)
    return " ".join(part if part.isupper() or not number else part.lower() for number, part in enumerate(parts))
