"""Each misbehaviour of a model has a name, a bounded number of calls, and never costs a verdict that was given."""

from collections.abc import Mapping

import pytest

from agent.article import Article
from agent.check import Verdict
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.limiter import Limits, ProcessLimiter
from agent.report import ComplianceReport, ReportStatus
from agent.settings import ModelSettings
from agent.spec import AgentOptions, AgentSpec, ModelSpec
from tests.agent.build import article, endpoint, pack, prompt_guideline
from tests.scripted_model import Question, Scripted, ScriptedModel, finds

ARTICLE = article("Experts say it rains.", "We utilise umbrellas.", "It is known.", "The end is near.")


async def checked(
    model: ScriptedModel,
    *ids: str,
    text: Article = ARTICLE,
    settings: Mapping[str, float] | None = None,
    **options: int,
) -> ComplianceReport:
    spec = AgentSpec(
        pack=pack(*(prompt_guideline(id) for id in ids)),
        model=ModelSpec(deployment="m"),
        options=AgentOptions.model_validate(options),
    )
    return await Agent(spec, endpoint=endpoint(model.url, **(settings or {}))).check(text)


def quotes(report: ComplianceReport) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {outcome.guideline: [] for outcome in report.outcomes}
    for finding in report.findings:
        found[finding.guideline].append(finding.quote)
    return found


async def test_guidelines_share_a_call_and_its_usage():
    script = {"a": [finds("Experts say")], "b": [finds("utilise", paragraph=2)], "c": [finds()]}
    with ScriptedModel(script) as model:
        report = await checked(model, "a", "b", "c", checks_per_call=2)
    assert quotes(report) == {"a": ["Experts say"], "b": ["utilise"], "c": []}
    assert sorted(question.guidelines for question in model.traffic.questions) == [("a", "b"), ("c",)]
    assert (report.usage.calls, report.usage.input_tokens) == (2, sum(model.traffic.input_tokens))
    assert [outcome.usage.input_tokens > 0 for outcome in report.outcomes] == [True] * 3


@pytest.mark.parametrize("lost", [Scripted(left_out=True), Scripted(guideline="somebody-elses")])
async def test_a_guideline_that_an_answer_leaves_out_is_asked_about_alone(lost: Scripted):
    script = {"a": [finds("Experts say")], "b": [lost, finds("utilise", paragraph=2)]}
    with ScriptedModel(script) as model:
        report = await checked(model, "a", "b", checks_per_call=2)
    assert quotes(report) == {"a": ["Experts say"], "b": ["utilise"]}
    assert [question.guidelines for question in model.traffic.questions] == [("a", "b"), ("b",)]


async def test_two_answers_that_are_swapped_stand_under_the_ids_they_name():
    """Nobody can see that from outside: this is what a call for each guideline is for."""
    script = {
        "a": [Scripted(finds("Experts say").findings, guideline="b")],
        "b": [Scripted(finds("utilise", paragraph=2).findings, guideline="a")],
    }
    with ScriptedModel(script) as model:
        together = await checked(model, "a", "b", checks_per_call=2)
    with ScriptedModel(script) as model:
        alone = await checked(model, "a", "b")
    assert quotes(together) == {"a": ["utilise"], "b": ["Experts say"]}
    assert [outcome.verdict for outcome in alone.outcomes] == [Verdict.FAILED] * 2


@pytest.mark.parametrize(
    "bad",
    [
        Scripted(text="nonsense"),
        Scripted(text='{"checks": [', finish_reason="length"),
        Scripted(refusal="I can't."),
        Scripted(status=400, error={"code": "content_filter"}),
        Scripted(status=400, error={"code": "context_length_exceeded"}),
    ],
)
async def test_guidelines_that_fail_together_are_asked_about_one_by_one(bad: Scripted):
    script = {"a": [bad, finds("Experts say")], "b": [Scripted(), finds("utilise", paragraph=2)]}
    with ScriptedModel(script) as model:
        report = await checked(model, "a", "b", checks_per_call=2)
    assert report.status is ReportStatus.COMPLETE
    assert quotes(report) == {"a": ["Experts say"], "b": ["utilise"]}
    assert len(model.calls) == 3


@pytest.mark.parametrize(
    "bad",
    [
        Scripted(text='{"checks": [', finish_reason="length"),
        Scripted(status=400, error={"code": "context_length_exceeded"}),
    ],
)
async def test_what_is_too_long_is_asked_about_in_halves(bad: Scripted):
    def rule(question: Question) -> Scripted:  # both halves speak of what is shown to both
        return bad if len(question.asked) > 2 else finds("It is known", paragraph=3)

    with ScriptedModel({"a": rule}) as model:
        report = await checked(model, "a")
    assert (quotes(report), report.unanchored) == ({"a": ["It is known"]}, 0)
    assert sorted(question.asked for question in model.traffic.questions) == [(1, 2), (1, 2, 3, 4), (3, 4)]
    assert all(len(question.paragraphs) == 4 for question in model.traffic.questions)


async def test_halving_ends():
    with ScriptedModel(default=Scripted(text="", finish_reason="length")) as model:
        report = await checked(model, "a", text=article(*(f"Number {n}." for n in range(64))))
    assert (report.outcomes[0].verdict, len(model.calls)) == (Verdict.FAILED, 7)
    assert "max_tokens" in report.outcomes[0].reason


async def test_a_check_that_fails_keeps_what_it_cost_and_says_how_often_it_was_tried():
    with ScriptedModel({"a": [Scripted(text="nonsense")], "b": [Scripted(status=500)]}) as model:
        report = await checked(model, "a", "b", settings={"attempts": 3})
    failed, fallback = report.outcomes
    assert (failed.usage.calls, failed.usage.retries, failed.usage.input_tokens > 0) == (2, 0, True)
    assert (fallback.usage.calls, fallback.usage.retries) == (0, 2)


async def test_a_busy_endpoint_slows_a_check_down_and_stops_nothing():
    ids = [f"g{number}" for number in range(20)]
    settings = {"attempts": 8, "max_in_flight": 4}
    with ScriptedModel({"g0": [finds("Experts say")]}, busy=0.2, busy_seconds=0.02) as model:
        reports = [await checked(model, *ids, settings=settings) for _ in range(3)]
    assert [report.status for report in reports] == [ReportStatus.COMPLETE] * 3
    assert model.traffic.refused > 5
    assert model.traffic.most_in_flight <= 4
    assert sum(report.usage.retries for report in reports) == model.traffic.refused
    assert sum(report.usage.calls for report in reports) == 60


async def test_the_limits_hold_at_the_server_with_retries_counted():
    ids = [f"g{number}" for number in range(30)]
    limiter = ProcessLimiter(Limits(in_flight=8, requests_per_minute=20), window_seconds=2)
    settings = ModelSettings.model_validate({"attempts": 8, "backoff_seconds": 0.01})
    spec = AgentSpec(pack=pack(*(prompt_guideline(id) for id in ids)), model=ModelSpec(deployment="m"))
    with ScriptedModel(busy=0.2, busy_seconds=0.02) as model:
        limited = Endpoint(settings.model_copy(update={"url": model.url}), limiter=limiter)
        try:
            report = await Agent(spec, endpoint=limited).check(ARTICLE)
        finally:
            await limited.close()
    assert report.status is ReportStatus.COMPLETE
    assert model.traffic.refused > 2
    assert model.traffic.most_in_flight <= 8
    assert model.traffic.most_in(1) <= 20  # the way to a busy server takes some of the two seconds


async def test_an_endpoint_that_is_down_is_asked_a_few_times_and_the_patterns_stand_in():
    ids = [f"g{number}" for number in range(30)]
    with ScriptedModel(default=Scripted(status=503)) as model:
        report = await checked(model, *ids, settings={"max_in_flight": 2, "breaker_failures": 4, "attempts": 2})
    assert report.status is ReportStatus.PARTIAL
    assert len(model.calls) <= 6
    assert {outcome.method for outcome in report.outcomes} == {"fallback"}
    assert any("it is left alone for a while" in outcome.reason for outcome in report.outcomes)


async def test_a_deployment_that_is_missing_leaves_the_others_at_work():
    def answer(question: Question) -> Scripted:
        missing = question.deployment == "missing"
        return Scripted(status=404, error={"code": "DeploymentNotFound"}) if missing else finds("Experts say")

    rules = pack(prompt_guideline("a"))
    with ScriptedModel({"a": answer}) as model:
        shared = endpoint(model.url, breaker_failures=2)
        missing, healthy = (
            Agent(AgentSpec(pack=rules, model=ModelSpec(deployment=name)), endpoint=shared) for name in ("missing", "m")
        )
        broken = [await missing.check(ARTICLE) for _ in range(4)]
        whole = await healthy.check(ARTICLE)
    assert ["left alone" in report.outcomes[0].reason for report in broken] == [False, False, True, True]
    assert (whole.status, quotes(whole)) == (ReportStatus.COMPLETE, {"a": ["Experts say"]})
    assert [question.deployment for question in model.traffic.questions] == ["missing", "missing", "m"]


async def test_a_long_article_is_read_in_windows_and_found_in_everywhere_once():
    paragraphs = [f"Paragraph {n}: experts say {'it rains. ' * 12}" for n in range(120)]

    def rule(question: Question) -> Scripted:
        return Scripted(tuple(finds("experts say", paragraph=number).findings[0] for number in question.asked))

    with ScriptedModel({"a": rule}) as model:
        report = await checked(model, "a", text=article(*paragraphs), window_tokens=1000)
    assert len(report.findings) == len({finding.start for finding in report.findings}) == 120
    assert report.outcomes[0].windows == len(model.calls) > 4
    assert max(model.traffic.input_tokens) < 2000


async def test_what_needs_the_whole_article_reads_an_extract_word_for_word_and_says_so():
    paragraphs = [f"Paragraph {n}: {'it rains. ' * 12}So." for n in range(120)]
    spec = AgentSpec(
        pack=pack(prompt_guideline("a", scope="article")),
        model=ModelSpec(deployment="m"),
        options=AgentOptions(article_tokens=1000),
    )
    with ScriptedModel({"a": [finds("Paragraph 0", "Paragraph 119", paragraph=1)]}) as model:
        report = await Agent(spec, endpoint=endpoint(model.url)).check(article(*paragraphs))
    (question,) = model.traffic.questions
    assert [finding.quote for finding in report.findings] == ["Paragraph 0", "Paragraph 119"]
    assert all(question.paragraphs[number] == paragraphs[number - 1] for number in question.asked)
    assert report.outcomes[0].extract == pytest.approx(len(question.asked) / 120, abs=0.01)
    assert 0.15 < (report.outcomes[0].extract or 0) < 0.3


async def test_a_long_article_is_read_whole_by_those_that_judge_paragraphs_whoever_they_are_asked_with():
    paragraphs = [f"Paragraph {n}: {'it rains. ' * 12}" for n in range(60)]
    guidelines = (prompt_guideline("a"), prompt_guideline("b", scope="article"))
    options = AgentOptions(checks_per_call=2, article_tokens=500)
    spec = AgentSpec(pack=pack(*guidelines), model=ModelSpec(deployment="m"), options=options)
    with ScriptedModel() as model:
        await Agent(spec, endpoint=endpoint(model.url)).check(article(*paragraphs))
    asked = {question.guidelines: len(question.asked) for question in model.traffic.questions}
    assert asked[("a",)] == 60
    assert asked[("b",)] < 20


async def test_an_answer_is_asked_for_in_the_language_of_the_article():
    with ScriptedModel() as model:
        await checked(model, "a", text=article("Der Rat stimmt am Dienstag über den Haushalt für die neue Brücke ab."))
    assert "Write explanations in the language 'de'." in model.traffic.questions[0].escaped
