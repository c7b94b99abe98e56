"""A challenger in the shadow of version 1, on real stores."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agent.check import Usage
from agent.errors import CopydeskError
from agent.graph import Agent
from agent.model import Reply
from agent.prompts import Message
from agent.rules import Existence
from agent.spec import AgentSpec, ModelSpec
from agent.stored_article import dump_article
from serving.adapters.folder_blobs import FolderBlobs
from serving.adapters.sql_locks import SqlLocks
from serving.adapters.sql_shadows import SqlShadows
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.app import utc_now
from serving.job import Job, JobStatus
from serving.shadow import Shadow
from serving.shadowing import Shadowing
from tests.agent.build import guideline, pack, prompt_guideline
from tests.serving.build import agent, claim, request, story, submission
from tests.serving.test_shadow import shadow

OTHER = pack(guideline(rules=(Existence(message="'%s'", tokens=("of course",), ignorecase=True),)), prompt_guideline())
JUDGED = pack(prompt_guideline("plain-words"), prompt_guideline())  # a call each


@dataclass
class Priced:
    """A model that finds nothing. After so many answers it keeps silent until it may go on."""

    price: float | None = 0.5
    answers: int = 1000
    asked: int = 0
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, messages: list[Message]) -> Reply:
        self.asked += 1
        if self.asked > self.answers:
            self.silent.set()
            await self.goes_on.wait()
        id = messages[-1]["content"].partition("\n")[0].removeprefix("Guideline ")
        answer = json.dumps({"checks": [{"guideline": id, "findings": []}]})
        return Reply(answer, "stop", Usage(calls=1, cost=self.price))


@dataclass
class Challenger:
    """The version that is loaded; with a model it asks it twice an article."""

    model: Priced | None = None
    fault: CopydeskError | None = None

    async def unseen(self, _: str) -> Agent:
        if self.fault:
            raise self.fault
        if self.model:
            return Agent(AgentSpec(pack=JUDGED, model=ModelSpec(deployment="m")), model=self.model)
        return Agent(AgentSpec(pack=OTHER))


@dataclass
class Later:
    """The clock, which may be put forward."""

    by: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by


@dataclass
class Bench:
    stores: Stores
    blobs: FolderBlobs
    shadows: SqlShadows

    def shadowing(self, challenger: Challenger, clock: Later | None = None) -> Shadowing:
        database = self.stores.database
        return Shadowing(
            self.shadows,
            SqlServedVersions(database),
            SqlLocks(database),
            self.stores.jobs,
            self.blobs,
            challenger,
            clock=clock or utc_now,
            look_seconds=0.01,
        )

    async def started(self, **fields: Any) -> Shadow:
        there = shadow(**({"share": 1.0, "started": utc_now()} | fields))
        await self.shadows.start(there)
        return there

    async def ended(self, id: str, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> Job:
        blob = await self.blobs.put(dump_article(story()))
        await self.stores.jobs.add(submission(id, blob=blob, **({"request": request(document_id=id)} | fields)))
        running = await claim(self.stores, utc_now())
        made = await agent().check(story())
        stored = await self.stores.leases.finish(running.ended_as(status, utc_now()), made)
        assert stored
        return stored

    async def offered(self, challenger: Challenger, *ids: str, clock: Later | None = None) -> Shadowing:
        """These articles wait for it, or one where none is named."""
        shadowing = self.shadowing(challenger, clock)
        for id in ids or ("a",):
            await shadowing.offer(await self.ended(id))
        return shadowing


async def under_way(shadowing: Shadowing, model: Priced) -> asyncio.Task[bool]:
    """A check whose model keeps silent."""
    checking = asyncio.create_task(shadowing.next())
    await model.silent.wait()
    return checking
