import gzip

import pytest

from agent.check_cache import MemoryKeyValues
from agent.graph import Agent
from agent.recording import Recording, RecordingError, without_seconds
from agent.replay import replay
from agent.report import ReportStatus
from agent.spec import AgentSpec, ModelSpec
from tests.agent.build import article, endpoint, guideline, pack, prompt_guideline
from tests.scripted_model import Scripted, ScriptedModel, finds

ARTICLE = article("Experts say we utilise it.", "It is known.", title="News")
IDS = ("a", "b", "c", "d")
SPEC = AgentSpec(pack=pack(guideline(), *(prompt_guideline(id) for id in IDS)), model=ModelSpec(deployment="m"))
SCRIPT = {
    "a": [finds("Experts say", "nowhere")],
    "b": [Scripted(text="nonsense"), finds("It is known", paragraph=2)],
    "c": [Scripted(status=500)],
    "d": [Scripted(refusal="No.")],
}


async def recorded(spec: AgentSpec = SPEC, kept: MemoryKeyValues | None = None) -> Recording:
    recording = Recording.begin(spec, ARTICLE, None)
    with ScriptedModel(SCRIPT) as model:
        await Agent(spec, endpoint=endpoint(model.url), kept=kept).check(ARTICLE, recording=recording)
    return Recording.load(recording.dump(), "it")


async def test_a_recorded_check_gives_the_same_report_without_a_model():
    recording = await recorded()
    assert recording.report is not None
    assert recording.report.status is ReportStatus.PARTIAL
    assert len(recording.exchanges) == 5
    assert without_seconds(await replay(recording)) == without_seconds(recording.report)


async def test_verdicts_that_were_kept_are_part_of_a_recording():
    kept = MemoryKeyValues()
    await recorded(kept=kept)
    recording = await recorded(kept=kept)
    assert recording.report is not None
    assert [outcome.kept for outcome in recording.report.outcomes] == [0, 2, 2, 0, 0]
    assert without_seconds(await replay(recording)) == without_seconds(recording.report)


async def test_a_version_without_a_model_can_be_replayed_too():
    recording = await recorded(SPEC.model_copy(update={"model": None}))
    assert (await replay(recording)).findings


async def test_a_missing_exchange_is_an_error():
    recording = await recorded()
    recording.exchanges = [one for one in recording.exchanges if "Guideline a" not in one.messages[-1]["content"]]
    with pytest.raises(RecordingError, match="1 questions have no recorded answer, and 0"):
        await replay(recording)


async def test_an_exchange_that_nobody_asks_for_is_an_error():
    recording = await recorded()
    recording.exchanges.append(recording.exchanges[0])
    with pytest.raises(RecordingError, match="1 recorded answers weren't asked for"):
        await replay(recording)


async def test_a_recording_of_other_code_says_what_to_install():
    recording = await recorded()
    other = recording.model_copy(update={"spec": recording.spec.model_copy(update={"code": "f" * 64})})
    with pytest.raises(RecordingError, match="recorded with agent code ffffffffffff"):
        await replay(other)


@pytest.mark.parametrize("data", [b"", b"{}", gzip.compress(b"{}", mtime=0), gzip.compress(b"nothing", mtime=0)])
def test_what_is_no_recording_is_refused_by_name(data: bytes):
    with pytest.raises(RecordingError, match=r"'post\.md' is not a recording"):
        Recording.load(data, "post.md")
