"""A table as a value: shown on a page, and sent as CSV and JSON with the same rows. Pure."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from serving.evidence import Figure
from serving.pages import wording

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets run text that begins so


class Linked(NamedTuple):
    """A text that leads somewhere."""

    text: str
    href: str


Value = str | int | float | Figure | Linked | None
Row = Mapping[str, Value]
Plain = str | int | float | None


class Cell(NamedTuple):
    text: str
    href: str  # empty: leads nowhere
    kind: str  # number, prose, day, or empty
    code: bool


@dataclass(frozen=True, slots=True)
class Column:
    """`key` names it in CSV and JSON; a Figure becomes three of them there, KEY, KEY_low and KEY_high."""

    key: str
    label: str
    show: Callable[..., str] = wording.text
    numeric: bool = False
    interval: bool = False
    code: bool = False  # to be copied
    prose: bool = False  # has sentences: it needs room
    moment: bool = False  # breaks between day and time, if at all

    @property
    def kind(self) -> str:
        return "number" if self.numeric else "prose" if self.prose else "day" if self.moment else ""


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def split(self, rows: int) -> tuple["Table", "Table"]:
        """The first so many rows, and the others."""
        rest = replace(self, name=f"{self.name}-more", caption=f"{self.caption}, continued", rows=self.rows[rows:])
        return replace(self, rows=self.rows[:rows]), rest

    def cells(self) -> Iterator[list[Cell]]:
        for row in self.rows:
            yield [_cell(column, row[column.key]) for column in self.columns]

    def keys(self) -> list[str]:
        return [key for column in self.columns for key in _keys(column)]

    def records(self) -> list[dict[str, Plain]]:
        """As JSON has them."""
        return [
            {key: value for column in self.columns for key, value in _plain(column, row[column.key])}
            for row in self.rows
        ]

    def csv(self) -> str:
        """RFC 4180, with a line of names; text that a spreadsheet would run begins with an apostrophe."""
        out = io.StringIO()
        writer = csv.DictWriter(out, self.keys(), lineterminator="\r\n")
        writer.writeheader()
        for record in self.records():
            writer.writerow({key: _harmless(value) for key, value in record.items()})
        return out.getvalue()


def number(key: str, label: str, show: Callable[..., str] = wording.whole) -> Column:
    return Column(key, label, show, numeric=True)


def figure(key: str, label: str, show: Callable[..., str] = wording.interval) -> Column:
    return Column(key, label, show, numeric=True, interval=True)


def find_table(tables: Sequence[Table], name: str) -> Table | None:
    return next((table for table in tables if table.name == name), None)


def _cell(column: Column, value: Value) -> Cell:
    if isinstance(value, Linked):
        return Cell(column.show(value.text), value.href, column.kind, column.code)
    return Cell(column.show(value), "", column.kind, column.code)


def _keys(column: Column) -> list[str]:
    return [column.key, f"{column.key}_low", f"{column.key}_high"] if column.interval else [column.key]


def _plain(column: Column, value: Value) -> Iterator[tuple[str, Plain]]:
    if column.interval:
        given = value if isinstance(value, Figure) else Figure(value=None, low=None, high=None)
        yield from zip(_keys(column), (given.value, given.low, given.high), strict=True)
    elif isinstance(value, Linked):
        yield column.key, value.text
    elif not isinstance(value, Figure):
        yield column.key, value


def _harmless(value: Plain) -> Plain:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
