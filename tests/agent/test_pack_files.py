"""A pack of Markdown files: what comes back, and what is said of every mistake."""

from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PackError
from agent.guideline import GuidelinePack
from agent.pack_files import load_pack, write_pack
from tests.agent.build import guideline, pack, prompt_guideline

FRONT = """---
id: plain-words
title: Use plain words
category: clarity
severity: advice
scope: sentence
kind: pattern
patterns:
  - check: existence
    message: "'%s' is heavy"
    tokens: [utilise, no]
---
"""
BODY = "Short words first.\n"
PROMPT = FRONT.split("patterns:")[0].replace("kind: pattern", "kind: prompt") + "---\n"


def folder(path: Path, **files: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in files.items():
        (path / f"{name}.md").write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(PackError) as caught:
        load_pack(path)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_a_guideline(tmp_path):
    text = FRONT + BODY + "\n## Violations\n\n- We utilise it.\n- # Head\n\n  Body.\n\n## Compliant\n\n- We use it.\n"
    loaded = load_pack(folder(tmp_path / "my_pack", words=text))
    expected = guideline(
        rules=({"check": "existence", "message": "'%s' is heavy", "tokens": ("utilise", "no")},),
        violations=("We utilise it.", "# Head\n\nBody."),
        compliant=("We use it.",),
    )
    assert loaded == GuidelinePack(name="my-pack", guidelines=(expected,))


def test_guidelines_stand_in_the_order_of_their_files(tmp_path):
    second = FRONT.replace("id: plain-words", "id: a-first") + BODY
    loaded = load_pack(folder(tmp_path, a=FRONT + BODY, b=second, README="# Not a guideline\n"), name="house")
    assert [guideline.id for guideline in loaded.guidelines] == ["plain-words", "a-first"]


@pytest.mark.parametrize("prefix", ["\ufeff", ""])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_a_file_saved_on_windows_reads_the_same(tmp_path, prefix, newline):
    (tmp_path / "a.md").write_bytes((prefix + (FRONT + BODY).replace("\n", newline)).encode())
    assert load_pack(tmp_path).guidelines == load_pack(folder(tmp_path / "unix", a=FRONT + BODY)).guidelines


MISTAKES = [
    ("id: plain-words", "id: plain words", 'a.md:2: id is "plain words": use letters and digits, joined by "-" or "."'),
    ("title: Use plain words", "titel: Use", 'a.md:3: unknown key "titel": did you mean "title"?'),
    ("title: Use plain words\n", "", 'a.md:1: "title" is missing: add "title: ..."'),
    ("title: Use plain words", "title: [a]", "a.md:3: title must be text, got a list: put it in quotes"),
    (
        "title: Use plain words",
        "title: Use: it",
        "a.md:3: not YAML: mapping values are not allowed here; a text with :",
    ),
    ("category: clarity", "title: Again", 'a.md:4: key "title" is given twice, first in line 3'),
    ("severity: advice", "severity: grave", 'a.md:5: severity is "grave": use advice, warning or breach'),
    ("scope: sentence", "scope: page", 'a.md:6: scope is "page": use sentence, paragraph or article'),
    ("kind: pattern", "kind: model", 'a.md:7: kind is "model": use prompt or pattern'),
    ("kind: pattern", "kind: [pattern]", "a.md:7: kind"),
    ("kind: pattern", "kind: pattern\nlanguages: [en-GB]", "a.md:8: 'en-GB' is not a language: write its"),
    ("kind: pattern", "kind: pattern\nlanguages: en", 'a.md:8: languages must be a list, got "en"'),
    (
        "patterns:",
        "fallback:",
        'a.md:8: "fallback" is for prompt guidelines, and this is a pattern one: name it "patterns"',
    ),
    ("check: existence", "check: existance", 'a.md:9: unknown check "existance": did you mean "existence"?'),
    ("check: existence", "ignorecase: true", 'a.md:9: the rule has no "check": add "check: existence" or another kind'),
    ("    message: \"'%s' is heavy\"\n", "", 'a.md:9: "message" is missing: add "message: ..."'),
    ("tokens: [utilise, no]", "token: [utilise]", 'a.md:11: unknown key "token": did you mean "tokens"?'),
    ("tokens: [utilise, no]", "ignorecase: true", 'a.md:9: an existence rule needs "tokens" or "raw"'),
    ("tokens: [utilise, no]", "tokens: utilise", 'a.md:11: tokens must be a list, got "utilise"'),
    ("tokens: [utilise, no]", "tokens:\n    - utilise\n    - {a: b}", "a.md:13: tokens 2 must be text, got keys and"),
    (
        "tokens: [utilise, no]",
        "tokens: [a]\n    ignorecase: maybe",
        "a.md:12: ignorecase: input should be a valid bool",
    ),
    ("tokens: [utilise, no]", "tokens: [*utilise]", 'a.md:11: "*utilise" is a YAML alias, which is not allowed: put'),
    (
        "  - check: existence\n    m",
        "    check: existence\n    m",
        "a.md:8: patterns must be a list, got keys and values",
    ),
    ("tokens: [utilise, no]", "tokens: " + "[" * 3000, "a.md:1: the front matter is nested too deeply"),
    ("---\nShort", "Short", 'a.md:1: the front matter is not closed: end it with a line "---"'),
    ("---\nid", "id", 'a.md:1: the file has no front matter: begin it with a line "---"'),
    (
        "tokens: [utilise, no]",
        "tokens:\n    - utilise\n    - (no",
        "a.md:13: pattern '(no' is not a regular expression: missing )",
    ),
    (BODY, "", "a.md:1: the guideline has no text: write the rule, as editors read it, under the front matter"),
    (BODY, BODY + "## Violation\n- a\n", 'a.md:14: unknown section "Violation": did you mean "Violations"?'),
    (BODY, BODY + "## Violations\n\nWe\n", 'a.md:16: expected a list: begin the line with "- ", or with two spaces'),
    (BODY, BODY + "## Violations\n", 'a.md:14: section "Violations" is empty: write it or delete its heading'),
    (BODY, BODY + "## Compliant\n- a\n## Compliant\n- b\n", 'a.md:16: section "Compliant" is there twice, first in'),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_a_mistake_is_shown_where_it_stands(tmp_path, old, new, expected):
    text = FRONT + BODY
    assert old in text
    found = problems(folder(tmp_path, a=text.replace(old, new, 1)))
    assert len([problem for problem in found if problem.startswith(expected)]) == 1, found


def test_a_prompt_guideline_has_an_instruction_and_no_patterns(tmp_path):
    text = PROMPT.replace("kind: prompt\n", "kind: prompt\npatterns: []\n") + BODY
    assert problems(folder(tmp_path, a=text)) == [
        'a.md:1: a prompt guideline needs a section "## Instruction"',
        'a.md:8: "patterns" is for pattern guidelines, and this is a prompt one: name it "fallback"',
    ]


def test_mistakes_of_all_files_are_shown_at_once(tmp_path):
    grave = (FRONT + BODY).replace("severity: advice", "severity: grave").replace("scope: sentence", "scope: page")
    (folder(tmp_path, a=FRONT + BODY, b=grave) / "c.md").write_bytes(b"---\nid: caf\xe9\n---\n")
    assert problems(tmp_path) == [
        'b.md:5: severity is "grave": use advice, warning or breach',
        'b.md:6: scope is "page": use sentence, paragraph or article',
        "c.md:2: byte 0xE9 is not UTF-8: save the file as UTF-8",
        'b.md:2: id "plain-words" is already that of a.md:2: give one of them another id',
    ]


def test_a_folder_without_guidelines_is_refused(tmp_path):
    assert problems(tmp_path) == [f"{tmp_path}:1: the folder has no guideline: put a .md file in it"]
    gone = tmp_path / "gone"
    assert problems(gone) == [f"{gone}:1: there is no such folder: name one that holds .md files"]


def test_a_pack_comes_back_as_it_was_written(tmp_path):
    written = GuidelinePack(
        name="Google",
        guidelines=(
            guideline("Google.Units", link="https://example.org/a#b", languages=("en", "no")),
            guideline("Google.AMPM", quotations="exempt", rules=SWAPS),
            prompt_guideline("attribution", does_not_count=("a: b", "- c"), violations=("# Head\n\nBody\n- x",)),
        ),
    )
    write_pack(written, tmp_path / "new" / "pack")
    assert load_pack(tmp_path / "new" / "pack", name="Google") == written


SWAPS = (
    {"check": "substitution", "message": "Use '%s' instead of '%s'.", "swap": {r"\d+ ?AM\b": "am", "no": "on"}},
    {"check": "readability", "message": "Hard", "min": 45.5, "scope": "paragraph"},
    {"check": "consistency", "message": "One of them", "either": {"on": "off"}, "nonword": True},
)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text == text.strip())


@settings(max_examples=60, deadline=None)
@given(title=TEXTS.filter(lambda text: len(text) <= 80), token=TEXTS.map(regex.escape), guidance=TEXTS, example=TEXTS)
def test_any_text_survives_or_is_refused(tmp_path_factory, title, token, guidance, example):
    rule = {"check": "existence", "message": title, "tokens": (token,)}
    written = pack(guideline(title=title, guidance=guidance, violations=(example,), rules=(rule,)))
    path = tmp_path_factory.mktemp("pack")
    if guidance.startswith("## "):
        with pytest.raises(ValueError, match="can't be written"):
            write_pack(written, path)
    else:
        write_pack(written, path)
        assert load_pack(path, name="test") == written


def test_a_guideline_called_readme_is_written_and_read(tmp_path):
    written = pack(guideline("A"), guideline("readme"))
    write_pack(written, tmp_path)
    assert load_pack(tmp_path).guidelines == written.guidelines


def test_a_pack_is_not_written_over_another(tmp_path):
    write_pack(pack(), tmp_path)
    with pytest.raises(PackError, match="already has guidelines: name an empty one"):
        write_pack(pack(), tmp_path)
