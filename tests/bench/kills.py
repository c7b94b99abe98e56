"""`kill-resume`: workers are killed with -9 under load, on PostgreSQL and Redis."""

import itertools
import json
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from mlflow.entities import Run
from procrastinate.jobs import Status

from agent.spec import AgentSpec, ModelSpec
from registry.connection import Registry
from registry.runs import JOB_ID
from tests.agent.build import pack, prompt_guideline
from tests.bench.installation import Installation, installation, servers
from tests.bench.measure import Measurement, benchmark
from tests.bench.plain_queue import next_start, plain_queue
from tests.bench.plain_tasks import LEASE_SECONDS
from tests.postgres_server import PostgresServer
from tests.scripted_model import ScriptedModel

JOBS = 1000
WORKERS = 3
KILL_EVERY_SECONDS = 10.0
LOOK_EVERY_SECONDS = 0.1
LATENCY_SECONDS = 1.0  # of the model
GRACE_SECONDS = 0.5  # from the model's answer to a finished check that is kept, on a busy machine
RESUME_LIMIT_SECONDS = 15.0
PATIENCE_SECONDS = 900.0

JUDGED = pack(*(prompt_guideline(f"rule-{number}", title=f"Rule {number}") for number in range(4)))
_NUMBER = re.compile(r"Number (\d+)\.")
_LOOK = "SELECT id, attempt, status, extract(epoch FROM started_at), extract(epoch FROM lease_until) FROM jobs"


@dataclass
class Attempts:
    """What the rows of the jobs said while workers were killed. Times are seconds since the epoch."""

    started: dict[tuple[str, int], float] = field(default_factory=dict)
    renewed: dict[tuple[str, int], float] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)

    def look(self, connection: "psycopg.Connection[tuple[str, int, str, float | None, float | None]]") -> None:
        self.statuses.clear()
        for id, attempt, status, started, lease_until in connection.execute(_LOOK):
            self.statuses[status] += 1
            if attempt and started is not None:
                self.started.setdefault((id, attempt), float(started))
            if lease_until is not None:
                self.renewed[id, attempt] = float(lease_until) - LEASE_SECONDS

    def ends(self, kills: list[float]) -> dict[tuple[str, int], float]:
        """When each attempt that another one followed was killed: the first kill after it was heard of last."""
        lost = {key: self.renewed[key] for key in self.renewed if (key[0], key[1] + 1) in self.started}
        return {key: next(kill for kill in kills if kill >= heard - 1) for key, heard in lost.items()}


@benchmark("kill-resume")
def killed_workers() -> Iterator[Measurement]:
    with (
        tempfile.TemporaryDirectory() as folder,
        ScriptedModel(seconds=LATENCY_SECONDS) as model,
        servers(Path(folder)) as stand,
        installation(
            Path(folder),
            stand.environment | {"COPYDESK_MODEL_URL": model.url, "COPYDESK_LEASE_SECONDS": str(LEASE_SECONDS)},
            workers=WORKERS,
            champion=AgentSpec(pack=JUDGED, model=ModelSpec(deployment="scripted")),
        ) as running,
    ):
        began = time.monotonic()
        ids = _submitted(running)
        attempts, kills = Attempts(), list[float]()
        _kill_until_done(running, attempts, kills)
        seconds = time.monotonic() - began
        reports = _reports(running, ids)
        runs = _runs(running.registry, ids)
        ends = attempts.ends(kills)
        resumes = [attempts.started[id, attempt + 1] - end for (id, attempt), end in ends.items()]
        again = _paid_again(model, ids, attempts, ends)
        other = _plain_resume(stand.postgres)
    worst = max(resumes, default=0.0)
    lost, twice = JOBS - reports, sum(runs.values()) - len(runs)
    yield Measurement(
        "kill-resume",
        worst,
        "s",
        f"0 lost, 0 twice, 0 paid again, < {RESUME_LIMIT_SECONDS:g} s",
        not lost and not twice and len(runs) == JOBS and not again.finished and worst < RESUME_LIMIT_SECONDS,
        baseline=f"procrastinate {other:.1f} s",
        ratio=worst / other,
        note=f"{JOBS} jobs of {len(JUDGED.guidelines)} prompt guidelines by {WORKERS} workers in {seconds:.0f} s, "
        f"{len(kills)} of them killed, {len(resumes)} attempts lost: {lost} reports missing, {len(runs)} jobs with "
        f"runs, {twice} logged twice, {again.finished} finished checks asked again "
        f"({again.in_flight} were unfinished); taken up again after {_median(resumes):.1f} s in the median; "
        f"procrastinate alone retries the jobs of {WORKERS} killed workers without any load, by a lease of "
        f"{LEASE_SECONDS:g} s as ours (30 s and a look every 10 minutes by its documentation)",
    )


@dataclass(frozen=True)
class PaidAgain:
    """Questions that the model was asked twice."""

    finished: int  # although their checks had finished before the worker died
    in_flight: int


def _submitted(running: Installation) -> list[str]:
    ids = []
    with running.client() as client:
        for number in range(JOBS):
            article = {"text": f"Experts say the plan is a game changer.\n\nNumber {number}."}
            body = {"article": article, "document_id": f"bench-{number}", "language": "en"}
            ids.append(str(client.post("/api/v1/compliance/check", json=body).raise_for_status().json()["job_id"]))
    return ids


def _kill_until_done(running: Installation, attempts: Attempts, kills: list[float]) -> None:
    """Kills the worker that has run for the longest, and starts another one, until every job has ended."""
    numbers = itertools.count(WORKERS)
    until, next_kill = time.monotonic() + PATIENCE_SECONDS, time.monotonic() + KILL_EVERY_SECONDS
    with psycopg.connect(running.environment["DB_CONNECTION_STRING"], autocommit=True) as connection:
        while time.monotonic() < until:
            attempts.look(connection)
            if sum(attempts.statuses[status] for status in ("queued", "running")) == 0:
                return
            if time.monotonic() > next_kill:
                worker = running.running("worker")[0]
                worker.kill()
                kills.append(time.time())
                worker.wait(10)
                running.start_worker(next(numbers))
                next_kill += KILL_EVERY_SECONDS
            time.sleep(LOOK_EVERY_SECONDS)
    raise TimeoutError(f"not all jobs have ended: {dict(attempts.statuses)}")


def _plain_resume(server: PostgresServer) -> float:
    """Seconds until the last job of workers that were killed together has begun again with another one."""
    with plain_queue(server) as plain, ExitStack() as workers:
        jobs, killed = [], []
        for _ in range(WORKERS):
            killed.append(workers.enter_context(plain.worker("as_patient")))
            jobs.append(plain.defer("held"))
            plain.wait_for(jobs[-1], Status.DOING)
        survivor = workers.enter_context(plain.worker("as_patient"))  # up before the leases run out
        for worker in killed:
            worker.kill()
        ended = time.time()
        for job in jobs:
            plain.wait_for(job, Status.SUCCEEDED)
        return max(next_start(survivor) for _ in jobs) - ended


def _reports(running: Installation, ids: list[str]) -> int:
    """How many of the jobs have a whole report."""
    with running.client() as client:
        answers = [client.get(f"/api/v1/jobs/{id}/result") for id in ids]
    return sum(answer.status_code == 200 and answer.json()["report"]["status"] == "complete" for answer in answers)


def _runs(registry: Registry, ids: list[str]) -> Counter[str]:
    """How many runs each job has, once all are logged or nothing more comes."""
    until, found = time.monotonic() + PATIENCE_SECONDS, Counter[str]()
    while time.monotonic() < until and len(found) < len(ids):
        time.sleep(2.0)
        found = Counter(str(run.data.tags.get(JOB_ID, "")) for run in _all_runs(registry))
        found = Counter({id: found[id] for id in ids if found[id]})
    return found


def _all_runs(registry: Registry) -> Iterator[Run]:
    experiments = [experiment.experiment_id for experiment in registry.client.search_experiments()]
    token: str | None = None
    while True:
        page = registry.client.search_runs(experiments, max_results=1000, page_token=token)
        yield from page
        if not (token := page.token):
            return


def _paid_again(
    model: ScriptedModel, ids: list[str], attempts: Attempts, ends: dict[tuple[str, int], float]
) -> PaidAgain:
    clock = time.time() - time.monotonic()
    asked: dict[tuple[str, str], list[float]] = defaultdict(list)
    for question, arrived in zip(model.traffic.questions, model.traffic.arrived, strict=True):
        found = _NUMBER.search(question.text)
        if found is None:
            raise AssertionError(f"a question about no article of ours: {json.dumps(question.text)[:200]}")
        for guideline in question.guidelines:
            asked[ids[int(found[1])], guideline].append(arrived + clock)
    finished = in_flight = 0
    for (id, _), times in asked.items():
        for first in sorted(times)[:-1]:
            attempt = max((a for (job, a), at in attempts.started.items() if job == id and at <= first), default=1)
            if first + LATENCY_SECONDS + GRACE_SECONDS < ends[id, attempt]:
                finished += 1
            else:
                in_flight += 1
    return PaidAgain(finished, in_flight)


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0
