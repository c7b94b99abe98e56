"""Runs a version over a labelled set."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.check_cache import KeyValues
from agent.graph import Agent
from agent.report import ReportStatus
from evaluation.journal import Journal
from evaluation.labels import LabelledArticle, LabelledSet
from evaluation.record import ArticleResult, Evaluation, complete, result_of

OnArticle = Callable[[ArticleResult], Awaitable[None]]


@dataclass(frozen=True)
class OwnKeys:
    """Kept checks of one repeat of one evaluation: a repeat is a repeat, and only going on finds what was asked."""

    store: KeyValues
    prefix: str

    async def get(self, keys: list[str]) -> dict[str, bytes]:
        own = {self._own(key): key for key in keys}
        return {own[key]: value for key, value in (await self.store.get(list(own))).items()}

    async def put(self, values: Mapping[str, bytes]) -> None:
        await self.store.put({self._own(key): value for key, value in values.items()})

    def _own(self, key: str) -> str:
        return hashlib.sha256(f"{self.prefix}{key}".encode()).hexdigest()


async def evaluate(
    agents: Callable[[KeyValues | None], Agent],
    labelled: LabelledSet,
    journal: Journal,
    *,
    split: str,
    repeats: int = 1,
    at_once: int = 8,
    kept: KeyValues | None = None,
    on_article: OnArticle | None = None,
) -> Evaluation:
    """Checks every article of a set `repeats` times; `labelled` holds the articles of one split.

    `agents` makes the version's agent over a store of kept checks; `at_once` articles are under way together, and the
    model's own limiter holds back what is too much for it. What the journal has isn't done again, but for articles
    where a check failed: of those only the failed checks are asked again.
    """
    started = datetime.now(UTC)
    results = {key: done for key, done in journal.finished.items() if done.status is ReportStatus.COMPLETE}
    turns = asyncio.Semaphore(at_once)
    by_repeat = [
        agents(OwnKeys(kept, f"{journal.id}/{repeat}/") if kept is not None else None) for repeat in range(repeats)
    ]

    async def one(article: LabelledArticle, repeat: int) -> None:
        async with turns:
            begun = time.perf_counter()
            report = await by_repeat[repeat].check(article.article)
            result = result_of(article.id, repeat, report).model_copy(
                update={"seconds": round(time.perf_counter() - begun, 6)}
            )
        results[article.id, repeat] = result
        journal.add(result)
        if on_article:
            await on_article(result)

    async with asyncio.TaskGroup() as tasks:
        for repeat in range(repeats):
            for article in labelled.articles:
                if (article.id, repeat) not in results:
                    tasks.create_task(one(article, repeat))
    ordered = tuple(results[article.id, repeat] for repeat in range(repeats) for article in labelled.articles)
    first = by_repeat[0]
    return complete(
        first.spec,
        first.stamp,
        labelled,
        id=journal.id,
        split=split,
        repeats=repeats,
        started=started,
        finished=datetime.now(UTC),
        results=ordered,
    )
