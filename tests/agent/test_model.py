import pytest

from agent.check import Usage
from agent.errors import ModelError
from agent.model import ModelClient
from agent.prompts import RESPONSE_FORMAT, messages
from agent.settings import ModelSettings
from agent.spec import ModelSpec
from tests.agent.build import article, prompt_guideline
from tests.scripted_model import Scripted, ScriptedModel, finds

ASK = messages(article("Experts say so."), prompt_guideline())
TITLE = prompt_guideline().title


def client(url: str, **settings: object) -> ModelClient:
    return ModelClient(
        ModelSpec(deployment="gpt-test"), ModelSettings.model_validate({"url": url, "key": "k", **settings})
    )


async def test_one_call_asks_for_the_schema_and_keeps_text_usage_and_model():
    with ScriptedModel({TITLE: [finds("Experts say")]}) as model:
        reply = await client(model.url, headers={"x-team": "desk"}).complete(ASK)
    (call,) = model.calls
    assert (call["model"], call["temperature"], call["seed"]) == ("gpt-test", 0.0, 7)
    assert call["response_format"] == RESPONSE_FORMAT
    assert call["messages"] == ASK
    assert (model.headers[0]["authorization"], model.headers[0]["x-team"]) == ("Bearer k", "desk")
    assert (reply.text, reply.finish_reason) == (finds("Experts say").text, "stop")
    assert (reply.model, reply.fingerprint) == ("gpt-test-2026-01-01", "fp_scripted")
    assert (reply.usage.calls, reply.usage.input_tokens > 100, reply.usage.output_tokens > 10) == (1, True, True)


@pytest.mark.parametrize(
    ("scripted", "reason"),
    [
        (Scripted(status=400), "bad-request"),
        (Scripted(status=401), "unauthorised"),
        (Scripted(status=403), "unauthorised"),
        (Scripted(status=404), "unknown-model"),
        (Scripted(status=429, headers={"Retry-After": "30"}), "rate-limited"),
        (Scripted(status=500), "server-error"),
        (Scripted(cut=True), "unreachable"),
        (Scripted(seconds=1.0), "timeout"),
    ],
)
async def test_each_failure_has_a_name_and_is_not_tried_again(scripted: Scripted, reason: str):
    with ScriptedModel(default=scripted) as model:
        with pytest.raises(ModelError) as error:
            await client(model.url, timeout_seconds=0.3).complete(ASK)
        assert error.value.reason == reason
        assert model.url in str(error.value)
        assert len(model.calls) == 1


async def test_nobody_there_is_unreachable():
    with ScriptedModel() as model:
        gone = model.url
    with pytest.raises(ModelError, match="check COPYDESK_MODEL_URL") as error:
        await client(gone).complete(ASK)
    assert error.value.reason == "unreachable"


async def test_a_refusal_reads_as_withheld():
    with ScriptedModel(default=Scripted(refusal="I can't help with that.")) as model:
        reply = await client(model.url).complete(ASK)
    assert (reply.finish_reason, reply.text, reply.usage.calls) == ("content_filter", "", 1)
    assert reply.usage != Usage()
