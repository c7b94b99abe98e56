import hashlib
import json

import jsonschema
import pytest

from agent.article import ParagraphKind
from agent.formats.reading import article_from_markdown
from evaluation.labels import LabelError, json_schema, kinds_of, read_labels, write_labels
from tests.evaluation.build import labelled, labelled_set

TEXT = "Critics say so.\n\nThe 🚗 council met in May."


def test_a_set_reads_as_it_was_written(tmp_path):
    written = labelled_set(
        labelled(TEXT, ("claims", "Critics say"), id="a"),
        labelled("# no heading", id="b", kinds=("heading2",), slices=("news",), negatives=[]),
    )
    write_labels(written, tmp_path / "set.jsonl")
    read = read_labels(tmp_path / "set.jsonl")
    assert read == written
    assert read.digest == written.digest


def test_a_folder_is_read_whole(tmp_path):
    write_labels(labelled_set(labelled("One.", id="a", split="dev")), tmp_path / "dev.jsonl")
    write_labels(labelled_set(labelled("Two.", id="b")), tmp_path / "test.jsonl")
    read = read_labels(tmp_path)
    assert [article.id for article in read.articles] == ["a", "b"]
    assert [article.id for article in read.of_split("dev").articles] == ["a"]
    with pytest.raises(LabelError, match="has no split 'prod': there are dev, test"):
        read.of_split("prod")


def test_the_article_is_the_labelled_text_with_its_kinds():
    article = labelled("The bridge\n\nIt opened.", kinds=("heading2", "text")).article
    assert [(p.kind, p.level, p.text) for p in article.paragraphs] == [
        (ParagraphKind.HEADING, 2, "The bridge"),
        (ParagraphKind.TEXT, 0, "It opened."),
    ]
    assert kinds_of(article) == ("heading2", "text")
    assert kinds_of(labelled("One.\n\nTwo.").article) == ()


def test_any_article_of_ours_can_be_labelled():
    article = article_from_markdown("# Head\n\n- one\n- two\n\n> said\n\nText with `code`.\n")
    assert labelled(article.text, kinds=kinds_of(article)).article.paragraphs == tuple(
        type(p)(p.index, p.start, p.text, p.kind, p.level, p.index) for p in article.paragraphs
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spans": [{"guideline": "g", "start": 0, "end": 7, "quote": "Critic"}]}, "quotes 'Critic', and the text has"),
        ({"spans": [{"guideline": "g", "start": 40, "end": 90, "quote": "x"}]}, "span g 40..90 quotes 'x'"),
        ({"spans": [{"guideline": "g", "start": 3, "end": 3, "quote": "x"}]}, "span g 3..3"),
        ({"spans": [{"guideline": "not a name", "start": 0, "end": 1, "quote": "C"}]}, "guideline"),
        ({"text": " Critics"}, "not canonical"),
        ({"text": "One.\n\n\n\nTwo."}, "not canonical"),
        ({"text": "One.\nTwo."}, "not canonical"),
        ({"kinds": ["text"]}, "1 kinds for 2 paragraphs"),
        ({"kinds": ["text", "poem"]}, "kind 'poem' is none of"),
        ({"note": "x"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_named_with_its_line(change, said, tmp_path):
    good = labelled(TEXT).model_dump(mode="json")
    path = tmp_path / "set.jsonl"
    path.write_text(f"{json.dumps(good)}\n\n{json.dumps({**good, 'id': 'b', 'group': 'b', **change})}\n")
    with pytest.raises(LabelError, match=r"have 1 mistake; nothing was read\nset\.jsonl:3: ") as caught:
        read_labels(path)
    assert said in str(caught.value)


def test_what_is_there_twice_is_named(tmp_path):
    write_labels(
        labelled_set(labelled("One.", id="a"), labelled("Two.", id="a"), labelled("Three.", id="c", group="a")),
        tmp_path / "a.jsonl",
    )
    write_labels(labelled_set(labelled("Four.", id="d", group="a", split="dev")), tmp_path / "b.jsonl")
    with pytest.raises(LabelError, match="2 mistakes") as caught:
        read_labels(tmp_path)
    assert "id 'a' is there twice" in str(caught.value)
    assert "group 'a' stands in two splits" in str(caught.value)


def test_many_mistakes_are_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}\n" * 30)
    with pytest.raises(LabelError, match=r"120 mistakes(?s:.*)and 100 more"):
        read_labels(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_read_is_named(name, tmp_path):
    with pytest.raises(LabelError, match=r"can't be read as labels|has no \.jsonl files"):
        read_labels(tmp_path / name)


def test_the_digest_is_of_the_content_in_any_order():
    one, two = labelled("One.", id="a"), labelled("Two.", id="b")
    assert labelled_set(one, two).digest == labelled_set(two, one, name="other").digest
    assert labelled_set(one, two).digest != labelled_set(one).digest
    assert labelled_set(one).digest != labelled_set(labelled("One.", ("g", "One"), id="a")).digest


def test_the_schema_takes_what_is_written_and_nothing_else(tmp_path):
    write_labels(labelled_set(labelled(TEXT, ("g", "Critics"))), tmp_path / "a.jsonl")
    schema = json.loads(json_schema())
    line = json.loads((tmp_path / "a.jsonl").read_text())
    jsonschema.validate(line, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**line, "note": "x"}, schema)


def test_readers_are_named_by_the_article_and_its_labels():
    article = labelled("Critics say so.", ("claims", "Critics"), annotators=["bob", "ada", ""])
    assert article.readers == ("ada", "bob")
    by_cleo = [span.model_copy(update={"annotator": "cleo"}) for span in article.spans]
    assert article.model_copy(update={"negatives": tuple(by_cleo)}).readers == ("ada", "bob", "cleo")


def test_only_annotators_that_are_named_change_a_digest():
    article = labelled("Critics say so.")
    named = article.model_copy(update={"annotators": ("ada",)})
    without = hashlib.sha256(article.model_dump_json(exclude={"annotators"}).encode()).hexdigest()
    assert labelled_set(article).digest == without != labelled_set(named).digest
