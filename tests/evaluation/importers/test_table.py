from pathlib import Path

import pytest

from evaluation.importers.export import Reason
from evaluation.labels import LabelError
from tests.evaluation.importers.build import bad, by_annotator, files, imported, spans

TEXT = "The 🚗 was, they say,\nstolen.\n\nPolice agree."


def export(tmp_path: Path, *rows: str, columns: str = "id,text,label,start,end,quote") -> Path:
    return files(tmp_path, {"labels.csv": "\n".join([columns, *rows]) + "\n"}) / "labels.csv"


def test_a_row_is_a_label_and_one_of_an_id_has_the_text(tmp_path):
    found = imported(
        "csv", export(tmp_path, f'a,"{TEXT}",claims,11,19,they say', "a,,dates,30,36,Police", "b,Fine.,,,,")
    )
    assert spans(found) == [("a", "claims", "they say"), ("a", "dates", "Police")]
    assert [(article.id, article.text) for article in found.articles] == [
        ("a", "The 🚗 was, they say, stolen.\n\nPolice agree."),
        ("b", "Fine."),
    ]


def test_further_columns_say_more(tmp_path):
    source = export(
        tmp_path,
        'a1,Ada says so.,claims,0,3,Ada,ada,story,"Ada, again",test',
        "a1,,claims,0,3,Ada,bob,,,",
        "a2,Bob says so.,claims,0,3,Bob,bob,story,,test",
        columns="ID,text,label,start,end,quote,annotator,group,title,split",
    )
    found = imported("csv", source)
    assert by_annotator(found) == [("a1", "ada", "Ada"), ("a1", "bob", "Ada"), ("a2", "bob", "Bob")]
    assert [(a.group, a.title, a.split) for a in found.articles] == [
        ("story", "Ada, again", "test"),
        ("story", "", "test"),
    ]


def test_bad_rows_are_reported_with_the_line_they_begin_in(tmp_path):
    source = export(
        tmp_path,
        f'a,"{TEXT}",claims,11,19,they said',
        "a,,claims,x,3,The",
        "a,,claims,0,3",
        "b,,claims,0,3,The",
        ",No id.,claims,0,2,No",
        "a,Another text.,claims,0,7,Another",
        "a,,,0,3,The",
    )
    found = imported("csv", source)
    assert spans(found) == []
    assert sorted(bad(found)) == [
        ("labels.csv:10", Reason.CONTRADICTION),
        ("labels.csv:11", Reason.UNKNOWN_LABEL),
        ("labels.csv:2", Reason.QUOTE),
        ("labels.csv:6", Reason.MALFORMED),
        ("labels.csv:7", Reason.MALFORMED),
        ("labels.csv:8", Reason.NO_TEXT),
        ("labels.csv:9", Reason.MALFORMED),
    ]


def test_a_group_in_two_splits_is_refused(tmp_path):
    rows = ("a,One.,,,,,g,test", "b,Two.,,,,,g,dev")
    with pytest.raises(LabelError, match=r"group 'g' stands in two splits, 'test' \(a\) and 'dev' \(b\)"):
        imported("csv", export(tmp_path, *rows, columns="id,text,label,start,end,quote,group,split"))


def test_a_long_article_is_read(tmp_path):
    found = imported("csv", export(tmp_path, f"a,{'word ' * 30_000},claims,0,4,word"))
    assert spans(found) == [("a", "claims", "word")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text\n", "no column label, start, end, quote"),
        ("", "no column id"),
        ('id,text,label,start,end,quote\na,"b', "from line 2"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, message):
    with pytest.raises(LabelError, match=message):
        imported("csv", files(tmp_path, {"labels.csv": content}) / "labels.csv")
