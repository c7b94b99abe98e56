"""Lines and columns of Markdown blocks whose content begins or ends elsewhere than their lines."""

import pytest

from agent.formats.markdown import read_markdown
from agent.source_map import Location


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("\u00a0\nExperts say so.", 2, 1),
        ("Intro.\n\n\u3000\nExperts say so.\nAnd more.", 4, 1),
        ("Intro.\n\n\f\n\f\nExperts say so.", 5, 1),
        ("> \f\n> Experts say so.", 2, 3),
    ],
)
def test_a_line_of_other_white_space_moves_no_line(source: str, line: int, column: int):
    found = read_markdown(source)
    assert found.locate(found.text.index("Experts")) == Location(line, column)


@pytest.mark.parametrize(
    ("source", "column"),
    [("## Experts say ##", 4), ("## Experts ##\u00a0", 4), ("> - ##  Experts #1\v ##", 9), ("# \u00a0Experts \\#", 4)],
)
def test_marks_at_a_headings_end_move_no_column(source: str, column: int):
    found = read_markdown(source)
    assert found.locate(found.text.index("Experts")) == Location(1, column)
