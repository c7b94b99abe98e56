import json
from pathlib import Path

import pytest

from agent.offsets import Utf16Offsets
from evaluation.importers.export import OffsetUnit, Reason
from evaluation.labels import LabelError
from tests.evaluation.importers.build import bad, by_annotator, files, imported, spans

TEXT = "🚗🚗 Everybody knows it.\nCritics 🚗 say so.\n\nThe end."


def result(words: str, *labels: str, **value: object) -> dict[str, object]:
    offsets = Utf16Offsets(TEXT)
    start = TEXT.index(words)
    place = {"start": offsets.units(start), "end": offsets.units(start + len(words)), "labels": labels or ("claims",)}
    return {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "value": place | value}


def task(*results: object, **fields: object) -> dict[str, object]:
    annotation = {"id": 9, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": results}
    return {"id": 4, "data": {"text": TEXT}, "annotations": [annotation], "predictions": []} | fields


def export(tmp_path: Path, *tasks: object) -> Path:
    return files(tmp_path, {"project.json": json.dumps(tasks)}) / "project.json"


def test_offsets_count_utf16_units(tmp_path):
    found = imported(
        "label-studio", export(tmp_path, task(result("Critics 🚗 say", text="Critics 🚗 say"), result("🚗🚗")))
    )
    assert (spans(found), bad(found)) == ([("4", "claims", "🚗🚗"), ("4", "claims", "Critics 🚗 say")], [])


def test_offsets_in_code_points_are_read_when_told(tmp_path):
    start = TEXT.index("Critics")
    source = export(tmp_path, task(result("Critics", start=start, end=start + 7, text="Critics")))
    assert bad(imported("label-studio", source)) == [("project.json task 1 result 1", Reason.QUOTE)]
    assert spans(imported("label-studio", source, unit=OffsetUnit.CODE_POINTS)) == [("4", "claims", "Critics")]


def test_an_offset_inside_a_surrogate_pair_is_reported(tmp_path):
    found = imported("label-studio", export(tmp_path, task(result("Critics", start=1))))
    assert bad(found) == [("project.json task 1 result 1", Reason.SURROGATE)]


@pytest.mark.parametrize("quote", ["it.\nCritics", "it.\\nCritics", "it. Critics"])
def test_line_ends_of_a_quote_are_written_in_several_ways(tmp_path, quote):
    found = imported("label-studio", export(tmp_path, task(result("it.\nCritics", text=quote))))
    assert spans(found) == [("4", "claims", "it. Critics")]


def test_annotators_stay_side_by_side(tmp_path):
    answers = [
        {"completed_by": 1, "result": [result("Critics")]},
        {"completed_by": {"id": 2, "email": "ada@example.org"}, "result": [result("Critics", "claims", "hedging")]},
    ]
    found = imported("label-studio", export(tmp_path, task(annotations=answers)))
    assert by_annotator(found) == [
        ("4", "1", "Critics"),
        ("4", "ada@example.org", "Critics"),
        ("4", "ada@example.org", "Critics"),
    ]


def test_what_was_skipped_is_reported_and_what_is_no_label_counted(tmp_path):
    skipped = {"completed_by": 3, "was_cancelled": True, "result": [result("Critics")]}
    choice = {"type": "choices", "value": {"choices": ["news"]}}
    found = imported(
        "label-studio",
        export(
            tmp_path,
            task(choice, predictions=[{"result": []}]),
            task(annotations=[skipped], id=5),
            task(annotations=[], id=6),
        ),
    )
    assert bad(found) == [("project.json task 2", Reason.NOT_ACCEPTED)]
    assert found.left_out == {
        "results of type 'choices'": 1,
        "predictions of a model": 1,
        "tasks that nobody annotated": 1,
    }
    assert [article.id for article in found.articles] == ["4"]


def test_the_only_text_of_a_task_is_its_text(tmp_path):
    named = task(result("Critics"), data={"body": TEXT, "number": 3})
    unclear = task(result("Critics"), data={"body": TEXT, "url": "x"}, id=5)
    found = imported("label-studio", export(tmp_path, named, unclear))
    assert spans(found) == [("4", "claims", "Critics")]
    assert bad(found) == [("project.json task 2", Reason.NO_TEXT)]


def test_broken_tasks_are_reported(tmp_path):
    place = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "labels": ["claims"]}
    hypertext = {"type": "hypertextlabels", "value": place}
    found = imported("label-studio", export(tmp_path, task(hypertext, "x"), {"id": 1, "text": TEXT}))
    assert bad(found) == [
        ("project.json task 1 result 1", Reason.MALFORMED),
        ("project.json task 1 result 2", Reason.MALFORMED),
        ("project.json task 2", Reason.MALFORMED),
    ]


@pytest.mark.parametrize(
    ("content", "message"), [("{}", "no list of tasks"), ("[", "no JSON"), (b"\xff\xfa", "not UTF-8")]
)
def test_what_is_no_export_is_said(tmp_path, content, message):
    source = files(tmp_path, {"project.json": content}) / "project.json"
    with pytest.raises(LabelError, match=message):
        imported("label-studio", source)


def test_who_labelled_nothing_has_read_it_and_who_skipped_has_not(tmp_path):
    answers = [
        {"completed_by": 1, "result": [result("Critics")]},
        {"completed_by": 2, "result": []},
        {"completed_by": 3, "result": [], "was_cancelled": True},
    ]
    assert imported("label-studio", export(tmp_path, task(annotations=answers))).articles[0].readers == ("1", "2")
