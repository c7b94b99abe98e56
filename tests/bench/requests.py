"""`submit-p99`, `status-p99`, `status-throughput`, `result-p99` and `start-p95` on PostgreSQL and Redis."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Protocol

import httpx
from procrastinate.jobs import Status

from pipelines.serve import free_port
from serving.access.api_keys import looks_like_key
from tests.bench.article import thousand_words
from tests.bench.installation import SERVER_CPU, Installation, installation, servers
from tests.bench.load import WARM_UP, Measured, Plan, get, measured, post
from tests.bench.measure import Measurement, benchmark
from tests.bench.plain_queue import PlainQueue, next_start, plain_queue
from tests.postgres_server import PostgresServer

HELLO = """
import uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}
uvicorn.run(app, port=%d, log_level="warning", access_log=False)
"""
SECONDS = 10.0
ROUNDS = 3
SHORT_SECONDS = 1.5  # of many turns each: a machine that others share is slow now and then, and both have their part
SHORT_ROUNDS = 11
STARTS = 60


class Bare(Protocol):
    """Asks a bare FastAPI, as fast as it goes where there is no `rate`."""

    def __call__(self, *, seconds: float, rate: float = 0.0) -> Measured: ...


@benchmark("requests", "start-p95", "submit-p99", "status-p99", "result-p99", "status-throughput")
def requests() -> Iterator[Measurement]:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers(Path(folder)) as stand,
        installation(Path(folder), stand.environment) as running,
    ):
        running.process("api").cpu_affinity([SERVER_CPU])
        job = _checked(running)
        yield _start(running, stand.postgres)
        _stop_worker(running)
        with _bare() as bare:
            yield _latency(running, bare, "submit-p99", _submissions, rate=20, limit=25.0)
            yield _latency(running, bare, "status-p99", lambda _: [get(job["status"])], rate=200, limit=5.0)
            yield _latency(running, bare, "result-p99", lambda _: [get(job["result"])], rate=100, limit=15.0)
    yield from _signed_in()


def _signed_in() -> Iterator[Measurement]:
    """`status-throughput` is of an editor with a session, as the pane asks."""
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as stand:
        environment = stand.environment | {"JWT_SECRET_KEY": token_hex(32)}
        with installation(Path(folder), environment) as running:
            running.process("api").cpu_affinity([SERVER_CPU])
            running.client_headers |= {"Authorization": f"Bearer {_session(running)}"}
            job = _checked(running)
            _stop_worker(running)
            yield _throughput(running, job["status"])


def _session(running: Installation) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "pipelines", "keys", "create", "bench", "--user", "ada", "--role", "editor"],
        env={**os.environ, **running.environment},
        capture_output=True,
        check=True,
        text=True,
    )
    key = next(word for word in made.stdout.split() if looks_like_key(word))
    with running.client() as client:
        answer = client.post("/api/v1/session", headers={"Authorization": f"Bearer {key}"})
    token: str = answer.raise_for_status().json()["token"]
    return token


def _latency(
    running: Installation, bare: Bare, name: str, requests: Callable[[int], list[str]], *, rate: float, limit: float
) -> Measurement:
    """`requests` of each turn. The bare one, asked as often, says what the machine takes for an answer of nothing."""
    found, others = [], []
    for turn in range(ROUNDS):
        found.append(_measure(running, requests(turn), rate=rate, seconds=SECONDS))
        others.append(bare(rate=rate, seconds=SECONDS))
    p99, other = (_median(one.quantile(0.99) for one in of) for of in (found, others))
    p50 = _median(one.quantile(0.5) for one in found)
    asked = f"{rate:g} requests a second in {ROUNDS} turns of {SECONDS:g} s"
    note = f"{asked}, median {p50:.2f} ms; answers: {_statuses(found)}"
    return Measurement(
        name,
        p99,
        "ms",
        f"< {limit:g} ms",
        p99 < limit,
        baseline=f"bare FastAPI {other:.2f} ms",
        ratio=p99 / other,
        note=note,
    )


def _throughput(running: Installation, path: str) -> Measurement:
    """In turns with a bare FastAPI on the same core."""
    asked = [get(path, **running.client_headers)]
    ours, others = [], []
    with _bare() as bare:
        for _ in range(SHORT_ROUNDS):
            ours.append(_measure(running, asked, seconds=SHORT_SECONDS).per_second)
            others.append(bare(seconds=SHORT_SECONDS).per_second)
    ratios = sorted(one / other for one, other in zip(ours, others, strict=True))
    ratio = _median(ratios)
    return Measurement(
        "status-throughput",
        _median(ours),
        "/s",
        ">= 0.40 of hello",
        ratio >= 0.40,
        baseline=f"bare FastAPI {_median(others):.0f}/s",
        ratio=ratio,
        note=f"{len(ratios)} turns of {SHORT_SECONDS:g} s, {ratios[0]:.2f} to {ratios[-1]:.2f}",
    )


@contextmanager
def _bare() -> Iterator[Bare]:
    """A FastAPI that answers with nothing of anybody's, on the same core."""
    port = free_port()
    hello = subprocess.Popen(["taskset", "-c", str(SERVER_CPU), sys.executable, "-c", HELLO % port])

    def ask(*, seconds: float, rate: float = 0.0) -> Measured:
        return measured(Plan("127.0.0.1", port, [get("/hello")], rate=rate, seconds=seconds))

    try:
        _until_up(port)
        yield ask
    finally:
        hello.kill()
        hello.wait()


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _start(running: Installation, server: PostgresServer) -> Measurement:
    """One job at a time, in turns with an empty one that procrastinate alone hands out on the same server."""
    ours, others = [], []
    with running.client() as client, plain_queue(server) as plain, plain.worker("as_documented") as worker:
        _plain_wait_ms(plain, worker)  # until it is up
        for number in range(STARTS):
            ours.append(_wait_ms(client, f"start {number}"))
            others.append(_plain_wait_ms(plain, worker))
    p95, other = (sorted(waits)[int(STARTS * 0.95)] for waits in (ours, others))
    return Measurement(
        "start-p95",
        p95,
        "ms",
        "< 50 ms",
        p95 < 50,
        baseline=f"procrastinate {other:.1f} ms",
        ratio=p95 / other,
        note=f"{STARTS} jobs, one at a time, median {_median(ours):.1f} ms; an empty task of procrastinate alone, from "
        f"deferred to begun, on the same server in turns: median {_median(others):.1f} ms",
    )


def _wait_ms(client: httpx.Client, number: str) -> float:
    """From accepted to started, as the job itself has it."""
    answer = client.post("/api/v1/compliance/check", json=_article(number)).raise_for_status().json()
    job = _ended(client, answer["links"]["status"])
    begun, accepted = datetime.fromisoformat(job["started"]), datetime.fromisoformat(job["submitted"])
    return (begun - accepted).total_seconds() * 1000


def _plain_wait_ms(plain: PlainQueue, worker: "subprocess.Popen[str]") -> float:
    deferred = time.time()
    plain.wait_for(plain.defer("empty"), Status.SUCCEEDED)
    return (next_start(worker) - deferred) * 1000


def _measure(running: Installation, requests: list[str], *, seconds: float, rate: float = 0.0) -> Measured:
    host, _, port = running.address.removeprefix("http://").partition(":")
    return measured(Plan(host, int(port), requests, rate=rate, seconds=seconds))


def _submissions(turn: int) -> list[str]:
    """Different articles, so that none is a duplicate; some more for warming up."""
    articles = (_article(f"submit {turn}.{number}") for number in range(int(20 * SECONDS) + WARM_UP))
    return [post("/api/v1/compliance/check", json.dumps(article)) for article in articles]


def _article(number: str) -> dict[str, object]:
    return {"article": {"text": f"{thousand_words().text}\n\nNumber {number}."}}


def _checked(running: Installation) -> dict[str, str]:
    """The links of a job that has ended."""
    with running.client() as client:
        links: dict[str, str] = client.post("/api/v1/compliance/check", json=_article("first")).json()["links"]
        _ended(client, links["status"])
    return links


def _ended(client: httpx.Client, path: str) -> dict[str, str]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job: dict[str, str] = client.get(path).raise_for_status().json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise TimeoutError(f"{path} did not end")


def _stop_worker(running: Installation) -> None:
    running.process("worker").suspend()  # idle, and still there


def _until_up(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/hello")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the bare FastAPI did not start")


def _statuses(found: list[Measured]) -> str:
    counts: dict[str, int] = {}
    for one in found:
        for status, count in one.statuses.items():
            counts[status] = counts.get(status, 0) + count
    return ", ".join(f"{count} x {status}" for status, count in sorted(counts.items()))
