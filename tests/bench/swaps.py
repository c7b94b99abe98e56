"""`swap-time`: 20 promotions under load, and what the articles got meanwhile. `shadow-p99`: a shadow on against off."""

import itertools
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from agent.spec import AgentSpec, ModelSpec
from registry.aliases import promote
from registry.versions import register
from serving.access.audit import Actor
from tests.agent.build import guideline, pack, prompt_guideline
from tests.bench.installation import Installation, installation, servers
from tests.bench.measure import Measurement, benchmark
from tests.scripted_model import ScriptedModel

JOBS, SWAPS = 1000, 20
LIMIT_SECONDS = 5.0
EVERY_SECONDS = 0.08  # a submission, so that the swaps are spread over the jobs
PATIENCE_SECONDS = 120.0
SPECS = [AgentSpec(pack=pack(guideline(title=f"Words {name}"), prompt_guideline())) for name in ("one", "two")]
ENDED = ("completed", "partial", "failed", "cancelled")


@dataclass
class Load:
    """Submits articles until there are enough."""

    running: Installation
    accepted: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def work(self) -> None:
        with self.running.client() as client:
            for number in itertools.count():
                if len(self.accepted) >= JOBS:
                    break
                self._submit(client, number)
                time.sleep(EVERY_SECONDS)

    def _submit(self, client: httpx.Client, number: int) -> None:
        body = {"article": {"text": f"We utilise experts. Experts say so.\n\nNumber {number}."}, "language": "en"}
        try:
            answer = client.post("/api/v1/compliance/check", json=body)
        except httpx.TransportError as error:
            self.errors[type(error).__name__] += 1
            return
        if answer.status_code != 202:
            self.errors[str(answer.status_code)] += 1
            return
        self.accepted.append(str(answer.json()["job_id"]))


@benchmark("swap-time")
def swaps() -> Iterator[Measurement]:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers(Path(folder)) as stand,
        installation(Path(folder), stand.environment, workers=2, champion=SPECS[0]) as running,
    ):
        register(running.registry, SPECS[1])
        load = Load(running)
        thread = threading.Thread(target=load.work)
        thread.start()
        took = [_swap(running, 2 - number % 2) for number in range(SWAPS)]
        thread.join()
        mixed, ends, versions = _looked_at(running, load.accepted)
    good = ends["completed"] == len(load.accepted) == JOBS and not load.errors and not mixed
    yield Measurement(
        "swap-time",
        max(took),
        "s",
        f"< {LIMIT_SECONDS:g} s, 0 errors, 0 mixed",
        good and max(took) < LIMIT_SECONDS,
        note=f"{SWAPS} promotions under load, {median(took):.1f} s in the median; {JOBS} jobs: {dict(ends)}, "
        f"{sum(load.errors.values())} errors, {mixed} reports by another version than their job's; "
        f"by version {dict(versions)}",
    )


def _swap(running: Installation, number: int) -> float:
    """Seconds from the command until the API binds articles to the version."""
    began = time.monotonic()
    promote(running.registry, number, force_reason="benchmark", who="bench")
    with running.client() as client:
        while client.get("/readyz").json().get("version") != str(number):
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise TimeoutError(f"version {number} isn't served")
            time.sleep(0.02)
    return time.monotonic() - began


def _looked_at(running: Installation, accepted: list[str]) -> tuple[int, Counter[str], Counter[str]]:
    """Reports that are of two versions, how the jobs ended, and by which version."""
    packs = {str(number): spec.pack for number, spec in enumerate(SPECS, 1)}
    mixed, ends, versions = 0, Counter[str](), Counter[str]()
    with running.client() as client:
        for id in accepted:
            job = _until_ended(client, id)
            version = str(job.get("version", ""))
            ends[str(job["status"])] += 1
            versions[version] += 1
            answer = client.get(f"/api/v1/jobs/{id}/result")
            if answer.status_code != 200:
                continue
            report = answer.json()["report"]
            titles = {outcome["guideline"]: outcome["title"] for outcome in report["outcomes"]}
            wanted = {rule.id: rule.title for rule in packs[version].guidelines}
            same = report["version"]["number"] == version and report["version"]["pack_digest"] == packs[version].digest
            mixed += not (same and titles == wanted)
    return mixed, ends, versions


def _until_ended(client: httpx.Client, id: str) -> dict[str, object]:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        job: dict[str, object] = client.get(f"/api/v1/jobs/{id}/status").json()
        if job["status"] in ENDED or time.monotonic() > until:
            return job
        time.sleep(0.05)


ROUNDS, ARTICLES = 4, 25  # of each, in turns
JUDGED = [
    AgentSpec(
        pack=pack(*(prompt_guideline(f"rule-{number}", title=f"{name} {number}") for number in range(4))),
        model=ModelSpec(deployment="scripted"),
    )
    for name in ("Rule", "Other rule")
]


@benchmark("shadow-p99")
def shadow_p99() -> Iterator[Measurement]:
    """Editors' articles from submitted to ended, an article every now and then, with and without a shadow."""
    import asyncio

    from serving.adapters.database import open_database
    from serving.adapters.sql_shadows import SqlShadows
    from serving.app import utc_now
    from serving.shadow import Shadow

    with (
        tempfile.TemporaryDirectory() as folder,
        ScriptedModel(seconds=0.3) as model,
        servers(Path(folder)) as stand,
        installation(
            Path(folder), stand.environment | {"COPYDESK_MODEL_URL": model.url}, workers=1, champion=JUDGED[0]
        ) as running,
    ):
        register(running.registry, JUDGED[1])

        async def switch(number: int, *, on: bool) -> int:
            database = await open_database(running.environment["DB_CONNECTION_STRING"])
            shadows = SqlShadows(database)
            active = await shadows.active()
            compared = (await shadows.counts(active)).get("compared", 0) if active else 0
            if active:
                await shadows.stop(active, "its turn is over", utc_now(), by=Actor("bench", "command"))
            if on:
                id = f"round{number}"
                await shadows.start(Shadow(id, "2", "1", 1.0, "bench", utc_now(), checks_a_day=100_000))
            await database.close()
            return compared

        times: dict[bool, list[float]] = {False: [], True: []}
        compared, numbers = 0, itertools.count()
        for number in range(2 * ROUNDS):
            on = number % 2 == 1
            compared += asyncio.run(switch(number, on=on))
            times[on] += [_editor(running, next(numbers)) for _ in range(ARTICLES)]
        compared += asyncio.run(switch(2 * ROUNDS, on=False))
    off, on_ = (_p99(times[which]) for which in (False, True))
    yield Measurement(
        "shadow-p99",
        on_ * 1000,
        "ms",
        "<= 1.15 of off",
        on_ <= 1.15 * off,
        baseline=f"{off * 1000:.0f} ms without",
        ratio=on_ / off,
        note=f"{ROUNDS * ARTICLES} articles each in turns of {ARTICLES}, 4 prompt guidelines, a model that answers in "
        f"0.3 s; {compared} were compared in the shadow; medians {median(times[True]) * 1000:.0f} and "
        f"{median(times[False]) * 1000:.0f} ms",
    )


def _editor(running: Installation, number: int) -> float:
    """Seconds until an article is checked; the next one comes a while later."""
    with running.client() as client:
        body = {"article": {"text": f"Experts say so.\n\nNumber {number}."}, "language": "en"}
        began = time.monotonic()
        id = client.post("/api/v1/compliance/check", json=body).raise_for_status().json()["job_id"]
        while client.get(f"/api/v1/jobs/{id}/status").json()["status"] not in ENDED:
            time.sleep(0.005)
        took = time.monotonic() - began
    time.sleep(0.2 + 0.02 * (number % 37))
    return took


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.99 * len(seconds))]
