import pytest

from evaluation.importers.label_map import read_label_map
from evaluation.labels import LabelError
from tests.evaluation.importers.build import files


def test_a_mapping_is_read(tmp_path):
    labels = read_label_map(
        files(tmp_path, {"map.yaml": "Doubt: null\nLoaded_Language: loaded-language\n"}) / "map.yaml"
    )
    assert [labels.guideline(name) for name in ("Loaded_Language", "Doubt", "Slogans")] == [
        "loaded-language",
        None,
        None,
    ]
    assert [labels.leaves_out(name) for name in ("Loaded_Language", "Doubt", "Slogans")] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- Doubt\n", "is no mapping of labels"),
        ("", "is no mapping of labels"),
        ("Doubt: not an id\n", "maps 'Doubt' to 'not an id'"),
        ("no: hedging\n", "maps False to 'hedging'"),
        ("Doubt: [\n", "can't be read as a mapping"),
    ],
)
def test_mistakes_are_said(tmp_path, content, message):
    with pytest.raises(LabelError, match=message):
        read_label_map(files(tmp_path, {"map.yaml": content}) / "map.yaml")


def test_a_mapping_that_is_not_there_is_said(tmp_path):
    with pytest.raises(LabelError, match="can't be read as a mapping"):
        read_label_map(tmp_path / "map.yaml")
