"""Reports as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code hosts and editors."""

import json
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from agent.finding import Finding, Severity
from agent.guideline import Guideline
from agent.report import GuidelineOutcome, ReportStatus
from pipelines.output.sheet import Checked, Sheet, Unreadable

LEVELS = {Severity.ADVICE: "note", Severity.WARNING: "warning", Severity.BREACH: "error"}


def render_sarif(sheets: list[Sheet]) -> str:
    checked = [sheet for sheet in sheets if isinstance(sheet, Checked)]
    guidelines = {guideline.id: guideline for sheet in checked for guideline in sheet.pack.guidelines}
    driver = {"name": "Copydesk", "version": version("copydesk"), "rules": [_rule(g) for g in guidelines.values()]}
    unreadable = [_notification(sheet) for sheet in sheets if isinstance(sheet, Unreadable)]
    unchecked = [_unchecked(outcome, sheet) for sheet in checked for outcome in sheet.report.unchecked]
    errors = unreadable + unchecked
    failed = unreadable or any(sheet.report.status is ReportStatus.FAILED for sheet in checked)
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, sheet) for sheet in checked for finding in sheet.report.findings],
        "invocations": [{"executionSuccessful": not failed, "toolExecutionNotifications": errors}],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _rule(guideline: Guideline) -> dict[str, Any]:
    rule = {
        "id": guideline.id,
        "shortDescription": {"text": guideline.title},
        "fullDescription": {"text": guideline.guidance},
        "defaultConfiguration": {"level": LEVELS[guideline.severity]},
        "properties": {"category": guideline.category},
    }
    return rule | ({"helpUri": guideline.link} if guideline.link else {})


def _result(finding: Finding, sheet: Checked) -> dict[str, Any]:
    first = sheet.article.locate(finding.start)
    last = sheet.article.locate(finding.end - 1)
    region = {
        "startLine": first.line,
        "startColumn": first.column,
        "endLine": last.line,
        "endColumn": last.column + 1,
        "snippet": {"text": finding.quote},
    }
    place = {"artifactLocation": {"uri": _uri(sheet.name)}, "region": region}
    return {
        "ruleId": finding.guideline,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"copydesk/v1": finding.fingerprint},
    }


def _uri(name: str) -> str:
    """A file's name as a relative reference (RFC 3986)."""
    return quote(name.replace("\\", "/"))


def _unchecked(outcome: GuidelineOutcome, sheet: Checked) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": _uri(sheet.name)}}}
    text = f"{outcome.title}: {outcome.method or outcome.verdict}, {outcome.reason}"
    rule = {"id": outcome.guideline}
    return {"level": "warning", "message": {"text": text}, "locations": [place], "associatedRule": rule}


def _notification(sheet: Unreadable) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": _uri(sheet.name)}}}
    return {"level": "error", "message": {"text": str(sheet.error)}, "locations": [place]}
