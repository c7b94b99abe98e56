import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.check import Check, Usage, Verdict
from agent.finding import Method, Severity
from agent.report import ReportStatus, build_report
from agent.score import Band
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


severities = st.lists(st.sampled_from(Severity), min_size=1, max_size=30)


def report_with(severities: list[Severity]):
    found = [
        finding("a", severity).model_copy(update={"fingerprint": f"f{number}"})
        for number, severity in enumerate(severities)
    ]
    return report_of(Check(guideline="a", verdict=Verdict.FINDINGS, method=Method.MODEL, findings=tuple(found)), CLEAR)


@given(severities, st.sets(st.integers(0, 29)), st.integers(0, 29))
def test_to_dismiss_one_more_never_lowers_the_score(severities: list[Severity], some: set[int], one: int):
    report = report_with(severities)
    fewer, more = report.without({f"f{n}" for n in some}), report.without({f"f{n}" for n in some | {one}})
    assert fewer.score
    assert more.score
    assert report.score
    assert more.score.value >= fewer.score.value >= report.score.value
    tenths = sum(round(part.points * 10) for part in more.score.contributions)
    assert round(more.score.value * 10) == 1000 - tenths


@given(severities)
def test_dismissing_nothing_changes_nothing_and_all_of_it_leaves_a_hundred(severities: list[Severity]):
    report = report_with(severities)
    assert report.without(()) == report.without({"unknown"}) == report
    clean = report.without({finding.fingerprint for finding in report.findings})
    assert clean.score
    assert (clean.score.value, clean.band, clean.findings) == (100.0, Band.GREEN, report.findings)


def test_a_report_with_gaps_is_not_green_whatever_is_dismissed():
    gap = Check(guideline="b", verdict=Verdict.FAILED, reason="r")
    partial = report_of(Check(guideline="a", verdict=Verdict.FINDINGS, findings=(finding("a"),)), gap)
    clean = partial.without({partial.findings[0].fingerprint})
    assert clean.score
    assert (clean.score.value, clean.band) == (100.0, Band.AMBER)


def test_where_nothing_was_checked_there_is_no_score_to_change():
    failed = report_of(*(Check(guideline=id, verdict=Verdict.FAILED, reason="r") for id in "ab"))
    assert failed.without({"f"}) is failed
