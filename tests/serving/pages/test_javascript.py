"""The page's modules by themselves: types, and their arithmetic against Python's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.article import Block, build_article
from agent.formats.reading import article_from_html
from agent.offsets import Utf16Offsets
from tests.conftest import missing

CHECKS = Path(__file__).parents[1] / "js"


@pytest.fixture
def run(page):
    """Evaluates a function in the page, where IMPORT(name) loads one of its modules."""
    load = "const IMPORT = (name) => import(document.querySelector('script').src.replace('main.js', name));"
    return lambda function, argument: page.evaluate(
        f"async (argument) => {{ {load} return ({function})(argument); }}", argument
    )


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
    [
        "",
        "plain",
        "é à",
        "a😀b",
        "😀😀",
        "👩‍👩‍👧 family",
        "flag 🇮🇸.",
        "n\u0303 and 𝔘𝔫𝔦",
        "x\ud83d",
        "\ude00y",
        "\ude00\ud83dz",
    ],
    ids=ascii,
)
def test_offsets_agree_with_python(run, text):
    units = run(
        """async (units) => {
            const { Utf16Offsets } = await IMPORT('offsets.js');
            const offsets = new Utf16Offsets(String.fromCharCode(...units));
            return Array.from({ length: offsets.length + 1 }, (_, at) => offsets.units(at));
        }""",
        list(memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")),
    )
    assert units == [Utf16Offsets(text).units(at) for at in range(len(text) + 1)]


@pytest.mark.browser
@pytest.mark.parametrize("offset", [-1, 4, 1.5])
def test_an_offset_outside_the_text_is_refused(run, offset):
    message = run(
        """async (offset) => {
            const { Utf16Offsets } = await IMPORT('offsets.js');
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
def test_a_paragraph_is_cut_at_every_edge(run, spans, pieces):
    article = build_article([Block("One 😀 two"), Block("Three")])
    cut = run(
        """async ([article, findings]) => {
            const { cutIntoPieces } = await IMPORT('pieces.js');
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
def test_retry_after_is_read(run, value, seconds):
    read = run(
        """async (value) => (await IMPORT('api.js')).secondsOf(value)""",
        value,
    )
    assert read == seconds


@pytest.mark.browser
@pytest.mark.parametrize(
    ("headline", "body", "paragraphs"),
    [
        ("", "One.\nTwo.", [("text", 0, "One."), ("text", 0, "Two.")]),
        ("", "One\ngoes on.\n\nTwo.", [("text", 0, "One goes on."), ("text", 0, "Two.")]),
        ("A & B < C", "Text with <b>tags</b> & entities &amp; all.", [
            ("heading", 1, "A & B < C"), ("text", 0, "Text with <b>tags</b> & entities &amp; all."),
        ]),
        ("Head", "Intro:\n- one\n- two\n\n## Sub\n\nEnd 😀.", [
            ("heading", 1, "Head"), ("text", 0, "Intro:"), ("list", 0, "one"), ("list", 0, "two"),
            ("heading", 2, "Sub"), ("text", 0, "End 😀."),
        ]),
    ],
    ids=["lines", "soft wraps", "markup is text", "structure"],
)  # fmt: skip
def test_what_is_typed_is_read_as_meant(run, headline, body, paragraphs):
    html = run("async (typed) => (await IMPORT('composition.js')).toHtml(...typed)", [headline, body])
    article = article_from_html(html)
    assert [(p.kind.value, p.level, p.text) for p in article.paragraphs] == paragraphs


@pytest.mark.browser
def test_a_document_made_into_text_and_back_is_the_same(run):
    html = "<h1>Head</h1><p>One.</p><h2>Sub</h2><ul><li>a</li><li>b</li></ul><p>Two.</p>"
    before = article_from_html(html)
    again = run(
        "async (paragraphs) => { const m = await IMPORT('composition.js'); const t = m.toTyped(paragraphs);"
        " return m.toHtml(t.headline, t.body); }",
        [{"kind": p.kind.value, "level": p.level, "text": p.text} for p in before.paragraphs],
    )
    assert article_from_html(again).paragraphs == before.paragraphs
