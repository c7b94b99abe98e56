"""Results as the API sends them, made by the real agent with the real pack."""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from agent.article import Article, Block, ParagraphKind, build_article
from agent.graph import Agent
from agent.guideline import GuidelinePack
from agent.pack_files import default_pack
from agent.report import ComplianceReport
from agent.spec import AgentSpec
from serving.api.schemas import ParagraphOut
from tests.serving.pages.scripted_api import JOB

SAMPLE_FILE = Path(__file__).parents[3] / "serving" / "addin" / "static" / "sample.js"
PACK = default_pack()


def sample() -> Article:
    """The article behind the button "Try the sample"."""
    source = SAMPLE_FILE.read_text(encoding="utf-8")
    headline = re.search(r"text: '(.*)', kind: 'heading'", source)
    body = re.findall(r"^    '(.*)',$", source, re.MULTILINE)
    assert headline, "sample.js has no headline"
    assert body, "sample.js has no body"
    heading = Block(headline[1], ParagraphKind.HEADING, level=1)
    return build_article([heading, *map(Block, body)], title=headline[1])


def check(article: Article, *, pack: GuidelinePack = PACK, evidence: str = "forced: first version") -> ComplianceReport:
    spec = AgentSpec(pack=pack)
    stamp = spec.stamp(name="copydesk-agent", number="3", evidence=evidence)
    # In its own thread, because the synchronous Playwright keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, Agent(spec, stamp=stamp).check(article)).result()


def result_of(article: Article, report: ComplianceReport, *, feedback: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return {
        "job_id": JOB,
        "report": report.model_dump(mode="json"),
        "text": article.text,
        "paragraphs": [ParagraphOut.of(paragraph).model_dump(mode="json") for paragraph in article.paragraphs],
        "feedback": list(feedback),
    }
