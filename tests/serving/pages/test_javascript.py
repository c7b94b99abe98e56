"""The page's modules by themselves: types, and their arithmetic against Python's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.article import Block, build_article
from agent.offsets import Utf16Offsets
from tests.conftest import missing

CHECKS = Path(__file__).parents[1] / "js"


def test_types_hold():
    tsc = CHECKS / "node_modules" / ".bin" / "tsc"
    if not shutil.which("node"):
        missing("Node", "apt-get install nodejs npm")
    if not tsc.exists():
        missing("TypeScript", "npm ci --prefix tests/serving/js")
    done = subprocess.run([tsc, "-p", CHECKS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.browser
@pytest.mark.parametrize(
    "text",
    ["", "plain", "é à", "a😀b", "😀😀", "👩‍👩‍👧 family", "flag 🇮🇸.", "n\u0303 and 𝔘𝔫𝔦", "x\ud83d", "\ude00y", "\ude00\ud83dz"],
    ids=ascii,
)
def test_offsets_agree_with_python(page, text):
    units = page.evaluate(
        """async (units) => {
            const { Utf16Offsets } = await import(document.querySelector('script').src.replace('main.js', 'offsets.js'));
            const offsets = new Utf16Offsets(String.fromCharCode(...units));
            return Array.from({ length: offsets.length + 1 }, (_, at) => offsets.units(at));
        }""",
        list(memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")),
    )
    assert units == [Utf16Offsets(text).units(at) for at in range(len(text) + 1)]


@pytest.mark.browser
@pytest.mark.parametrize("offset", [-1, 4, 1.5])
def test_an_offset_outside_the_text_is_refused(page, offset):
    message = page.evaluate(
        """async (offset) => {
            const { Utf16Offsets } = await import(document.querySelector('script').src.replace('main.js', 'offsets.js'));
            try { return new Utf16Offsets('a😀b').units(offset); } catch (error) { return error.message; }
        }""",
        offset,
    )
    assert message == f"offset must be in 0..3 code points, got {offset}"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([], [["One 😀 two", []]]),
        ([(4, 5)], [["One ", []], ["😀", [0]], [" two", []]]),
        ([(0, 5), (4, 9)], [["One ", [0]], ["😀", [0, 1]], [" two", [1]]]),
        ([(0, 9), (4, 5)], [["One ", [0]], ["😀", [0, 1]], [" two", [0]]]),
        ([(6, 15)], [["One 😀 ", []], ["two", [0]]]),
    ],
    ids=["none", "one", "overlapping", "nested", "into the next paragraph"],
)
def test_a_paragraph_is_cut_at_every_edge(page, spans, pieces):
    article = build_article([Block("One 😀 two"), Block("Three")])
    cut = page.evaluate(
        """async ([article, findings]) => {
            const { cutIntoPieces } = await import(document.querySelector('script').src.replace('main.js', 'pieces.js'));
            return cutIntoPieces(article, findings)[0].map(({ text, findings }) => [text, findings]);
        }""",
        [
            {"text": article.text, "paragraphs": [{"start": p.start, "text": p.text} for p in article.paragraphs]},
            [{"start": start, "end": end} for start, end in spans],
        ],
    )
    assert cut == pieces


@pytest.mark.browser
@pytest.mark.parametrize(("value", "seconds"), [("12", 12), ("1.2", 2), ("-4", 0), ("soon", 0), (None, 0)])
def test_retry_after_is_read(page, value, seconds):
    read = page.evaluate(
        """async (value) => (await import(document.querySelector('script').src.replace('main.js', 'api.js'))).secondsOf(value)""",
        value,
    )
    assert read == seconds
