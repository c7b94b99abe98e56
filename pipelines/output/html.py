"""Reports as one HTML page that stands alone: the article with its findings marked, and what they say."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader

from agent.article import Paragraph
from agent.finding import Finding
from pipelines.output.sheet import Checked, Sheet

TEMPLATES = Environment(
    loader=PackageLoader("pipelines.output", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a paragraph under the same findings."""

    text: str
    findings: tuple[int, ...]  # numbers of the findings that cover it, from 1
    severity: str  # the gravest of them, or empty


def render_html(sheets: list[Sheet]) -> str:
    return TEMPLATES.get_template("report.html").render(sheets=[_context(sheet) for sheet in sheets])


def _context(sheet: Sheet) -> dict[str, Any]:
    if not isinstance(sheet, Checked):
        return {"name": sheet.name, "error": str(sheet.error)}
    findings = sheet.report.findings
    return {
        "name": sheet.name,
        "report": sheet.report,
        "titles": {outcome.guideline: outcome.title for outcome in sheet.report.outcomes},
        "findings": list(enumerate(findings, 1)),
        "paragraphs": [(paragraph, pieces(paragraph, findings)) for paragraph in sheet.article.paragraphs],
        "locations": {number: sheet.article.locate(f.start) for number, f in enumerate(findings, 1)},
    }


def pieces(paragraph: Paragraph, findings: tuple[Finding, ...]) -> list[Piece]:
    """A paragraph cut where findings begin and end; the pieces joined are its text."""
    here = [(number, f) for number, f in enumerate(findings, 1) if f.start < paragraph.end and f.end > paragraph.start]
    cuts = {paragraph.start, paragraph.end}
    for _, finding in here:
        cuts |= {max(finding.start, paragraph.start), min(finding.end, paragraph.end)}
    ordered = sorted(cuts)
    result = []
    for start, end in pairwise(ordered):
        covering = [(number, finding) for number, finding in here if finding.start <= start and finding.end >= end]
        gravest = max((finding.severity for _, finding in covering), key=_GRAVITY.index, default="")
        text = paragraph.text[start - paragraph.start : end - paragraph.start]
        result.append(Piece(text, tuple(number for number, _ in covering), gravest))
    return result


_GRAVITY = ["advice", "warning", "breach"]
