"""Reports as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code hosts and editors."""

import json
from importlib.metadata import version
from typing import Any

from agent.finding import Finding, Severity
from agent.guideline import Guideline
from pipelines.output.sheet import Checked, Sheet, Unreadable

LEVELS = {Severity.ADVICE: "note", Severity.WARNING: "warning", Severity.BREACH: "error"}


def render_sarif(sheets: list[Sheet]) -> str:
    checked = [sheet for sheet in sheets if isinstance(sheet, Checked)]
    guidelines = {guideline.id: guideline for sheet in checked for guideline in sheet.pack.guidelines}
    driver = {"name": "Copydesk", "version": version("copydesk"), "rules": [_rule(g) for g in guidelines.values()]}
    errors = [_notification(sheet) for sheet in sheets if isinstance(sheet, Unreadable)]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, sheet) for sheet in checked for finding in sheet.report.findings],
        "invocations": [{"executionSuccessful": not errors, "toolExecutionNotifications": errors}],
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
    place = {"artifactLocation": {"uri": sheet.name.replace("\\", "/")}, "region": region}
    return {
        "ruleId": finding.guideline,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"copydesk/v1": finding.fingerprint},
    }


def _notification(sheet: Unreadable) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": sheet.name.replace("\\", "/")}}}
    return {"level": "error", "message": {"text": str(sheet.error)}, "locations": [place]}
