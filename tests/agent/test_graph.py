import asyncio
import threading
from typing import Any

import pytest

from agent import judge
from agent.check import Verdict
from agent.errors import UnknownGuideline
from agent.finding import Method
from agent.graph import Agent, Progress
from agent.guideline import Guideline
from agent.patterns import check_patterns
from agent.report import ReportStatus
from agent.rules import Existence
from agent.score import Band
from agent.spec import AgentSpec, ModelSpec
from tests.agent.build import article, endpoint, guideline, pack, prompt_guideline
from tests.scripted_model import FOREVER, Question, Scripted, ScriptedModel, finds
from tests.waiting import PATIENCE, alone, soon

ARTICLE = article("Experts say we utilise too much.", "It is known.")
MODEL = ModelSpec(deployment="gpt-test")
SLOW_PATTERN = guideline(
    "slow", title="Slow", rules=(Existence(message="m", raw=(r"^(?:[a-z]|[a-z][a-z])+$",), nonword=True),)
)


def with_model(url: str, *guidelines: Guideline) -> Agent:
    return Agent(AgentSpec(pack=pack(*guidelines), model=MODEL), endpoint=endpoint(url))


async def test_without_a_declared_model_patterns_check_everything_and_the_report_is_complete():
    report = await Agent(AgentSpec(pack=pack())).check(ARTICLE)
    assert report.status is ReportStatus.COMPLETE
    assert [(f.guideline, f.quote, f.method) for f in report.findings] == [
        ("attribution", "Experts say", Method.PATTERN),
        ("plain-words", "utilise", Method.PATTERN),
    ]
    assert [outcome.verdict for outcome in report.outcomes] == [Verdict.FINDINGS, Verdict.FINDINGS]


async def test_a_model_checks_prompts_and_patterns_stay_patterns():
    with ScriptedModel({"attribution": [finds("It is known", "never written", paragraph=2)]}) as model:
        report = await with_model(model.url).check(ARTICLE)
    assert [(f.guideline, f.quote, f.method) for f in report.findings] == [
        ("plain-words", "utilise", Method.PATTERN),
        ("attribution", "It is known", Method.MODEL),
    ]
    assert (report.status, report.unanchored, report.usage.calls) == (ReportStatus.COMPLETE, 1, 1)


@pytest.mark.parametrize(
    "scripted", [Scripted(status=500), Scripted(status=429), Scripted(cut=True), Scripted(status=401)]
)
async def test_a_model_that_is_down_is_replaced_by_patterns_and_the_report_says_so(scripted: Scripted):
    with ScriptedModel(default=scripted) as model:
        report = await with_model(model.url).check(ARTICLE)
    assert report.status is ReportStatus.PARTIAL
    assert report.band is not Band.GREEN
    (gap,) = report.unchecked
    assert (gap.guideline, gap.method, gap.verdict) == ("attribution", Method.FALLBACK, Verdict.FINDINGS)
    assert model.url in gap.reason


async def test_a_declared_model_without_an_endpoint_falls_back():
    report = await Agent(AgentSpec(pack=pack(), model=MODEL)).check(ARTICLE)
    assert [outcome.method for outcome in report.outcomes] == [Method.PATTERN, Method.FALLBACK]
    assert "COPYDESK_MODEL_URL" in report.unchecked[0].reason


async def test_a_malformed_answer_is_asked_for_once_more_and_both_calls_are_paid():
    with ScriptedModel({"attribution": [Scripted(text="nonsense"), finds("Experts say")]}) as model:
        report = await with_model(model.url).check(ARTICLE)
    assert (report.status, report.usage.calls) == (ReportStatus.COMPLETE, 2)


@pytest.mark.parametrize(
    ("scripted", "calls", "reason"),
    [
        (Scripted(text="nonsense"), 2, "wrong shape"),
        (Scripted(text='{"checks": [', finish_reason="length"), 3, "max_tokens"),
        (Scripted(refusal="No."), 1, "content filter"),
        (Scripted(left_out=True), 2, "left this guideline out"),
        (Scripted(guideline="plain-words"), 2, "left this guideline out"),
    ],
)
async def test_one_check_that_fails_leaves_the_rest_standing(scripted: Scripted, calls: int, reason: str):
    with ScriptedModel({"attribution": [scripted]}) as model:
        report = await with_model(model.url).check(ARTICLE)
    assert [outcome.verdict for outcome in report.outcomes] == [Verdict.FINDINGS, Verdict.FAILED]
    assert reason in report.unchecked[0].reason
    assert (report.status, report.usage.calls) == (ReportStatus.PARTIAL, calls)
    assert [finding.guideline for finding in report.findings] == ["plain-words"]


async def test_a_catastrophic_pattern_fails_alone():
    report = await Agent(AgentSpec(pack=pack(SLOW_PATTERN, guideline()))).check(article("a" * 60 + "!", "We utilise."))
    assert [outcome.verdict for outcome in report.outcomes] == [Verdict.FAILED, Verdict.FINDINGS]
    assert "0.2" in report.unchecked[0].reason


async def test_patterns_leave_the_loop_free_one_after_the_other(monkeypatch: pytest.MonkeyPatch):
    begun, go, most = threading.Semaphore(0), threading.Semaphore(0), list[int]()
    running = 0

    def held(*given: Any, **named: Any) -> Any:
        nonlocal running
        running += 1
        most.append(running)
        begun.release()
        assert go.acquire(timeout=PATIENCE), "the loop isn't free"
        running -= 1
        return check_patterns(*given, **named)

    monkeypatch.setattr(judge, "check_patterns", held)
    rules = [guideline(f"rule-{n}", title=f"Rule {n}") for n in range(4)]
    checking = asyncio.create_task(Agent(AgentSpec(pack=pack(*rules))).check(ARTICLE))
    for _ in rules:
        await soon("a pattern is searched for", lambda: begun.acquire(blocking=False))
        go.release()
    assert [outcome.verdict for outcome in (await checking).outcomes] == [Verdict.FINDINGS] * 4
    assert most == [1] * 4


async def test_nothing_checked_is_a_failed_report_without_a_score():
    report = await Agent(AgentSpec(pack=pack(SLOW_PATTERN))).check(article("a" * 60 + "!"))
    assert (report.status, report.score, report.band) == (ReportStatus.FAILED, None, None)


async def test_a_guideline_of_another_language_does_not_apply():
    report = await Agent(AgentSpec(pack=pack(guideline(languages=("en",))))).check(article("Wir.", language="de-CH"))
    assert report.outcomes[0].verdict is Verdict.NOT_APPLICABLE
    assert report.outcomes[0].reason == "it is for articles in en; this one is in de-CH"
    assert (report.status, report.score, report.band) == (ReportStatus.COMPLETE, None, None)


async def test_progress_tells_each_finished_check_once():
    seen: list[Progress] = []
    told = threading.Event()

    async def note(progress: Progress) -> None:
        seen.append(progress)
        told.set()

    def after_the_other(_: Question) -> Scripted:
        assert told.wait(PATIENCE)
        return Scripted()

    with ScriptedModel({"attribution": after_the_other}) as model:
        await with_model(model.url, prompt_guideline(), guideline()).check(ARTICLE, on_progress=note)
    assert seen == [
        Progress(1, 2, "plain-words", Verdict.FINDINGS),
        Progress(2, 2, "attribution", Verdict.CLEAR),
    ]


async def test_outcomes_keep_the_packs_order_whichever_check_ends_first():
    guidelines = [prompt_guideline(f"g{n}", title=f"T{n}") for n in range(6)]
    script = {f"g{n}": [Scripted(seconds=0.05 * (6 - n))] for n in range(6)}
    with ScriptedModel(script) as model:
        report = await with_model(model.url, *guidelines).check(ARTICLE)
    assert [outcome.guideline for outcome in report.outcomes] == [f"g{n}" for n in range(6)]


async def test_only_the_chosen_guidelines_are_checked():
    agent = Agent(AgentSpec(pack=pack()))
    report = await agent.check(ARTICLE, guidelines=("attribution",))
    assert [outcome.guideline for outcome in report.outcomes] == ["attribution"]
    with pytest.raises(UnknownGuideline, match="'nope' is not in pack 'test': it has plain-words, attribution"):
        await agent.check(ARTICLE, guidelines=("nope",))


async def test_a_cancelled_check_stops_its_calls():
    with ScriptedModel(default=Scripted(seconds=FOREVER)) as model:
        checking = asyncio.create_task(with_model(model.url).check(ARTICLE))
        await soon("the model is asked", lambda: model.calls)
        checking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await checking
        await alone("nobody goes on with the check")
        assert len(model.calls) == 1
