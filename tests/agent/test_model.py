import asyncio
import email.utils
import time
from types import SimpleNamespace
from typing import Any

import purgatory.domain.model
import pytest

from agent.answers import RESPONSE_FORMAT
from agent.check import AnsweredBy, Usage
from agent.endpoint import Endpoint
from agent.errors import ModelError
from agent.http_transport import HttpTransport
from agent.limiter import Limits, ProcessLimiter
from agent.model import ModelClient, retry_after
from agent.prompts import messages
from agent.settings import ModelSettings
from agent.spec import ModelSpec
from tests.agent.build import endpoint, prompt_guideline
from tests.scripted_model import FOREVER, Scripted, ScriptedModel, finds
from tests.waiting import alone, soon

ASK = messages("<article>\n[1] Experts say so.\n</article>", [prompt_guideline()])
ID = prompt_guideline().id
SPEC = ModelSpec(deployment="gpt-test")


def client(url: str, **settings: Any) -> ModelClient:
    return ModelClient(SPEC, endpoint(url, **settings))


async def test_one_call_asks_for_the_schema_and_keeps_text_usage_and_model():
    with ScriptedModel({ID: [finds("Experts say")]}) as model:
        reply = await client(model.url, headers={"x-team": "desk"}).complete(ASK)
    (call,) = model.calls
    assert call == {
        "model": "gpt-test",
        "messages": ASK,
        "temperature": 0.0,
        "seed": 7,
        "max_completion_tokens": 2000,
        "response_format": RESPONSE_FORMAT,
    }
    headers = model.traffic.headers[0]
    assert (headers["authorization"], headers["x-team"]) == ("Bearer k", "desk")
    assert ('"quote": "Experts say"' in reply.text, reply.finish_reason) == (True, "stop")
    assert reply.usage == Usage(
        calls=1,
        input_tokens=model.traffic.input_tokens[0],
        output_tokens=len(reply.text) // 4,
        cost=None,
        answered_by=(AnsweredBy(model="gpt-test-2026-01-01", fingerprint="fp_scripted"),),
    )


async def test_what_the_version_leaves_open_is_not_sent():
    spec = ModelSpec(deployment="o-test", temperature=None, seed=None, structured="prompt")
    with ScriptedModel() as model:
        await ModelClient(spec, endpoint(model.url)).complete(ASK)
    assert set(model.calls[0]) == {"model", "messages", "max_completion_tokens"}


async def test_a_token_provider_is_asked_before_each_call():
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    with ScriptedModel() as model:
        transport = HttpTransport(ModelSettings(url=model.url), token=token)
        for _ in range(2):
            await transport.send({"model": "m", "messages": ASK})
        await transport.close()
    assert [headers["authorization"] for headers in model.traffic.headers] == ["Bearer first", "Bearer second"]


async def test_a_price_table_gives_the_cost():
    prices = {"gpt": {"input": 1, "output": 1}, "gpt-test": {"input": 2_000_000, "output": 3_000_000, "cached": 0}}
    with ScriptedModel() as model:
        reply = await client(model.url, prices=prices).complete(ASK)
    assert reply.usage.cost == reply.usage.input_tokens * 2 + reply.usage.output_tokens * 3


@pytest.mark.parametrize(
    ("scripted", "reason", "calls"),
    [
        (Scripted(status=400), "bad-request", 1),
        (Scripted(status=400, error={"code": "context_length_exceeded"}), "too-long", 1),
        (Scripted(status=400, error={"code": "content_filter"}), "refusal", 1),
        (Scripted(status=401), "unauthorised", 1),
        (Scripted(status=403), "unauthorised", 1),
        (Scripted(status=404), "unknown-model", 1),
        (Scripted(status=429), "rate-limited", 2),
        (Scripted(status=429, headers={"Retry-After": "3600"}), "rate-limited", 1),
        (Scripted(status=500), "server-error", 2),
        (Scripted(status=503, body="<html>busy</html>"), "server-error", 2),
        (Scripted(body="<html>sign in</html>"), "not-a-completion", 1),
        (Scripted(body='{"choices": []}'), "not-a-completion", 1),
        (Scripted(cut=True), "unreachable", 2),
    ],
)
async def test_each_failure_has_a_name_and_only_what_may_pass_is_tried_again(
    scripted: Scripted, reason: str, calls: int
):
    with ScriptedModel(default=scripted) as model:
        with pytest.raises(ModelError) as error:
            await client(model.url).complete(ASK)
        assert (error.value.reason, error.value.retries, len(model.calls)) == (reason, calls - 1, calls)
        assert model.url in str(error.value)


async def test_an_answer_that_does_not_come_in_time_is_asked_for_again():
    with ScriptedModel(default=Scripted(seconds=FOREVER)) as model:
        with pytest.raises(ModelError) as error:
            await client(model.url, timeout_seconds=0.1).complete(ASK)
        assert (error.value.reason, error.value.retries) == ("timeout", 1)
        assert model.url in str(error.value)


async def test_a_retry_after_is_waited_for_and_the_answer_says_that_it_took_one():
    busy = Scripted(status=429, headers={"retry-after-ms": "300"})
    with ScriptedModel({ID: [busy, finds("Experts say")]}) as model:
        reply = await client(model.url).complete(ASK)
    first, second = model.traffic.arrived
    assert second - first >= 0.3
    assert (reply.usage.calls, reply.usage.retries) == (1, 1)


class Paused(ProcessLimiter):
    """Says that it was told to pause, and for how long."""

    def __init__(self) -> None:
        super().__init__(Limits(in_flight=5))
        self.by: list[float] = []

    async def pause(self, seconds: float) -> None:
        await super().pause(seconds)
        self.by.append(seconds)


async def test_a_retry_after_holds_for_every_call():
    with ScriptedModel({ID: [Scripted(status=429, headers={"retry-after-ms": "400"}), finds()]}) as model:
        shared = endpoint(model.url)
        shared.limiter = paused = Paused()
        asked = ModelClient(SPEC, shared)
        first = asyncio.create_task(asked.complete(ASK))
        await soon("the first is told to wait", lambda: paused.by)
        await asyncio.gather(first, asked.complete(ASK))
    assert min(model.traffic.arrived[1:]) - model.traffic.arrived[0] >= 0.4


async def test_an_endpoint_that_fails_again_and_again_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr(purgatory.domain.model, "time", SimpleNamespace(time=lambda: now))
    with ScriptedModel({ID: [Scripted(status=500)] * 3 + [finds()]}) as model:
        asked = client(model.url, attempts=1, breaker_failures=3, breaker_seconds=30)
        reasons = []
        for _ in range(5):
            with pytest.raises(ModelError) as error:
                await asked.complete(ASK)
            reasons.append(error.value.reason)
        assert (reasons, len(model.calls)) == (["server-error"] * 3 + ["circuit-open"] * 2, 3)
        now += 31
        assert (await asked.complete(ASK)).usage.calls == 1


@pytest.mark.parametrize("late", [Scripted(seconds=FOREVER), Scripted(status=429, headers={"retry-after": "50"})])
async def test_one_question_takes_no_longer_than_it_may(late: Scripted):
    with ScriptedModel(default=late) as model:
        asked = client(model.url, question_seconds=0.4, timeout_seconds=50, max_wait_seconds=60)
        with pytest.raises(ModelError, match="COPYDESK_MODEL_QUESTION_SECONDS") as error:
            async with asyncio.timeout(25):
                await asked.complete(ASK)
    assert error.value.reason == "too-slow"


async def test_a_question_that_is_cancelled_is_not_asked_again():
    with ScriptedModel(default=Scripted(seconds=FOREVER, status=500)) as model:
        asking = asyncio.create_task(client(model.url, attempts=5).complete(ASK))
        await soon("it is asked", lambda: model.calls)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await alone("nobody asks again")
        assert len(model.calls) == 1


async def test_nobody_there_is_unreachable():
    with ScriptedModel() as model:
        gone = model.url
    with pytest.raises(ModelError, match="check COPYDESK_MODEL_URL") as error:
        await client(gone).complete(ASK)
    assert error.value.reason == "unreachable"


async def test_a_refusal_reads_as_withheld_and_is_paid():
    with ScriptedModel(default=Scripted(refusal="I can't help with that.")) as model:
        reply = await client(model.url).complete(ASK)
    assert (reply.finish_reason, reply.text, reply.usage.calls) == ("content_filter", "", 1)
    assert reply.usage.input_tokens > 100


def test_a_managed_identity_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "azure.identity.aio", None)
    with pytest.raises(ModelError, match=r"install copydesk\[azure\], or set COPYDESK_MODEL_AUTH=key"):
        HttpTransport(ModelSettings(url="http://127.0.0.1:1/v1/", auth="managed-identity"))


def test_an_endpoint_that_cannot_be_prepared_says_so_and_leaves_the_articles_to_patterns(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setitem(__import__("sys").modules, "azure.identity.aio", None)
    Endpoint(ModelSettings(url="http://127.0.0.1:1/v1/", auth="managed-identity")).prepare()
    assert "no model can be asked: COPYDESK_MODEL_AUTH is 'managed-identity' without azure-identity" in caplog.text


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sat, 01 Jan 2000 00:00:00 GMT"}, 0.0),
    ],
)
def test_a_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers) == seconds


def test_a_retry_after_may_be_a_date():
    wait = retry_after({"retry-after": email.utils.formatdate(time.time() + 60, usegmt=True)})
    assert wait == pytest.approx(60, abs=2)
