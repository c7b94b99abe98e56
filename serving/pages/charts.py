"""Charts as plain SVG, drawn by the server. Pure: values in, text out.

Colours are classes of the stylesheet; every mark differs by shape too. Each chart comes wide and narrow, of which the
stylesheet shows one, and a table under it has its numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape
from itertools import accumulate, count

from serving.evidence import Figure
from serving.pages.wording import shortened

ROW, ROW_NARROW = 34, 50  # pixels
LINE = 15  # of a note
LABEL_CHARACTERS, LABEL_CHARACTERS_NARROW = 39, 42
BEYOND = 1.5  # how far over the largest value the axis goes for the ends of intervals
HEIGHT = 190  # of the columns of a histogram
TALL = 12  # rows from which on the axis stands above them, too


class Mark(StrEnum):
    """Shape and colour of a point."""

    BEFORE = "before"  # hollow circle
    AFTER = "after"  # filled diamond
    MORE = "more"  # filled triangle, pointing right
    FEWER = "fewer"  # filled triangle, pointing left


@dataclass(frozen=True, slots=True)
class Point:
    figure: Figure
    mark: Mark
    says: str  # the mark in words


@dataclass(frozen=True, slots=True)
class Note:
    """A line of words beside the points of a row."""

    text: str
    kind: str  # class


@dataclass(frozen=True, slots=True)
class DotRow:
    label: str
    points: tuple[Point, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """Of a chart; `left` is the room for labels, 0 where they stand above their rows.

    `right` is that for notes, where a row has any; 0 where they stand under their label, a line each.
    """

    name: str
    width: int
    left: int
    right: int
    row: int
    characters: int
    ticks: int


WIDE = Size("wide", 880, 306, 216, ROW, LABEL_CHARACTERS, 7)
NARROW = Size("narrow", 300, 0, 0, ROW_NARROW, LABEL_CHARACTERS_NARROW, 4)
SIZES = (WIDE, NARROW)


def dots(rows: Sequence[DotRow], *, id: str, title: str, unit: str, most: float | None = None) -> str:
    """Points with their intervals, one row each; `most` is the end of the axis where that is known."""
    end = most or _end([point.figure for row in rows for point in row.points])
    said = "; ".join(
        f"{row.label}: {', '.join([*map(_said, row.points), *(note.text for note in row.notes)])}" for row in rows
    )
    return _both(lambda size: _dots(rows, size, end, unit), id=id, title=title, description=said)


def columns(
    labels: Sequence[str],
    series: Sequence[tuple[str, Mark, Sequence[float]]],
    *,
    id: str,
    title: str,
    axis: str,
    unit: str = "",
) -> str:
    """Columns side by side: `series` are name, mark and the heights, `axis` says what stands below."""
    said = "; ".join(
        f"{name}: {', '.join(f'{label} {_number(value)}{unit}' for label, value in zip(labels, values, strict=True))}"
        for name, _, values in series
    )
    return _both(lambda size: _columns(labels, series, size, axis, unit), id=id, title=title, description=said)


def bars(rows: Sequence[tuple[str, float]], *, id: str, title: str) -> str:
    """Horizontal bars with their number at the end."""
    said = "; ".join(f"{label}: {_number(value)}" for label, value in rows)
    return _both(lambda size: _bars(rows, size), id=id, title=title, description=said)


def ticks(end: float, most: int) -> list[float]:
    """Round values from 0 to `end`, at most so many: steps of 1, 2 or 5 times a power of ten."""
    if end <= 0:
        return [0.0]
    rough = end / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [round(step * i, 10) for i in range(int(end / step + 1e-9) + 1)]


def _end(figures: Sequence[Figure]) -> float:
    values = [figure.value for figure in figures if figure.value is not None]
    highs = [figure.high for figure in figures if figure.high is not None]
    largest = max(values, default=0.0)
    reach = max([*highs, largest], default=0.0)
    return min(reach, BEYOND * largest) if largest else reach or 1.0


def _both(draw: Callable[[Size], tuple[str, float]], *, id: str, title: str, description: str) -> str:
    return "".join(_svg(*draw(size), size, id=id, title=title, description=description) for size in SIZES)


def _svg(body: str, height: float, size: Size, *, id: str, title: str, description: str) -> str:
    name = f"{id}-{size.name}"
    return (
        f'<svg class="chart {size.name}" viewBox="0 0 {size.width} {height:.0f}" role="img" '
        f'aria-labelledby="{name}-t" aria-describedby="{name}-d"><title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{body}</svg>'
    )


def _dots(rows: Sequence[DotRow], size: Size, end: float, unit: str) -> tuple[str, float]:
    above = len(rows) >= TALL
    top, right, pad = 40 if above else 6, 14, 8
    under = [0 if size.right else LINE * len(row.notes) for row in rows]  # a row is so much higher
    *tops, bottom = accumulate((size.row + room for room in under), initial=top)
    scale = _Scale(size.left + pad, size.width - right - (size.right if any(row.notes for row in rows) else 0), end)
    out = _axis(scale, size, top, bottom, unit, above=above)
    for row, y, room in zip(rows, tops, under, strict=True):
        out.append(_label(row.label, size, y))
        middle = y + size.row / 2 if size.left else y + 33 + room
        out += _notes(row.notes, scale, size, middle if size.right else y + 15)
        offsets = count(-4.5 * (len(row.points) - 1), 9)
        for offset, point in zip(offsets, row.points, strict=False):
            out.append(_point(point, scale, middle + offset))
    return "".join(out), bottom + 42


def _notes(notes: Sequence[Note], scale: "_Scale", size: Size, y: float) -> list[str]:
    """To the right of the points, around `y`; or under the label, whose line ends at `y`."""
    x = scale.right + 20 if size.right else 0
    first = y + 4 - LINE * (len(notes) - 1) / 2 if size.right else y + LINE
    return [
        f'<text class="note {note.kind}" x="{x:.1f}" y="{first + LINE * place:.1f}">{escape(note.text)}</text>'
        for place, note in enumerate(notes)
    ]


def _columns(
    labels: Sequence[str], series: Sequence[tuple[str, Mark, Sequence[float]]], size: Size, axis: str, unit: str
) -> tuple[str, float]:
    left, right, top = 44, 8, 10
    bottom = top + HEIGHT
    heights = [value for _, _, values in series for value in values]
    marks = ticks(max(heights, default=0) or 1, 5)
    if all(height == int(height) for height in heights):  # there is no half an article
        marks = [mark for mark in marks if mark == int(mark)]
    end = max([*marks, *heights]) or 1
    out = [
        f'<line class="grid" x1="{left}" x2="{size.width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(mark)}{unit}</text>'
        for mark in marks
        for y in [bottom - HEIGHT * mark / end]
    ]
    slot = (size.width - right - left) / max(len(labels), 1)
    bar = min(26.0, slot * 0.8 / max(len(series), 1))
    every = max(1, math.ceil(len(labels) / (12 if size is WIDE else 5)))
    for place, label in enumerate(labels):
        middle = left + slot * (place + 0.5)
        for number, (name, mark, values) in enumerate(series):
            x, height = middle + bar * (number - len(series) / 2), HEIGHT * values[place] / end
            said = escape(f"{name}, {label}: {_number(values[place])}{unit}")
            out.append(
                f'<rect class="column {mark}" x="{x:.1f}" y="{bottom - height:.1f}" width="{bar - 1:.1f}" '
                f'height="{height:.1f}"><title>{said}</title></rect>'
            )
        if place % every == 0:
            out.append(
                f'<text class="tick" x="{middle:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(label)}</text>'
            )
    out.append(f'<line class="base" x1="{left}" x2="{size.width - right}" y1="{bottom}" y2="{bottom}"/>')
    out.append(f'<text class="unit" x="{size.width - right}" y="{bottom + 34}" text-anchor="end">{escape(axis)}</text>')
    return "".join(out), bottom + 42


def _bars(rows: Sequence[tuple[str, float]], size: Size) -> tuple[str, float]:
    top, row = 4, 28 if size.left else 44
    end = max((value for _, value in rows), default=0) or 1
    out = []
    for place, (label, value) in enumerate(rows):
        y, x = top + row * place, size.left + 8
        out.append(_label(label, replace(size, row=row), y))
        middle = y + row / 2 if size.left else y + 29
        width = (size.width - x - 64) * value / end
        out.append(f'<rect class="bar" x="{x}" y="{middle - 7:.1f}" width="{width:.1f}" height="14"/>')
        out.append(f'<text class="value" x="{x + width + 7:.1f}" y="{middle + 4.5:.1f}">{_number(value)}</text>')
    return "".join(out), top + row * len(rows) + 4


@dataclass(frozen=True, slots=True)
class _Scale:
    left: float
    right: float
    end: float

    def x(self, value: float) -> float:
        return self.left + min(max(value, 0.0), self.end) / self.end * (self.right - self.left)


def _axis(scale: _Scale, size: Size, top: float, bottom: float, unit: str, *, above: bool) -> list[str]:
    out = []
    lines = [(bottom + 16, bottom + 34), *([(top - 8, top - 26)] if above else [])]  # of the numbers and of the unit
    for tick in ticks(scale.end, size.ticks):
        x = scale.x(tick)
        out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        out += [f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{_number(tick)}</text>' for y, _ in lines]
    out += [
        f'<text class="unit" x="{scale.right:.1f}" y="{y}" text-anchor="end">{escape(unit)}</text>' for _, y in lines
    ]
    return out


def _label(label: str, size: Size, y: float) -> str:
    shown = escape(shortened(label, size.characters))
    if size.left:
        return (
            f'<text class="label" x="{size.left - 8}" y="{y + size.row / 2 + 4.5:.1f}" text-anchor="end">{shown}</text>'
        )
    return f'<text class="label" x="0" y="{y + 15}">{shown}</text>'


def _point(point: Point, scale: _Scale, y: float) -> str:
    figure, out = point.figure, ""
    if figure.value is None:
        return ""
    if figure.low is not None and figure.high is not None:
        low, high = scale.x(figure.low), scale.x(figure.high)
        out = f'<line class="whisker {point.mark}" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        if figure.high > scale.end:  # it goes on
            out += f'<path class="beyond {point.mark}" d="M{high + 2:.1f} {y - 4:.1f}l5 4l-5 4"/>'
    return f"<g>{out}{_shape(point.mark, scale.x(figure.value), y)}<title>{escape(_said(point))}</title></g>"


def _shape(mark: Mark, x: float, y: float) -> str:
    if mark is Mark.BEFORE:
        return f'<circle class="mark {mark}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    path = {Mark.AFTER: "m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z", Mark.MORE: "m-4.5 -5.5l10 5.5l-10 5.5z"}
    return f'<path class="mark {mark}" d="M{x:.1f} {y:.1f}{path.get(mark, "m4.5 -5.5l-10 5.5l10 5.5z")}"/>'


def _said(point: Point) -> str:
    figure = point.figure
    if figure.value is None:
        return f"{point.says} unknown"
    ends = f" ({_number(figure.low)} to {_number(figure.high)})" if None not in (figure.low, figure.high) else ""
    return f"{point.says} {_number(figure.value)}{ends}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{round(value, 2):,g}"
