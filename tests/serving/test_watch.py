import asyncio
from collections.abc import Iterable

from serving.adapters.database import DatabaseUnavailable
from serving.watch import Watch
from tests.waiting import alone, soon


class Jobs:
    """Revisions as a store has them, with what was asked."""

    def __init__(self) -> None:
        self.revisions = {"a": 1, "b": 1}
        self.asked: list[set[str]] = []
        self.away = False

    async def __call__(self, ids: Iterable[str]) -> dict[str, int]:
        self.asked.append(set(ids))
        if self.away:
            raise DatabaseUnavailable("away")
        return {id: self.revisions[id] for id in ids if id in self.revisions}

    async def rounds(self, count: int = 3) -> None:
        """Waits until it was asked so often from now on; whoever the last but one woke has heard of it."""
        until = len(self.asked) + count
        await soon(f"{count} rounds", lambda: len(self.asked) >= until)


async def settled(watch: Watch, job_id: str, changes: list[str]) -> None:
    async for _ in watch.changes(job_id):
        changes.append(job_id)  # noqa: PERF401 - one at a time is what is watched


async def test_one_question_serves_all_followers_and_only_changes_wake() -> None:
    jobs, heard = Jobs(), list[str]()
    watch = Watch(jobs, seconds=0.01)
    following = [asyncio.create_task(settled(watch, id, heard)) for id in ("a", "a", "b")]
    await jobs.rounds()
    assert jobs.asked[-1] == {"a", "b"}
    before = len(heard)
    jobs.revisions["a"] = 2
    await jobs.rounds()
    assert heard[before:] == ["a", "a"]
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)


async def test_everybody_stops_following_when_it_ends() -> None:
    jobs, heard = Jobs(), list[str]()
    watch = Watch(jobs, seconds=0.01)
    following = [asyncio.create_task(settled(watch, id, heard)) for id in ("a", "b")]
    await jobs.rounds()
    watch.end()
    await asyncio.wait_for(asyncio.gather(*following, settled(watch, "a", heard)), 30)
    assert watch.followed == 0


async def test_nobody_is_asked_while_nobody_follows() -> None:
    jobs, heard = Jobs(), list[str]()
    watch = Watch(jobs, seconds=0.01)
    following = asyncio.create_task(settled(watch, "a", heard))
    await jobs.rounds()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await alone("nobody asks")
    assert watch.followed == 0


async def test_a_change_during_an_outage_is_heard_after_it() -> None:
    jobs, heard = Jobs(), list[str]()
    watch = Watch(jobs, seconds=0.01)
    following = asyncio.create_task(settled(watch, "a", heard))
    await jobs.rounds()
    before, jobs.away = len(heard), True
    jobs.revisions["a"] = 2
    await jobs.rounds()
    assert len(heard) == before
    jobs.away = False
    await jobs.rounds()
    assert len(heard) == before + 1
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await watch.close()
