import pytest

from agent.check import Check, Usage, Verdict
from agent.finding import Method, Severity
from agent.report import ReportStatus, build_report
from agent.spec import AgentSpec
from tests.agent.build import article, finding, guideline, pack

PACK = pack(guideline("a"), guideline("b"))
STAMP = AgentSpec(pack=PACK).stamp()
CLEAR = Check(guideline="b", verdict=Verdict.CLEAR, method=Method.PATTERN)


def report_of(*checks: Check):
    return build_report(article("word " * 400), PACK.guidelines, checks, version=STAMP, seconds=0.5)


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (Check(guideline="a", verdict=Verdict.CLEAR, method=Method.MODEL), ReportStatus.COMPLETE),
        (Check(guideline="a", verdict=Verdict.NOT_APPLICABLE), ReportStatus.COMPLETE),
        (Check(guideline="a", verdict=Verdict.CLEAR, method=Method.FALLBACK), ReportStatus.PARTIAL),
        (Check(guideline="a", verdict=Verdict.FAILED, reason="r"), ReportStatus.PARTIAL),
        (Check(guideline="a", verdict=Verdict.NOT_CHECKED, reason="r"), ReportStatus.PARTIAL),
    ],
)
def test_a_report_is_complete_only_when_all_was_checked_as_the_version_says(first: Check, status: ReportStatus):
    assert report_of(first, CLEAR).status is status


def test_findings_stand_in_reading_order_and_sums_are_over_all_checks():
    late, early = finding("a", Severity.BREACH, start=40), finding("b", start=5)
    report = report_of(
        Check(
            guideline="a",
            verdict=Verdict.FINDINGS,
            findings=(late,),
            unanchored=1,
            usage=Usage(calls=1, input_tokens=7),
        ),
        Check(guideline="b", verdict=Verdict.FINDINGS, findings=(early,), unanchored=2, usage=Usage(calls=2)),
    )
    assert report.findings == (early, late)
    assert (report.unanchored, report.usage) == (3, Usage(calls=3, input_tokens=7))
    assert report.by_severity() == {Severity.BREACH: 1, Severity.WARNING: 0, Severity.ADVICE: 1}
    assert report.has_breach


def test_a_report_survives_json():
    report = report_of(Check(guideline="a", verdict=Verdict.FINDINGS, findings=(finding("a"),)), CLEAR)
    assert type(report).model_validate_json(report.model_dump_json()) == report
