"""Static files: addressed by content, whole in one folder."""

import re

import pytest

from serving.pages.assets import FOLDER, assets, read_assets


def test_another_content_has_another_address(tmp_path):
    (tmp_path / "a.js").write_text("1")
    before = read_assets(tmp_path).url("a.js")
    (tmp_path / "a.js").write_text("2")
    assert read_assets(tmp_path).url("a.js") != before


def test_a_name_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"no static file 'x\.js'"):
        assets().url("x.js")


def test_modules_import_only_files_that_are_there():
    imported = {
        name
        for path in FOLDER.glob("*.js")
        for name in re.findall(r"^import .* from '\./(.*)';$", path.read_text(), re.MULTILINE)
    }
    assert imported <= set(assets().by_name)


def test_nothing_shown_is_ever_read_as_markup():
    code = "".join(path.read_text() for path in FOLDER.glob("*.js"))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code)
