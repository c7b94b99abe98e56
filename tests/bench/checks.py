"""What a check with a model costs beside the model: `check-cpu`, `check-overhead`, `check-p95`, `recheck-tokens`.

The model is the scripted one, in a process and on a core of its own, with a set latency.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from agent.answers import read_answer
from agent.article import Article, Block, build_article
from agent.check_cache import MemoryKeyValues
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.guideline import GuidelinePack, Kind
from agent.model import ModelClient
from agent.pack_files import default_pack
from agent.prompts import article_part, messages
from agent.readings import whole
from agent.report import ComplianceReport
from agent.settings import ModelSettings
from agent.spec import AgentSpec, ModelSpec
from pipelines.processes import Processes
from pipelines.serve import free_port
from registry.aliases import promote
from registry.connection import connect
from registry.settings import RegistrySettings
from registry.versions import register
from tests.bench.article import thousand_words
from tests.bench.measure import Measurement, benchmark

MODEL = ModelSpec(deployment="scripted")
CPU_LIMIT_MS, OVERHEAD_LIMIT = 100.0, 1.5
ROUNDS = 15
LATENCY_SECONDS = 1.0
AT_ONCE = {4: 1.6, 10: 2.2}  # jobs -> seconds within which 19 of 20 are done
P95_ROUNDS = 5
PARAGRAPHS, EDITED = 60, 30
ALL_LIMIT, BY_PARAGRAPH_LIMIT, FULL_LIMIT = 0.35, 0.20, 1.2


@contextlib.contextmanager
def scripted_model(seconds: float = 0.0) -> Iterator[str]:
    """The URL of a scripted model on the last core; this process keeps to the others meanwhile."""
    own = psutil.Process()
    cores = own.cpu_affinity() or []
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_model", "--port", str(port), "--seconds", str(seconds)],
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        url = process.stderr.readline().decode().strip().partition("=")[2]
        if len(cores) > 1:
            psutil.Process(process.pid).cpu_affinity(cores[-1:])
            own.cpu_affinity(cores[:-1])
        yield url
    finally:
        own.cpu_affinity(cores)
        process.terminate()
        process.wait(10)


def prompts() -> GuidelinePack:
    """The 18 prompt guidelines of the default pack."""
    house = default_pack()
    return house.model_copy(update={"guidelines": tuple(g for g in house.guidelines if g.kind is Kind.PROMPT)})


def english(article: Article) -> Article:
    return replace(article, language="en")


async def cpu_ms(*works: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    """Median CPU time of each in this process, taken in turns after one round of warming up."""
    times: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for work, taken in zip(works, times, strict=True):
            started = time.process_time()
            await work()
            if number:
                taken.append((time.process_time() - started) * 1000)
    return [statistics.median(taken) for taken in times]


@benchmark("check-cpu")
def one_check() -> Iterator[Measurement]:
    """Both are measured against a model that answers at once, so that nothing but our work is left."""
    with scripted_model() as url:
        cpu, bare = asyncio.run(_cost(url))
    note = "18 prompt guidelines, 1,000 words, one call each, finished checks kept in memory"
    yield Measurement("check-cpu", cpu, "ms", f"<= {CPU_LIMIT_MS:g} ms", cpu <= CPU_LIMIT_MS, note=note)
    ratio = cpu / bare
    yield Measurement(
        "check-overhead",
        ratio,
        "",
        f"<= {OVERHEAD_LIMIT:g}",
        ratio <= OVERHEAD_LIMIT,
        baseline=f"asyncio.gather {bare:.1f} ms",
        ratio=ratio,
        note="CPU of a check over that of the same calls by the same client in asyncio.gather, answers read",
    )


async def _cost(url: str) -> list[float]:
    endpoint, pack, article = Endpoint(ModelSettings(url=url)), prompts(), english(thousand_words())
    spec = AgentSpec(pack=pack, model=MODEL)
    client = ModelClient(MODEL, endpoint)

    async def check() -> None:
        report = await Agent(spec, endpoint=endpoint, kept=MemoryKeyValues()).check(article)
        assert report.usage.calls == len(pack.guidelines)

    async def bare() -> None:
        text = article_part(article, whole(article, 100_000))

        async def ask(guideline: Any) -> None:
            reply = await client.complete(messages(text, [guideline]))
            read_answer(reply.text, (guideline.id,))

        await asyncio.gather(*(ask(guideline) for guideline in pack.guidelines))

    try:
        return await cpu_ms(check, bare)
    finally:
        await endpoint.close()


@benchmark("check-p95")
def jobs_at_once() -> Iterator[Measurement]:
    """From submitted to finished, through the service on SQLite with one worker."""
    with scripted_model(LATENCY_SECONDS) as url, tempfile.TemporaryDirectory() as folder:
        taken = _through_the_service(Path(folder), url)
    for jobs, limit in AT_ONCE.items():
        p95 = statistics.quantiles(taken[jobs], n=20)[-1]
        yield Measurement(
            f"check-p95/{jobs}",
            p95,
            "s",
            f"<= {limit:g} s",
            p95 <= limit,
            baseline=f"one call {LATENCY_SECONDS:g} s",
            ratio=p95 / LATENCY_SECONDS,
            note=f"{jobs} jobs at once, 18 prompt guidelines, one worker, {len(taken[jobs])} jobs; "
            f"median {statistics.median(taken[jobs]):.2f} s",
        )


def _through_the_service(folder: Path, url: str) -> dict[int, list[float]]:
    registry = connect(RegistrySettings(home=folder, mlflow_tracking_uri=""))
    version = register(registry, AgentSpec(pack=prompts(), model=MODEL)).version
    promote(registry, version.number, force_reason="benchmark", who="bench")
    port = free_port()
    environment = {
        "COPYDESK_HOME": str(folder),
        "COPYDESK_PORT": str(port),
        "MLFLOW_TRACKING_URI": "",
        "COPYDESK_MODEL_URL": url,
        "COPYDESK_WORKER_JOBS": str(max(AT_ONCE)),
    }
    with Processes(folder / "logs") as processes:
        for name in ("worker", "api"):
            processes.start(name, ["-m", "pipelines", name], environment)
        processes.wait_for(f"http://127.0.0.1:{port}/readyz", seconds=120)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _round(client, "warm", 2)
            return {
                jobs: [t for number in range(P95_ROUNDS) for t in _round(client, f"{jobs}-{number}", jobs)]
                for jobs in AT_ONCE
            }


def _round(client: httpx.Client, name: str, jobs: int) -> list[float]:
    """Seconds from submitted to finished of jobs that are submitted at once."""
    submitted = []
    for number in range(jobs):
        text = f"{thousand_words().text}\n\nRound {name}, number {number}."
        answer = client.post("/api/v1/compliance/check", json={"article": {"text": text}, "language": "en"})
        submitted.append((time.monotonic(), answer.raise_for_status().json()["links"]["status"]))
    taken = []
    while submitted:
        for entry in list(submitted):
            status = client.get(entry[1]).json()
            if status["status"] not in ("queued", "running"):
                assert status["status"] == "completed", status
                taken.append(time.monotonic() - entry[0])
                submitted.remove(entry)
        time.sleep(0.02)
    return taken


@benchmark("recheck-tokens")
def one_paragraph_edited() -> Iterator[Measurement]:
    with scripted_model() as url:
        full, again, single = asyncio.run(_edit(url))
    by_paragraph = {g.id for g in prompts().guidelines if not g.needs_article}
    for name, limit, chosen in (
        ("recheck-tokens/all", ALL_LIMIT, None),
        ("recheck-tokens/by-paragraph", BY_PARAGRAPH_LIMIT, by_paragraph),
    ):
        before, after = _tokens(full, chosen), _tokens(again, chosen)
        ratio = after / before
        note = f"{after:,} input tokens after editing 1 of {PARAGRAPHS} paragraphs, {before:,} for a full check"
        yield Measurement(name, ratio, "", f"<= {limit:g}", ratio <= limit, "full check", ratio, note)
    ratio = _tokens(full, None) / single
    note = "a check that fills the cache over one call a guideline without one"
    yield Measurement(
        "recheck-tokens/full", ratio, "", f"<= {FULL_LIMIT:g}", ratio <= FULL_LIMIT, "one call each", ratio, note
    )


async def _edit(url: str) -> tuple[ComplianceReport, ComplianceReport, int]:
    words = thousand_words().text.split()
    texts = [" ".join(words[start % 900 : start % 900 + 50]) + f" {start}." for start in range(0, PARAGRAPHS * 37, 37)]
    endpoint, pack = Endpoint(ModelSettings(url=url)), prompts()
    agent = Agent(AgentSpec(pack=pack, model=MODEL), endpoint=endpoint, kept=MemoryKeyValues())
    article = _article(texts)
    try:
        full = await agent.check(article)
        client = ModelClient(MODEL, endpoint)
        shown = article_part(article, whole(article, 100_000))
        replies = [await client.complete(messages(shown, [guideline])) for guideline in pack.guidelines]
        texts[EDITED] = f"Somebody wrote this anew. {texts[EDITED]}"
        again = await agent.check(_article(texts))
    finally:
        await endpoint.close()
    return full, again, sum(reply.usage.input_tokens for reply in replies)


def _article(texts: list[str]) -> Article:
    return build_article((Block(text) for text in texts), language="en")


def _tokens(report: ComplianceReport, chosen: set[str] | None) -> int:
    outcomes = [o for o in report.outcomes if chosen is None or o.guideline in chosen]
    return sum(outcome.usage.input_tokens for outcome in outcomes)
