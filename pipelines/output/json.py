"""Reports as JSON: a list with one report a file, findings at lines and columns of the source."""

import json
from typing import Any

from agent.finding import Finding
from pipelines.output.sheet import Checked, Sheet, Unreadable


def render_json(sheets: list[Sheet]) -> str:
    return json.dumps([_sheet(sheet) for sheet in sheets], ensure_ascii=False, indent=2)


def _sheet(sheet: Sheet) -> dict[str, Any]:
    if isinstance(sheet, Unreadable):
        return {"file": sheet.name, "status": "error", "error": {"type": sheet.error.type, "detail": str(sheet.error)}}
    report = sheet.report
    score = report.score
    return {
        "file": sheet.name,
        "status": report.status,
        "score": score.value if score else None,
        "average": score.average if score else None,
        "minimum": score.minimum if score else None,
        "band": report.band,
        "contributions": [part.model_dump(mode="json") for part in score.contributions] if score else [],
        "findings": [_finding(finding, sheet) for finding in report.findings],
        "outcomes": [outcome.model_dump(mode="json") for outcome in report.outcomes],
        "unanchored": report.unanchored,
        "remarks": list(report.remarks),
        "article": report.article.model_dump(mode="json"),
        "version": report.version.model_dump(mode="json"),
        "usage": report.usage.model_dump(mode="json"),
        "seconds": report.seconds,
    }


def _finding(finding: Finding, sheet: Checked) -> dict[str, Any]:
    location = sheet.article.locate(finding.start)
    return {
        "guideline": finding.guideline,
        "severity": finding.severity,
        "start": finding.start,
        "end": finding.end,
        "line": location.line,
        "column": location.column,
        "quote": finding.quote,
        "message": finding.message,
        "suggestions": list(finding.suggestions),
        "method": finding.method,
        "paragraph": finding.paragraph,
        "fingerprint": finding.fingerprint,
    }
