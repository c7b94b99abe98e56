"""A pack's examples hold what its patterns find."""

from pathlib import Path

import pytest

from agent.example_proof import prove_examples
from agent.guideline import Guideline
from agent.pack_files import write_pack
from tests.agent.build import guideline, pack, prompt_guideline


def problems(path: Path, *guidelines: Guideline) -> list[str]:
    write_pack(pack(*guidelines), path)
    return [str(problem) for problem in prove_examples(path)]


def test_examples_that_behave_are_silent(tmp_path):
    words = guideline(violations=("We utilise it.",), compliant=("We use it.",))
    claims = prompt_guideline(violations=("Experts say so.", "It is clear."), compliant=("Ana Ruiz says so.",))
    assert problems(tmp_path, claims, words) == []


def test_a_pattern_finds_every_violation_and_nothing_else(tmp_path):
    words = guideline(violations=("We utilise it.", "We employ it."), compliant=("We utilise what we must.",))
    assert problems(tmp_path, words) == [
        'plain-words.md:20: the patterns don\'t find this violation: "We employ it."',
        'plain-words.md:24: the patterns find "utilise" in this compliant example: "We utilise what we must."',
    ]


def test_an_empty_example_is_a_mistake_with_its_line(tmp_path):
    write_pack(pack(guideline(violations=("We utilise it.",))), tmp_path)
    path = tmp_path / "plain-words.md"
    path.write_text(path.read_text() + "- \n")
    assert [str(problem) for problem in prove_examples(tmp_path)] == [
        "plain-words.md:20: this example is empty: write one, or take the line out"
    ]


def test_a_fallback_finds_one_violation_at_least(tmp_path):
    claims = prompt_guideline(violations=("Clearly so.", "It is plain."), compliant=("Experts say so.",))
    assert problems(tmp_path, claims) == [
        "attribution.md:23: the fallback finds none of the violations: add one that it finds, or mend it",
        'attribution.md:28: the patterns find "Experts say" in this compliant example: "Experts say so."',
    ]


@pytest.mark.parametrize(("example", "found"), [("# We utilise it\n\nText.", []), ("# Text\n\nWe utilise it.", [1])])
def test_an_example_may_have_a_heading(tmp_path, example, found):
    rule = {"check": "existence", "message": "m", "scope": "heading", "tokens": ("utilise",)}
    assert len(problems(tmp_path, guideline(rules=(rule,), violations=(example,)))) == len(found)
