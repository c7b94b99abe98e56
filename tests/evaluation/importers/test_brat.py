from evaluation.importers.export import Reason
from tests.evaluation.importers.build import bad, files, imported, said, spans

TEXT = "The 🚗 council, sources\nsaid, is broke.\n\nIt denied this.\n"


def line(number: int, label: str, *words: str) -> str:
    parts = ";".join(f"{TEXT.index(part)} {TEXT.index(part) + len(part)}" for part in words)
    return f"T{number}\t{label} {parts}\t{' '.join(words).replace(chr(10), ' ')}\n"


def test_a_label_in_several_parts_is_several_spans(tmp_path):
    ann = line(1, "claims", "sources", "is broke") + line(2, "hedging", "denied")
    found = imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann}))
    assert spans(found) == [("a", "claims", "sources"), ("a", "claims", "is broke"), ("a", "hedging", "denied")]
    assert bad(found) == []


def test_parts_that_a_line_end_divides_are_one(tmp_path):
    ann = line(1, "claims", "sources", "said")
    assert spans(imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann}))) == [("a", "claims", "sources said")]


def test_one_bad_part_spoils_its_label(tmp_path):
    ann = "T1\tclaims 4 5;900 910\t🚗 nowhere\n"
    found = imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann}))
    assert (spans(found), bad(found)) == ([], [("a.ann:1", Reason.OUTSIDE)])


def test_a_quote_that_differs_is_reported_with_both(tmp_path):
    ann = "T1\tclaims 5 13\tcouncil,\n"
    found = imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann}))
    assert bad(found) == [("a.ann:1", Reason.QUOTE)]
    assert said(found) == "'claims': 5..13 has ' council', and the export quotes 'council,'"


def test_what_is_no_label_of_words_is_counted(tmp_path):
    ann = (
        "R1\tOrigin Arg1:T1 Arg2:T2\n*\tEquiv T1 T2\nE1\tMerge:T1 Who:T2\nA1\tNegation E1\nM1\tSpeculation E1\n"
        "N1\tReference T1 Wikipedia:5\tx\n#1\tAnnotatorNotes T1\twhy?\n"
    )
    found = imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann, "b.txt": "Not seen."}))
    assert found.left_out == {
        "relations": 2,
        "events": 1,
        "attributes": 2,
        "normalisations": 1,
        "notes": 1,
        "texts without an .ann file": 1,
    }
    assert [article.id for article in found.articles] == ["a"]


def test_folders_in_folders_give_ids(tmp_path):
    ann = line(1, "claims", "council")
    folder = files(tmp_path, {"x/a.txt": TEXT, "x/a.ann": ann, "y/a.txt": TEXT, "y/a.ann": ""})
    assert [(a.id, len(a.spans)) for a in imported("brat", folder).articles] == [("x/a", 1), ("y/a", 0)]


def test_broken_lines_and_missing_texts_are_reported(tmp_path):
    ann = "T1 claims 0 3 The\nT2\tclaims 0-3\tThe\nwhat?\n"
    found = imported("brat", files(tmp_path, {"a.txt": TEXT, "a.ann": ann, "b.ann": line(1, "claims", "council")}))
    assert bad(found) == [
        ("a.ann:1", Reason.MALFORMED),
        ("a.ann:2", Reason.MALFORMED),
        ("a.ann:3", Reason.MALFORMED),
        ("b.ann", Reason.NO_TEXT),
    ]
    assert found.bad[-1].said == "b.txt is missing; labels: 1"


def test_texts_may_stand_in_another_folder(tmp_path):
    labels = files(tmp_path / "labels", {"a.ann": line(1, "claims", "council")})
    texts = files(tmp_path / "texts", {"a.txt": TEXT})
    assert spans(imported("brat", labels / "a.ann", texts=texts)) == [("a", "claims", "council")]
