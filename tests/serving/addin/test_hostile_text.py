"""Hostile titles, articles, guidelines and file names are text wherever they are shown."""

import re

import pytest
from playwright.sync_api import expect

from agent.article import Block, build_article
from agent.check import Check, Verdict
from agent.finding import Method, Severity, make_finding
from agent.guideline import GuidelinePack
from agent.report import build_report
from agent.spec import AgentSpec
from tests.serving.addin.editor import text_of
from tests.serving.pages.results import PACK, result_of
from tests.serving.pages.scripted_api import Answer

pytestmark = pytest.mark.browser

PAYLOADS = [
    "<img src=x onerror=document.title='pwned'>",
    "<script>document.title='pwned'</script>",
    "\"><svg/onload=document.title='pwned'>",
    "javascript:document.title='pwned'",
    "{{constructor.constructor('document.title=1')()}}",
    "</title></style></textarea><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "&lt;b&gt; &amp;#60;i&#62; \u202e desrever",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_text_everywhere(script, page, payload):
    guideline = PACK.guidelines[0].model_copy(update={"title": payload, "guidance": payload, "violations": (payload,)})
    script.pack = GuidelinePack(name="house", guidelines=(guideline,))
    article = build_article([Block(f"A {payload} b")], title=payload)
    finding = make_finding(
        article, 2, 2 + len(payload), guideline=guideline.id, severity=Severity.BREACH, message=payload,
        method=Method.PATTERN, suggestions=(payload + "!",),
    )  # fmt: skip
    checked = Check(guideline=guideline.id, verdict=Verdict.FINDINGS, method=Method.PATTERN, findings=(finding,))
    stamp = AgentSpec(pack=script.pack).stamp(name=payload, number=payload, evidence=f"forced: {payload}")
    report = build_report(article, [guideline], [checked], version=stamp, seconds=0.1)
    script.result = [Answer(result_of(article, report))]
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.get_by_label("Article file").set_input_files(
        {"name": f"{payload.replace('/', '')}.md", "mimeType": "text/markdown", "buffer": b"x"}
    )
    expect(page.locator(".card .title")).to_contain_text(payload.strip())
    page.get_by_role("button", name="Why").click()
    page.get_by_text("points off, by").click()
    expect(page.locator(".rule")).to_contain_text(payload.strip())
    page.get_by_role("button", name=re.compile("^Replace with")).click()
    assert text_of(page) == f"A {payload}! b"
    assert page.title() == "Copydesk"
    assert page.locator("#pane, #article").locator("img, script, svg, iframe, i").count() == 0
