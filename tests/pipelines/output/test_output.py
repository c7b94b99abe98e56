import json
from html.parser import HTMLParser

import pytest

from agent.errors import EmptyArticle
from agent.formats.reading import read_article
from agent.graph import Agent
from agent.spec import AgentSpec, ModelSpec
from pipelines.output.html import pieces, render_html
from pipelines.output.json import render_json
from pipelines.output.sarif import render_sarif
from pipelines.output.sheet import Checked, Sheet, Unreadable
from tests.agent.build import guideline, pack, prompt_guideline

SOURCE = "---\ntitle: T\n---\n\n# News\n\nWe *utilise* 🙂 it, <b>and</b>\nexperts say `so`.\n"


@pytest.fixture
async def sheets() -> list[Sheet]:
    article = read_article(SOURCE.encode(), "news.md")
    guidelines = pack(guideline(), prompt_guideline())
    report = await Agent(AgentSpec(pack=guidelines)).check(article)
    return [Checked("posts/news.md", article, report, guidelines), Unreadable("empty.md", EmptyArticle("no text"))]


def test_json_gives_lines_and_columns_of_the_source(sheets: list[Sheet]):
    checked, unreadable = json.loads(render_json(sheets))
    lines = SOURCE.splitlines()
    assert [(f["guideline"], f["quote"], f["severity"], f["method"]) for f in checked["findings"]] == [
        ("plain-words", "utilise", "advice", "pattern"),
        ("attribution", "experts say", "warning", "pattern"),
    ]
    for finding in checked["findings"]:
        at = lines[finding["line"] - 1]
        assert at[finding["column"] - 1 :].startswith(finding["quote"])
    assert (checked["file"], checked["status"], checked["article"]["title"]) == ("posts/news.md", "complete", "T")
    assert checked["score"] == pytest.approx(100 - sum(part["points"] for part in checked["contributions"]))
    assert unreadable == {
        "file": "empty.md",
        "status": "error",
        "error": {"type": "empty-article", "detail": "no text"},
    }


def test_sarif_points_at_the_words_and_names_the_rule(sheets: list[Sheet]):
    document = json.loads(render_sarif(sheets))
    (run,) = document["runs"]
    (first, second) = run["results"]
    assert (document["version"], run["columnKind"]) == ("2.1.0", "unicodeCodePoints")
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["plain-words", "attribution"]
    region = first["locations"][0]["physicalLocation"]["region"]
    line = SOURCE.splitlines()[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == region["snippet"]["text"] == "utilise"
    assert (first["ruleId"], first["level"], second["level"]) == ("plain-words", "note", "warning")
    (invocation,) = run["invocations"]
    assert not invocation["executionSuccessful"]
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "no text"


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.marks: list[str] = []
        self.text = ""
        self._marked = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "mark":
            self._marked = True
            self.marks.append("")
        elif tag == "a":
            self._marked = False

    def handle_endtag(self, tag: str) -> None:
        self._marked = False if tag == "mark" else self._marked

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._marked:
            self.marks[-1] += data


async def test_sarif_names_what_was_not_checked():
    article = read_article(b"We use it.", "my post.md")
    guidelines = pack(prompt_guideline())
    report = await Agent(AgentSpec(pack=guidelines, model=ModelSpec(deployment="m"))).check(article)
    (run,) = json.loads(render_sarif([Checked("my post.md", article, report, guidelines)]))["runs"]
    (invocation,) = run["invocations"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert invocation["executionSuccessful"]
    assert notification["associatedRule"] == {"id": "attribution"}
    assert "COPYDESK_MODEL_URL" in notification["message"]["text"]
    assert notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20post.md"


def test_html_marks_the_words_and_asks_nothing_of_the_network(sheets: list[Sheet]):
    page = render_html(sheets)
    reader = Reader()
    reader.feed(page)
    assert reader.marks == ["utilise", "experts say"]
    assert "Not checked: no text" in reader.text
    assert "src=" not in page
    assert "http" not in page


async def test_html_shows_markup_in_an_article_as_text():
    article = read_article(b"We utilise <script>alert(1)</script> & more.", "a.txt")
    assert "<script>" in article.text
    report = await Agent(AgentSpec(pack=pack())).check(article)
    checked = Checked("<b>.txt", article, report, pack())
    assert "<script>" not in render_html([checked])
    assert "&lt;script&gt;" in render_html([checked])


async def test_overlapping_findings_cut_a_paragraph_into_pieces():
    article = read_article(b"Experts say we utilise it.", "a.txt")
    wide = guideline(
        "wide", severity="breach", rules=[{"check": "existence", "message": "m", "tokens": ["say we utilise"]}]
    )
    report = await Agent(AgentSpec(pack=pack(guideline(), wide))).check(article)
    cut = pieces(article.paragraphs[0], report.findings)
    assert [(piece.text, piece.findings, piece.severity) for piece in cut] == [
        ("Experts ", (), ""),
        ("say we ", (1,), "breach"),
        ("utilise", (1, 2), "breach"),
        (" it.", (), ""),
    ]
