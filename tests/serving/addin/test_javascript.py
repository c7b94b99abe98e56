"""The pane's modules by themselves: types, and their arithmetic against Python's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.offsets import Utf16Offsets
from tests.conftest import missing

CHECKS = Path(__file__).parents[1] / "js"


@pytest.fixture
def run(page):
    """Evaluates a function in the page, where IMPORT(name) loads one of its modules."""
    load = (
        "const IMPORT = (name) => import(document.querySelector('script[type=module]').src.replace('editor.js', name));"
    )
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
@pytest.mark.parametrize(("value", "seconds"), [("12", 12), ("1.2", 2), ("-4", 0), ("soon", 0), (None, 0)])
def test_retry_after_is_read(run, value, seconds):
    read = run(
        """async (value) => (await IMPORT('api.js')).secondsOf(value)""",
        value,
    )
    assert read == seconds


FOLLOW = """async ([before, [index, start, end], now]) => {
    const { Anchors } = await IMPORT('anchors.js');
    const passages = (texts) => texts.map(([id, text]) => ({ id, text, kind: 'text', level: 0 }));
    const anchors = new Anchors(passages(before));
    anchors.add('it', index, start, end);
    for (const texts of now) anchors.follow(passages(texts));
    const place = anchors.place('it');
    return place && [place.index, place.start, place.end];
}"""


@pytest.mark.browser
@pytest.mark.parametrize("ids", [True, False], ids=["ids", "no ids"])
@pytest.mark.parametrize(
    ("before", "span", "now", "place"),
    [
        ({"a": "one use two"}, (0, 4, 7), [{"a": "now one use two"}], [0, 8, 11]),
        ({"a": "one use two"}, (0, 4, 7), [{"a": "one use two three"}], [0, 4, 7]),
        ({"a": "use use use"}, (0, 4, 7), [{"a": "use use"}], [0, 4, 7]),
        ({"a": "one use two"}, (0, 4, 7), [{"a": "one us two"}], None),
        ({"a": "one use two"}, (0, 4, 7), [{"a": "one us two"}, {"a": "one use two"}], [0, 4, 7]),
        ({"a": "xab"}, (0, 1, 3), [{"a": "xaab"}], [0, 2, 4]),
        ({"a": "one", "b": "use"}, (1, 0, 3), [{"n": "new", "a": "one", "b": "use"}], [2, 0, 3]),
        ({"a": "one", "b": "use", "c": "z"}, (1, 0, 3), [{"a": "one", "c": "z"}], None),
        ({"a": "first. we use it"}, (0, 10, 13), [{"a": "first.", "n": " we use it"}], [1, 4, 7]),
        ({"a": "one", "b": "we use it"}, (1, 3, 6), [{"n": "new", "a": "one", "b": "now we use it"}], [2, 7, 10]),
    ],
    ids=["before", "after", "one of equal ones is gone", "broken", "undone", "repeated letter", "moved", "removed",
         "split", "moved and changed"],
)  # fmt: skip
def test_words_are_followed(run, ids, before, span, now, place):
    texts = [[[id if ids else "", text] for id, text in one.items()] for one in (before, *now)]
    assert run(FOLLOW, [texts[0], span, texts[1:]]) == place


@pytest.mark.browser
@pytest.mark.parametrize(
    ("paragraph", "quote", "text", "change"),
    [
        ("We utilize a tool.", "We utilize a tool", "We use a tool", ("utilize", "use")),
        ("the the end", "the the", "the", ("the the", "the")),
        ("organise", "organise", "organize", ("organise", "organize")),
        ("a 👩‍👩‍👧 b", "👩‍👩‍👧", "👩‍👩‍👦", ("👩‍👩‍👧", "👩‍👩‍👦")),
        ("It is very good.", "very", "", (" very", "")),
        ("Very good.", "Very", "", ("Very ", "")),
        ("It is good, very.", "very", "", (" very", "")),
    ],
)
def test_no_more_is_changed_than_must_be(run, paragraph, quote, text, change):
    start = paragraph.index(quote)
    units = [len(paragraph[:at].encode("utf-16-le")) // 2 for at in (start, start + len(quote))]
    found = run(
        """async ([paragraph, [start, end], quote, text]) => {
            const { smallest } = await IMPORT('anchors.js');
            const change = smallest({ index: 0, start, end, quote }, text, paragraph);
            const now = paragraph.slice(0, change.start) + change.text + paragraph.slice(change.end);
            return [change.quote, change.text, now];
        }""",
        [paragraph, units, quote, text],
    )
    assert tuple(found[:2]) == change
    if text:
        assert found[2] == paragraph.replace(quote, text, 1)
