import csv
import io
import re

import pytest

from serving.evidence import Figure
from serving.pages import wording
from serving.pages.assets import SERVING
from serving.pages.guidelines import REASONS
from serving.pages.tables import Column, Linked, Table, figure, number

FIGURE = Figure(value=1.5, low=-0.25, high=3.0)


def test_a_table_is_the_same_shown_and_sent() -> None:
    table = Table(
        "t",
        "caption",
        (Column("name", "Name"), number("count", "Count"), figure("rate", "Rate", wording.change_interval)),
        ({"name": Linked("Plain", "/x"), "count": 1200, "rate": FIGURE}, {"name": "", "count": None, "rate": None}),
    )
    assert [[cell.text for cell in row] for row in table.cells()] == [
        ["Plain", "1,200", "+1.50 (−0.25 to +3.00)"],
        ["–", "–", "–"],
    ]
    assert table.records() == [
        {"name": "Plain", "count": 1200, "rate": 1.5, "rate_low": -0.25, "rate_high": 3.0},
        {"name": "", "count": None, "rate": None, "rate_low": None, "rate_high": None},
    ]
    read = list(csv.DictReader(io.StringIO(table.csv())))
    assert read[0] == {"name": "Plain", "count": "1200", "rate": "1.5", "rate_low": "-0.25", "rate_high": "3.0"}
    assert table.csv().startswith("name,count,rate,rate_low,rate_high\r\n")


def test_a_table_is_split_into_what_is_in_sight_and_the_rest() -> None:
    table = Table("t", "All", (number("n", "N"),), tuple({"n": n} for n in range(3)))
    first, rest = table.split(2)
    assert (first.name, first.records()) == ("t", [{"n": 0}, {"n": 1}])
    assert (rest.name, rest.caption, rest.records()) == ("t-more", "All, continued", [{"n": 2}])
    assert table.split(3)[1].rows == ()


@pytest.mark.parametrize("given", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_spreadsheet_runs_no_text(given: str) -> None:
    table = Table("t", "", (Column("name", "Name"), number("n", "N")), ({"name": given, "n": -1},))
    assert list(csv.reader(io.StringIO(table.csv())))[1] == [f"'{given}", "-1"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (0.0, "0 s"),
        (0.42, "0.42 s"),
        (1.26, "1.3 s"),
        (59.4, "59 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_are_as_exact_as_they_help(value: float | None, expected: str) -> None:
    assert wording.seconds(value) == expected


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert [wording.decimal(v) for v in (-1.234, -0.001, None, 1234.5)] == ["−1.23", "0.00", "–", "1,234.50"]
    assert [wording.change(v) for v in (0.5, 0.001, -0.5)] == ["+0.50", "0.00", "−0.50"]
    assert wording.percent_interval(Figure(value=0.731, low=0.61, high=0.82)) == "73 % (61 to 82)"
    assert [wording.percent_change(v) for v in (0.125, -0.5, 0.001, None)] == ["+12 %", "−50 %", "0 %", "–"]
    assert wording.counted(1, "article") == "1 article"
    assert wording.counted(2, "guideline differs", "guidelines differ") == "2 guidelines differ"


def test_reasons_have_the_words_of_the_pane() -> None:
    words = (SERVING / "addin" / "static" / "words.js").read_text(encoding="utf-8")
    shown = words.partition("REASONS = {")[2].partition("};")[0]
    assert dict(re.findall(r"'?([a-z-]+)'?: '([^']+)'", shown)) == {str(key): text for key, text in REASONS.items()}
