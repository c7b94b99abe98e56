import pytest

from evaluation.importers.export import Reason
from evaluation.labels import LabelError
from tests.evaluation.importers.build import bad, files, imported, spans

TEXT = "Plague 🚗 fears\n\nThe plague is coming, he said.\nStupid and petty things, she said.\n"
MORE = "Nothing here\n\nAll is well.\n"


def row(id: str, label: str, words: str, text: str = TEXT) -> str:
    start = text.index(words)
    return f"{id}\t{label}\t{start}\t{start + len(words)}\n"


def test_labels_of_one_file_stand_in_the_texts_beside_it(tmp_path):
    labels = row("111", "Loaded-Language", "Stupid and petty") + row("111", "Doubt", "is coming")
    folder = files(tmp_path, {"train.labels": labels, "article111.txt": TEXT, "article222.txt": MORE})
    found = imported("ptc", folder / "train.labels")
    assert spans(found) == [("111", "Doubt", "is coming"), ("111", "Loaded-Language", "Stupid and petty")]
    assert [(a.id, a.group, a.split) for a in found.articles] == [("111", "111", "dev"), ("222", "222", "dev")]
    assert bad(found) == []


def test_a_label_crosses_lines_and_paragraphs(tmp_path):
    across = row("1", "Doubt", "fears\n\nThe plague") + row("1", "Slogans", "he said.\nStupid and")
    folder = files(tmp_path, {"dev.labels": across, "article1.txt": TEXT})
    assert spans(imported("ptc", folder / "dev.labels")) == [
        ("1", "Doubt", "fears\n\nThe plague"),
        ("1", "Slogans", "he said. Stupid and"),
    ]


def test_windows_line_ends_and_a_byte_order_mark_count(tmp_path):
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    labels = row("1", "Doubt", "\ufeffPlague", text) + row("1", "Slogans", "she said.\r\n", text)
    folder = files(tmp_path, {"dev.labels": labels.replace("\n", "\r\n"), "article1.txt": text})
    assert spans(imported("ptc", folder / "dev.labels")) == [("1", "Doubt", "Plague"), ("1", "Slogans", "she said.")]


def test_in_a_folder_of_labels_each_text_needs_its_file(tmp_path):
    labels = files(tmp_path / "labels", {"article1.labels.tsv": row("1", "Doubt", "plague"), "article2.labels.tsv": ""})
    texts = files(tmp_path / "texts", {f"article{n}.txt": TEXT if n == 1 else MORE for n in (1, 2, 3)})
    found = imported("ptc", labels, texts=texts)
    assert [(article.id, len(article.spans)) for article in found.articles] == [("1", 1), ("2", 0)]
    assert found.left_out == {"texts without a file of labels": 1}


def test_bad_lines_are_reported_with_their_numbers(tmp_path):
    lines = [
        "1\t3\t9",
        "1\tDoubt\tx\t9",
        "1\tDoubt\t5\t5",
        "1\tDoubt\t70\t700",
        "1\tDoubt\t-3\t4",
        "1\tLoaded_Language\t0\t6",
    ]
    lines += ["7\tDoubt\t0\t4", "1\tDoubt\t14\t16"]
    folder = files(tmp_path, {"dev.labels": "\n".join(lines), "article1.txt": TEXT})
    found = imported("ptc", folder / "dev.labels")
    assert spans(found) == []
    assert sorted(bad(found)) == [
        ("dev.labels:1", Reason.MALFORMED),
        ("dev.labels:2", Reason.MALFORMED),
        ("dev.labels:3", Reason.EMPTY),
        ("dev.labels:4", Reason.OUTSIDE),
        ("dev.labels:5", Reason.OUTSIDE),
        ("dev.labels:6", Reason.UNKNOWN_LABEL),
        ("dev.labels:7", Reason.NO_TEXT),
        ("dev.labels:8", Reason.EMPTY),
    ]


@pytest.mark.parametrize(("name", "message"), [("empty", "has no files of labels"), ("gone", "can't be read")])
def test_what_is_no_export_is_said(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match=message):
        imported("ptc", tmp_path / name)
