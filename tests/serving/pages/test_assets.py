"""Static files: addressed by content, whole, sent without their comments, and small."""

import re

import pytest

from serving.pages.assets import FOLDERS, assets, read_assets

SOURCES = [path for folder in FOLDERS for path in folder.glob("*.js")]
IMPORT = re.compile(r"(?:^import (?:.* from )?|\bimport\()'\./(.*?)'", re.MULTILINE)
KB = 1000
AT_START = 18.5 * KB  # as sent to Word before the first check, scripts and styles
ALL = 30 * KB  # with what the first check loads


def test_another_content_has_another_address(tmp_path):
    (tmp_path / "a.js").write_text("1")
    before = read_assets(tmp_path).url("a.js")
    (tmp_path / "a.js").write_text("2")
    assert read_assets(tmp_path).url("a.js") != before


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"no static file 'x\.js'"):
        assets().url("x.js")


def test_two_files_of_one_name_are_refused(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        (folder / "a.js").write_text("1")
    with pytest.raises(ValueError, match=r"two static files 'a\.js'"):
        read_assets(tmp_path / "one", tmp_path / "two")


def test_comments_stay_at_home(tmp_path):
    code = "/** Says\n * why. */\n// here\n\nif (a) {\n  b(/** @type {c} */ ('e // c')); // d\n}\n"
    (tmp_path / "a.js").write_text(code)
    assert read_assets(tmp_path).by_name["a.js"].body == b"if (a) {\nb(('e // c'));\n}\n"


def test_no_literal_spans_lines():
    """Or its indentation would be lost on the way; nor does one hold what looks like a type."""
    lines = [line for path in SOURCES for line in path.read_text().splitlines()]
    assert [line for line in lines if line.count("`") % 2 or re.search(r"['\"`/][^'\"` ]*/\*\*", line)] == []


def test_modules_import_only_files_that_are_there():
    assert {name for path in SOURCES for name in IMPORT.findall(path.read_text())} <= set(assets().by_name)


def test_nothing_shown_is_ever_read_as_markup():
    code = "".join(path.read_text() for path in SOURCES)
    assert not re.search(r"(?:inner|outer|insertAdjacent)HTML|document\.write|\beval\(|new Function|srcdoc", code)


def test_nothing_is_kept_in_the_browser():
    """Tokens stay in memory, and nothing else is stored either."""
    code = "".join(path.read_text() for path in SOURCES)
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", code)


def loaded(*entries: str) -> set[str]:
    """A module with all that it imports before it runs."""
    names: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            code = assets().by_name[name].body.decode()
            waiting += re.findall(r"^import (?:.* from )?'\./(.*?)';$", code, re.MULTILINE)
    return names


def sent(names: set[str]) -> int:
    return sum(len(assets().by_name[name].gzipped) for name in names | {"tokens.css", "pane.css"})


def test_the_pane_is_small_on_the_wire():
    start = loaded("taskpane.js")
    assert sent(start) <= AT_START
    assert sent(start | loaded("desk.js")) <= ALL
