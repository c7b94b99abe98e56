"""What a check has cost, however it ends."""

import asyncio

import pytest

from agent.check import Usage
from agent.errors import ModelError
from agent.graph import Agent
from agent.meter import Meter
from agent.model import Reply
from agent.prompts import Message
from agent.spec import AgentSpec, ModelSpec
from tests.agent.build import article, pack, prompt_guideline

SPEC = AgentSpec(
    pack=pack(*(prompt_guideline(id) for id in ("clear", "refused", "silent"))), model=ModelSpec(deployment="m")
)
USAGE = Usage(calls=1, input_tokens=9, cost=0.5)


class Moody:
    """A model that clears one guideline, refuses the second, and keeps silent on the third."""

    def __init__(self) -> None:
        self.waits, self.goes_on = asyncio.Event(), asyncio.Event()

    async def complete(self, messages: list[Message]) -> Reply:
        question = messages[-1]["content"]
        if "refused" in question:
            raise ModelError("bad-request", "no")
        if "silent" in question:
            self.waits.set()
            await self.goes_on.wait()
        id = "silent" if "silent" in question else "clear"
        return Reply(f'{{"checks": [{{"guideline": "{id}", "findings": []}}]}}', "stop", USAGE)


async def test_a_check_that_is_stopped_has_paid_for_its_answers() -> None:
    model, meter = Moody(), Meter()
    checking = asyncio.create_task(Agent(SPEC, model=model).check(article("Experts say."), meter=meter))
    await model.waits.wait()
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert meter == Meter(USAGE, unanswered=1)


async def test_one_that_ends_has_paid_what_its_report_says() -> None:
    model, meter = Moody(), Meter()
    model.goes_on.set()
    made = await Agent(SPEC, model=model).check(article("Experts say."), meter=meter)
    assert meter == Meter(made.usage, unanswered=0)
