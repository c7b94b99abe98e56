"""Static files: addressed by content, whole, sent without their comments, and small."""

import re

import pytest

from serving.addin.place import OFFICE
from serving.pages.assets import FOLDERS, assets, read_assets
from serving.pages.rendering import render

SOURCES = [path for folder in FOLDERS for path in folder.glob("*.js")]
IMPORT = re.compile(r"^import (?:.* from )?'\./(.*?)';$", re.MULTILINE)
KB = 1000
AT_START = 15 * KB  # as sent until the first check can be asked for
ALL = 32.5 * KB  # with what is fetched then
LATER = re.compile(r"(?:\bimport|\bnew URL)\('\./(.*?)'")


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
    named = {name for path in SOURCES for find in (IMPORT, LATER) for name in find.findall(path.read_text())}
    assert named <= set(assets().by_name)


def test_nothing_shown_is_ever_read_as_markup():
    code = "".join(path.read_text() for path in SOURCES)
    assert not re.search(r"(?:inner|outer|insertAdjacent)HTML|document\.write|\beval\(|new Function|srcdoc", code)


def test_nothing_is_kept_in_the_browser():
    """Tokens stay in memory, and nothing else is stored either."""
    code = "".join(path.read_text() for path in SOURCES)
    assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie", code)


def loaded(*entries: str, later: bool = False) -> set[str]:
    """A module with all that it imports before it runs; `later` as well what that fetches when it is needed."""
    names: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            code = assets().by_name[name].body.decode()
            waiting += IMPORT.findall(code)
            waiting += LATER.findall(code) if later else []
    return names


def sent(*, later: bool = False) -> int:
    """Bytes of the task pane where one has to sign in, which is the most: its page, scripts and styles."""
    page = render("taskpane.html", office=f"{OFFICE}/lib/1/hosted/office.js", signs_in=True)
    names = loaded("taskpane.js", "sign-in.js", later=later) | {"tokens.css", "pane.css"}
    return len(page.encode()) + sum(len(assets().by_name[name].gzipped) for name in names)


def test_the_pane_is_small_on_the_wire():
    assert sent() <= AT_START
    assert sent(later=True) <= ALL
