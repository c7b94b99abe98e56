import re
from html import unescape

import pytest

from serving.evidence import Figure
from serving.pages import charts
from serving.pages.charts import DotRow, Mark, Note, Point


def point(value: float | None, low: float | None, high: float | None, mark: Mark = Mark.BEFORE) -> Point:
    return Point(Figure(value=value, low=low, high=high), mark, "A")


@pytest.mark.parametrize(
    ("end", "most", "expected"),
    [
        (1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (100, 6, [0, 20, 40, 60, 80, 100]),
        (7, 5, [0, 2, 4, 6]),
        (0.03, 4, [0, 0.01, 0.02, 0.03]),
        (0, 5, [0]),
    ],
)
def test_ticks_are_round(end: float, most: int, expected: list[float]) -> None:
    assert charts.ticks(end, most) == pytest.approx(expected)


def test_a_value_stands_where_the_axis_says() -> None:
    svg = charts.dots([DotRow("Plain words", (point(50, 25, 75),))], id="d", title="t", unit="%", most=100)
    wide = svg[: svg.index("</svg>")]
    ticks = {unescape(text): float(x) for x, text in re.findall(r'class="tick" x="([\d.]+)"[^>]*>([^<]*)<', wide)}
    centre = re.search(r'cx="([\d.]+)"', wide)
    ends = re.search(r'class="whisker before" x1="([\d.]+)" x2="([\d.]+)"', wide)
    assert centre
    assert ends
    assert float(centre[1]) == pytest.approx((ticks["0"] + ticks["100"]) / 2, abs=0.1)
    width = ticks["100"] - ticks["0"]
    assert [float(end) for end in ends.groups()] == pytest.approx(
        [ticks["0"] + width / 4, ticks["0"] + 3 * width / 4], abs=0.1
    )


def test_words_stand_beside_the_points_or_under_the_label() -> None:
    notes = (Note("recall worse", "worse"), Note("<b>false alarms</b>", "held"))
    rows = [DotRow("a", (point(1, 0.5, 2),), notes), DotRow("b", (point(1, 0.5, 2),), notes[:1]), DotRow("c", ())]
    bare = charts.dots([DotRow(row.label, row.points) for row in rows], id="d", title="t", unit="u")
    svg = charts.dots(rows, id="d", title="t", unit="u")
    wide, narrow = svg.split("</svg>")[:2]
    placed = re.findall(r'class="note (\w+)" x="([\d.]+)" y="([\d.]+)">([^<]+)<', wide)
    assert [(kind, unescape(text)) for kind, _, _, text in placed] == [
        ("worse", "recall worse"),
        ("held", "<b>false alarms</b>"),
        ("worse", "recall worse"),
    ]
    end = max(float(x) for x in re.findall(r'class="grid" x1="([\d.]+)"', wide))
    assert all(float(x) > end for _, x, _, _ in placed)
    heights = [[float(h) for h in re.findall(r'viewBox="0 0 \d+ (\d+)"', one)] for one in (bare, svg)]
    assert heights[1] == [heights[0][0], heights[0][1] + 3 * charts.LINE]
    labels = [float(y) for y in re.findall(r'class="label" x="0" y="([\d.]+)"', narrow)]
    under = [float(y) for y in re.findall(r'class="note \w+" x="0.0" y="([\d.]+)"', narrow)]
    assert labels[0] < under[0] < under[1] < labels[1] < under[2] < labels[2]
    assert "a: A 1 (0.5 to 2), recall worse, &lt;b&gt;false alarms&lt;/b&gt;; b:" in wide


def test_a_tall_chart_has_its_axis_at_both_ends() -> None:
    def units(rows: int) -> int:
        svg = charts.dots([DotRow("a", (point(1, 0.5, 2),))] * rows, id="d", title="t", unit="findings")
        return svg.split("</svg>")[0].count(">findings<")

    assert [units(charts.TALL - 1), units(charts.TALL)] == [1, 2]


def test_an_interval_that_goes_on_says_so() -> None:
    svg = charts.dots([DotRow("a", (point(1, 0.5, 40),))], id="d", title="t", unit="u")
    assert svg.count('class="beyond before"') == 2
    assert "A 1 (0.5 to 40)" in svg


def test_what_is_unknown_is_said_and_not_drawn() -> None:
    svg = charts.dots(
        [DotRow("a", (point(None, None, None), point(2, None, None, Mark.AFTER)))], id="d", title="t", unit=""
    )
    assert "A unknown, A 2" in svg
    assert svg.count('class="mark') == 2
    assert "whisker" not in svg


def test_marks_differ_in_shape() -> None:
    shapes = set()
    for mark in Mark:
        svg = charts.dots([DotRow("a", (point(1, None, None, mark),))], id="d", title="t", unit="")
        shapes.add(re.sub(r"[MHV]?[\d.]+ [\d.]+m|cx=.*", "m", re.findall(r'class="mark \w+" (.*?)/>', svg)[0]))
    assert len(shapes) == len(Mark)


def test_columns_are_as_high_as_their_numbers() -> None:
    svg = charts.columns(["0–10", "10–20"], [("A", Mark.BEFORE, [1, 4])], id="c", title="t", axis="score")
    heights = [float(height) for height in re.findall(r'class="column before"[^>]*height="([\d.]+)"', svg)]
    assert heights[1] == pytest.approx(4 * heights[0])


def test_texts_are_escaped_and_ids_are_of_one_chart() -> None:
    hostile = '<script>alert(1)</script>"&'
    svg = charts.dots([DotRow(hostile, (point(1, 0, 2),))], id="x", title=hostile, unit=hostile)
    svg += charts.bars([(hostile, 3)], id="y", title=hostile)
    svg += charts.columns([hostile], [(hostile, Mark.AFTER, [1])], id="z", title=hostile, axis=hostile)
    assert "<script" not in svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids)) == 12


def test_nothing_to_draw_is_no_failure() -> None:
    assert charts.dots([], id="a", title="t", unit="").count("<svg") == 2
    assert charts.columns([], [("A", Mark.AFTER, [])], id="b", title="t", axis="").count("<svg") == 2
    assert charts.bars([], id="c", title="t").count("<svg") == 2


@pytest.mark.parametrize(("heights", "marks"), [([0.0, 1.0], ["0", "1"]), ([0.5, 1.0], ["0", "0.5", "1"])])
def test_what_is_counted_is_counted_in_whole_numbers(heights: list[float], marks: list[str]) -> None:
    drawn = charts.columns(["a", "b"], [("articles", Mark.AFTER, heights)], id="x", title="X", axis="hour")
    told = re.findall(r'text-anchor="end">([0-9.]+)</text>', drawn)
    assert told == marks * 2  # wide and narrow
