"""`datasets import` and `agreement` as a user runs them."""

import json
from pathlib import Path

import pytest

from evaluation.labels import read_labels, write_labels
from tests.evaluation.build import labelled, labelled_set
from tests.pipelines.terminal import Run, write

TEXT = "Prices 🚗 may fall.\n\nCritics say so.\n"
GOOD = "1\thedging\t9\t12\n"
BAD = "1\thedging\t9\t900\n1\tLoaded_Language\t0\t3\n"
COMMAND = ("datasets", "import", "--from", "ptc", "dev.labels", "--to", "out.jsonl")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    write("article1.txt", TEXT)
    write("dev.labels", GOOD)
    return tmp_path


def test_an_export_becomes_a_set(run: Run):
    ran = run(*COMMAND, "--split", "test", "--annotator", "ada")
    assert (ran.code, ran.err) == (0, "")
    assert "1 article, 0 without labels; 1 label\nOffsets were read as code points\n" in ran.out
    assert json.loads(Path("out.jsonl").read_text(encoding="utf-8")) == {
        "id": "1",
        "group": "1",
        "split": "test",
        "text": TEXT.rstrip(),
        "annotators": ["ada"],
        "spans": [
            {
                "guideline": "hedging",
                "start": 9,
                "end": 12,
                "quote": "may",
                "annotator": "ada",
                "provenance": "annotated (ptc)",
            }
        ],
    }


def test_bad_labels_are_counted_and_named(run: Run):
    write("dev.labels", GOOD + BAD)
    ran = run(*COMMAND)
    assert ran.code == 0
    assert "dev.labels:2: outside the text: 'hedging': 9..900 leaves a text of 36 code points" in ran.out
    assert "dev.labels:3: label of no guideline: label 'Loaded_Language' is no guideline's id" in ran.out
    rows = [line.split() for line in ran.out.partition("Bad, not imported")[2].split("\n\n")[0].split("\n")[1:]]
    assert rows == [["outside", "the", "text", "1"], ["label", "of", "no", "guideline", "1"]]
    assert len(read_labels(Path("out.jsonl")).articles[0].spans) == 1


def test_strict_writes_nothing_when_something_is_bad(run: Run):
    write("dev.labels", GOOD + BAD)
    ran = run(*COMMAND, "--strict")
    assert (ran.code, Path("out.jsonl").exists()) == (1, False)
    assert "Nothing was written, because of --strict: 2 bad." in ran.out
    write("dev.labels", GOOD)
    assert run(*COMMAND, "--strict").code == 0


def test_a_mapping_names_guidelines_and_leaves_out(run: Run):
    write("dev.labels", GOOD + "1\tLoaded_Language\t0\t6\n")
    write("labels.yaml", "Loaded_Language: loaded-language\nhedging: null\n")
    ran = run(*COMMAND, "--map", "labels.yaml", "--strict")
    assert ran.code == 0
    assert "label 'hedging', by the mapping" in ran.out
    assert read_labels(Path("out.jsonl")).guidelines == ("loaded-language",)


def test_offsets_are_read_in_the_unit_that_is_given(run: Run):
    write("dev.labels", "1\thedging\t10\t13\n")
    assert run(*COMMAND, "--offset-unit", "utf-16").code == 0
    assert read_labels(Path("out.jsonl")).articles[0].spans[0].quote == "may"


def test_a_file_is_overwritten_only_by_force(run: Run):
    write("out.jsonl", "mine")
    refused = run(*COMMAND)
    assert (refused.code, Path("out.jsonl").read_text(encoding="utf-8")) == (2, "mine")
    assert "'out.jsonl' is there already: name another file, or overwrite it with --force" in refused.err
    assert run(*COMMAND, "--force").code == 0
    assert len(read_labels(Path("out.jsonl")).articles) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "ptc", "gone.labels"), "does not exist"),
        (("--from", "brat", "dev.labels"), "has no article that can be imported as brat"),
        (("--from", "csv", "dev.labels"), "has no column id"),
        (("--from", "csv", "dev.labels", "--texts", "."), "--texts is for ptc and brat"),
        (("--from", "word", "dev.labels"), "is not one of"),
    ],
)
def test_what_can_not_be_imported_is_an_error(run: Run, arguments: tuple[str, ...], message: str):
    ran = run("datasets", "import", *arguments, "--to", "out.jsonl")
    assert (ran.code, Path("out.jsonl").exists()) == (2, False)
    assert message in ran.err


def test_agreement_is_a_table_by_guideline_and_by_pair(run: Run):
    write("a.jsonl", '{"text": "Prices may fall. So they say. They rose.", "label": [[7, 10, "hedging"]]}')
    Path("both").mkdir()
    for name in ("ada", "bob"):
        write(f"both/{name}.jsonl", Path("a.jsonl").read_bytes())
    assert run("datasets", "import", "--from", "doccano", "both", "--to", "out.jsonl").code == 0
    ran = run("datasets", "agreement", "out.jsonl")
    assert (ran.code, ran.err) == (0, "")
    assert "Agreement on 1 of 1 articles, which two or more have read" in ran.out
    rows = [line.split()[:4] for line in ran.out.split("\n")]
    assert ["hedging", "3", "2", "1.000"] in rows
    assert ["ada", "and", "bob", "1"] in rows


def test_agreement_needs_two_who_read_the_same(run: Run):
    write_labels(labelled_set(labelled("Prices may fall.", ("hedging", "may"))), Path("set.jsonl"))
    ran = run("datasets", "agreement", "set.jsonl")
    assert ran.code == 2
    assert "set 'set' has no article that two annotators have read" in ran.err
