"""The judge over real HTTP, with the prompts of ragas as it sends them."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from evaluation.judged import Criterion, JudgedFinding, Opinion, WrittenFinding
from evaluation.judges import Case, Judge, JudgeMissing, JudgeSettings
from tests.agent.build import prompt_guideline
from tests.evaluation.build import labelled
from tests.scripted_model.judge import QUOTE, STATEMENTS, SUGGESTION, VERDICTS, ScriptedJudge
from tests.scripted_model.script import Scripted

pytestmark = pytest.mark.slow  # ragas takes 3 to 6 seconds to import, once

TEXT = "It rained.\n\nExperts say {it} was a bad idea. Nobody minded."
GUIDELINE = prompt_guideline("claims", does_not_count=("what was said in public",))
Judges = Callable[..., Judge]


@pytest.fixture
async def judge() -> AsyncIterator[Judges]:
    """Makes judges that are closed in the loop that used them."""
    opened = []

    def make(url: str, **settings: object) -> Judge:
        quick = {"url": url, "model": "j", "key": "k", "attempts": 2, "backoff_seconds": 0.01, "timeout_seconds": 5}
        opened.append(Judge(JudgeSettings.model_validate(quick | settings)))
        return opened[-1]

    yield make
    for one in opened:
        await one.close()


def case(quote: str = "Experts say", message: str = "No source.", suggestion: str = "Ms Ek says") -> Case:
    start = TEXT.index(quote)
    finding = WrittenFinding(
        id=quote,
        article="a",
        group="a",
        guideline="claims",
        start=start,
        end=start + len(quote),
        quote=quote,
        message=message,
        suggestion=suggestion,
    )
    return Case(finding, labelled(TEXT), GUIDELINE)


async def one(judge: Judge, case: Case) -> JudgedFinding:
    return (await judge.judge([case]))[0]


async def test_a_good_finding_is_good_by_every_criterion(judge: Judges):
    with ScriptedJudge() as model:
        judged = await one(judge(model.url), case())
    assert judged.judge == {
        Criterion.FAITHFULNESS: Opinion(good=True, score=1),
        Criterion.SUGGESTION: Opinion(good=True, score=4, reason="f"),
        Criterion.QUOTE: Opinion(good=True, score=4, reason="f"),
    }
    assert len(model.calls) == 4


async def test_each_criterion_finds_its_own_faults(judge: Judges):
    with ScriptedJudge() as model:
        judged = await one(judge(model.url), case("a bad idea", "It is bad. Nobody is named.", "a bad plan"))
    assert [(opinion.good, opinion.score) for opinion in judged.judge.values()] == [
        (False, 0.5),
        (False, 2),
        (False, 2),
    ]


async def test_what_is_sent_holds_all_that_is_judged(judge: Judges):
    with ScriptedJudge() as model:
        await judge(model.url).judge([case()])
        prompts = [call["messages"][1]["content"] for call in model.calls]
    statements, verdicts, rubric, quote = prompts
    assert "No source." in statements
    assert "was a bad idea" in verdicts
    assert "Find claims without a source." in verdicts  # a message may say what the guideline asks for
    assert "Passage with it: Ms Ek says {it} was a bad idea. Nobody minded." in rubric
    assert "⟦Experts say⟧ {it} was a bad idea" in quote
    assert "Doesn't count: what was said in public" in quote
    assert {(call["model"], call["temperature"]) for call in model.calls} == {("j", 0)}
    assert model.traffic.headers[0]["authorization"] == "Bearer k"


async def test_nobody_is_told_and_no_name_is_kept(judge: Judges):
    """ragas names its users by a file in their home, and reports calls under that name."""
    with ScriptedJudge() as model:
        await judge(model.url).judge([case()])
    from ragas._analytics import do_not_track, get_userid

    assert do_not_track()
    assert get_userid.cache_info().currsize == 0


async def test_what_is_not_written_is_not_asked_about(judge: Judges):
    with ScriptedJudge() as model:
        judged = await one(judge(model.url), case(suggestion="", message=""))
    assert (list(judged.judge), len(model.calls)) == ([Criterion.QUOTE], 1)


@pytest.mark.parametrize(
    ("asked", "answers", "criterion", "said", "calls"),
    [
        (QUOTE, [Scripted(status=500)], Criterion.QUOTE, "server-error: ", 2),
        (QUOTE, [Scripted(status=401)], Criterion.QUOTE, "check COPYDESK_JUDGE_KEY", 1),
        (QUOTE, [Scripted(text="yes")], Criterion.QUOTE, "malformed: the judge's answer has the wrong shape", 2),
        (QUOTE, [Scripted(text='{"feedback": "", "score": "?"}')], Criterion.QUOTE, "score: Input should be", 2),
        (QUOTE, [Scripted(finish_reason="length")], Criterion.QUOTE, "raise COPYDESK_JUDGE_MAX_TOKENS", 1),
        (QUOTE, [Scripted(refusal="no")], Criterion.QUOTE, "refusal: ", 1),
        (SUGGESTION, [Scripted(text='{"feedback": "", "score": 9}')], Criterion.SUGGESTION, "score is 9", 1),
        (STATEMENTS, [Scripted(text='{"statements": []}')], Criterion.FAITHFULNESS, "no statement", 1),
        (VERDICTS, [Scripted(text='{"statements": []}')], Criterion.FAITHFULNESS, "no statement", 2),
    ],
)
async def test_a_failure_is_no_opinion_and_costs_no_other(
    judge: Judges, asked: str, answers: list[Scripted], criterion: Criterion, said: str, calls: int
):
    with ScriptedJudge({asked: answers}) as model:
        judged = await one(judge(model.url), case())
    failed = judged.judge[criterion]
    assert (failed.good, failed.score) == (None, None)
    assert said in failed.reason
    others = [opinion.good for by, opinion in judged.judge.items() if by is not criterion]
    assert others == [True, True]
    assert len(model.calls) == 4 - (2 if criterion is Criterion.FAITHFULNESS else 1) + calls


async def test_an_answer_that_cannot_be_read_is_asked_for_once_more(judge: Judges):
    with ScriptedJudge({QUOTE: [Scripted(text="Well, yes."), Scripted()]}) as model:
        judged = await one(judge(model.url), case())
    assert (judged.judge[Criterion.QUOTE].good, len(model.calls)) == (True, 5)


async def test_the_limits_of_the_judge_hold(judge: Judges):
    with ScriptedJudge(seconds=0.02) as model:
        asked = judge(model.url, max_in_flight=3)
        judged = await asked.judge([case(message=f"No source {n}.") for n in range(12)])
        assert model.traffic.most_in_flight == 3
    assert [one.message for one in judged] == [f"No source {n}." for n in range(12)]
    assert asked.usage.calls == len(model.calls) == 48


@pytest.mark.parametrize(("given", "name"), [({}, "URL"), ({"url": "http://127.0.0.1:9/v1/"}, "MODEL")])
def test_a_missing_setting_is_named(given: dict[str, str], name: str):
    with pytest.raises(JudgeMissing, match=f"set COPYDESK_JUDGE_{name}"):
        Judge(JudgeSettings.model_validate(given))


def test_settings_are_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COPYDESK_MODEL_URL", "http://model/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", "the model's")
    monkeypatch.setenv("COPYDESK_JUDGE_TEMPERATURE", "none")
    settings = JudgeSettings()
    assert (settings.url, settings.key.get_secret_value(), settings.temperature) == ("", "", None)
    monkeypatch.setenv("COPYDESK_JUDGE_API_KEY", "secret")
    assert JudgeSettings().key.get_secret_value() == "secret"
    assert "secret" not in repr(JudgeSettings())


def test_ragas_is_imported_when_it_is_asked():
    """In a process of its own, where nothing else has imported it."""
    code = """
import sys
import evaluation.judges as judges, pipelines.judge, pipelines.cli
assert not [name for name in sys.modules if name.split(".")[0] == "ragas"]
judges.Judge(judges.JudgeSettings(url="http://127.0.0.1:9/v1/", model="m"))
assert "ragas" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_without_ragas_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "ragas"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ragas", None)
    with pytest.raises(JudgeMissing, match="pip install 'copydesk\\[evaluation\\]'"):
        Judge(JudgeSettings.model_validate({"url": "http://127.0.0.1:9/v1/", "model": "m"}))
