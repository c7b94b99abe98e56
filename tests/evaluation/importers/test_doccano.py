import json
from pathlib import Path

import pytest

from evaluation.importers.export import Reason
from tests.evaluation.importers.build import bad, by_annotator, files, imported, spans

TEXT = "A 🚗 car company claims\r\nto be green.\r\n\r\nExperts doubt it."
AT = TEXT.index("claims"), TEXT.index("claims") + 6


def export(tmp_path: Path, *records: object) -> Path:
    lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    return files(tmp_path, {"all.jsonl": "\n".join(lines)}) / "all.jsonl"


@pytest.mark.parametrize(
    "labels",
    [
        {"label": [[*AT, "claims"]]},
        {"labels": [[*AT, "claims"]]},
        {"label": [[*AT, "claims", "claims"]]},
        {"entities": [{"id": 3, "label": "claims", "start_offset": AT[0], "end_offset": AT[1]}], "relations": []},
    ],
    ids=["label", "labels", "with quote", "entities"],
)
def test_each_form_reads_the_same(tmp_path, labels):
    found = imported("doccano", export(tmp_path, {"id": 7, "text": TEXT, "Comments": [], **labels}))
    assert (spans(found), bad(found)) == ([("7", "claims", "claims")], [])


def test_a_span_over_a_line_end_is_words_with_a_space(tmp_path):
    end = TEXT.index("green") + 5
    found = imported("doccano", export(tmp_path, {"id": 7, "text": TEXT, "label": [[AT[0], end, "claims"]]}))
    assert spans(found) == [("7", "claims", "claims to be green")]


def test_bad_labels_and_lines_are_reported(tmp_path):
    source = export(
        tmp_path,
        {"id": 1, "text": TEXT, "label": [["claims"], [0, 900, "claims"], [5, 5, "claims"], [0, 1, "no id"]]},
        "{not json",
        {"id": 2, "label": []},
        {"id": 3, "text": " \n ", "label": [[0, 1, "claims"]]},
        {"id": 4, "text": TEXT, "entities": [{"label": "claims", "start_offset": 0, "end_offset": 1, "text": "B"}]},
        {"id": 5, "text": TEXT, "label": [[0.5, 3, "claims"], ["0", 3, "claims"], [True, 3, "claims"]]},
    )
    found = imported("doccano", source)
    assert spans(found) == []
    assert sorted(bad(found)) == [
        ("all.jsonl:1", Reason.MALFORMED),
        ("all.jsonl:1", Reason.EMPTY),
        ("all.jsonl:1", Reason.UNKNOWN_LABEL),
        ("all.jsonl:1", Reason.OUTSIDE),
        ("all.jsonl:2", Reason.MALFORMED),
        ("all.jsonl:3", Reason.MALFORMED),
        ("all.jsonl:4", Reason.NO_TEXT),
        ("all.jsonl:5", Reason.QUOTE),
        ("all.jsonl:6", Reason.MALFORMED),
        ("all.jsonl:6", Reason.MALFORMED),
        ("all.jsonl:6", Reason.MALFORMED),
    ]


def test_relations_are_counted(tmp_path):
    relations = [{"id": 1, "from_id": 3, "to_id": 4, "type": "says"}]
    source = export(tmp_path, {"id": 1, "text": TEXT, "entities": [], "relations": relations})
    assert imported("doccano", source).left_out == {"relations": 1}


def test_a_folder_has_a_file_an_annotator(tmp_path):
    record = json.dumps({"id": 7, "text": TEXT, "label": [[*AT, "claims"]]}, ensure_ascii=False)
    found = imported("doccano", files(tmp_path, {"ada.jsonl": record, "bob.jsonl": record}))
    assert by_annotator(found) == [("7", "ada", "claims"), ("7", "bob", "claims")]
    assert found.articles[0].annotators == ("ada", "bob")


def test_a_text_without_an_id_is_known_by_its_words(tmp_path):
    record = {"text": TEXT, "label": []}
    first, second = imported("doccano", export(tmp_path, record, {"text": "Other."}, record)).articles
    assert (first.text[:5], second.text) == ("A 🚗 c", "Other.")
    assert first.id.startswith("text-")
    assert first.id != second.id
