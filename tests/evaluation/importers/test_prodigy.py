import json
from pathlib import Path

from evaluation.importers.export import Reason
from tests.evaluation.importers.build import bad, by_annotator, files, imported, said, spans

TEXT = "Hopefully 🚗 prices fall. Experts say so."


def task(words: str, **fields: object) -> dict[str, object]:
    start = TEXT.index(words)
    span = {"start": start, "end": start + len(words), "label": "hedging", "token_start": 0, "token_end": 0}
    return {"text": TEXT, "_input_hash": -97, "_task_hash": 5, "spans": [span], "answer": "accept"} | fields


def export(tmp_path: Path, *tasks: object) -> Path:
    return files(tmp_path, {"news.jsonl": "".join(f"{json.dumps(one)}\n" for one in tasks)}) / "news.jsonl"


def test_only_accepted_tasks_are_imported(tmp_path):
    found = imported(
        "prodigy",
        export(
            tmp_path,
            task("Hopefully"),
            task("prices", answer="reject"),
            task("fall", answer="ignore"),
            {"text": TEXT, "_input_hash": 3},
        ),
    )
    assert spans(found) == [("-97", "hedging", "Hopefully")]
    assert bad(found) == [(f"news.jsonl:{n}", Reason.NOT_ACCEPTED) for n in (2, 3, 4)]
    assert said(found) == "its answer is 'reject', spans: 1"


def test_tasks_of_one_text_are_one_article(tmp_path):
    found = imported("prodigy", export(tmp_path, task("Hopefully"), task("Experts say")))
    assert spans(found) == [("-97", "hedging", "Hopefully"), ("-97", "hedging", "Experts say")]


def test_annotators_stay_side_by_side(tmp_path):
    tasks = [
        task("Hopefully", _annotator_id="news-ada", _session_id="news-x"),
        task("Hopefully", _session_id="news-bob"),
        task("Experts", _annotator_id=None),
    ]
    found = imported("prodigy", export(tmp_path, *tasks), annotator="cleo")
    assert by_annotator(found) == [
        ("-97", "news-ada", "Hopefully"),
        ("-97", "news-bob", "Hopefully"),
        ("-97", "cleo", "Experts"),
    ]


def test_an_accepted_text_without_spans_is_clean(tmp_path):
    found = imported("prodigy", export(tmp_path, task("fall", spans=[]), task("fall", spans=None, _input_hash=2)))
    assert [(article.id, article.spans) for article in found.articles] == [("-97", ()), ("2", ())]


def test_a_quote_is_checked_and_a_broken_span_reported(tmp_path):
    spans_ = [{"start": 0, "end": 9, "label": "hedging", "text": "Hopefull"}, {"start": 0, "label": "hedging"}]
    found = imported("prodigy", export(tmp_path, task("fall", spans=spans_)))
    assert sorted(bad(found)) == [("news.jsonl:1", Reason.MALFORMED), ("news.jsonl:1", Reason.QUOTE)]


def test_one_hash_with_two_texts_is_a_contradiction(tmp_path):
    found = imported("prodigy", export(tmp_path, task("fall"), task("fall", text=TEXT.replace("fall", "rise"))))
    assert bad(found) == [("news.jsonl:2", Reason.CONTRADICTION)]
    assert spans(found) == [("-97", "hedging", "fall")]


def test_who_accepted_a_text_without_labels_has_read_it(tmp_path):
    tasks = [task("fall", _annotator_id="ada"), task("fall", spans=[], _annotator_id="bob")]
    tasks.append(task("fall", answer="ignore", _annotator_id="cleo"))
    assert imported("prodigy", export(tmp_path, *tasks)).articles[0].readers == ("ada", "bob")
