"""Results as the API sends them, made by the real agent with the real pack."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agent.article import Article, Block, ParagraphKind, build_article
from agent.graph import Agent
from agent.guideline import GuidelinePack
from agent.pack_files import default_pack
from agent.report import ComplianceReport
from agent.spec import AgentSpec

SAMPLE_FILE = Path(__file__).parents[3] / "serving" / "pages" / "static" / "sample.js"
PACK = default_pack()


def sample() -> Article:
    """The article behind the button "Try a sample"."""
    source = SAMPLE_FILE.read_text(encoding="utf-8")
    headline = re.search(r"headline: '(.*)'", source)
    body = re.search(r"body: `(.*?)`", source, re.DOTALL)
    assert headline, "sample.js has no headline"
    assert body, "sample.js has no body"
    heading = Block(headline[1], ParagraphKind.HEADING, level=1)
    return build_article([heading, *map(Block, body[1].split("\n\n"))], title=headline[1])


def check(article: Article, *, pack: GuidelinePack = PACK, evidence: str = "forced: first version") -> ComplianceReport:
    spec = AgentSpec(pack=pack)
    stamp = spec.stamp(name="copydesk-agent", number="3", evidence=evidence)
    # In its own thread, because the synchronous Playwright keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, Agent(spec, stamp=stamp).check(article)).result()


def result_of(article: Article, report: ComplianceReport) -> dict[str, Any]:
    paragraphs = [
        {"index": p.index, "start": p.start, "text": p.text, "kind": p.kind.value, "level": p.level}
        for p in article.paragraphs
    ]
    return {"report": report.model_dump(mode="json"), "text": article.text, "paragraphs": paragraphs}
