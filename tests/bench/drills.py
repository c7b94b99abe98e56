"""`drills`: a part of the service is away for a while. What an editor sees, what is lost, how long until all is well.

The answers go into docs/outages.md. Each drill has an installation of its own.
"""

import itertools
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx

from agent.spec import AgentSpec, ModelSpec
from registry.runs import JOB_ID
from tests.agent.build import pack, prompt_guideline
from tests.azurite_server import azurite_server
from tests.bench.installation import Installation, installation, servers
from tests.bench.measure import Measurement, benchmark
from tests.mlflow_server import mlflow_server
from tests.scripted_model import Scripted, ScriptedModel
from tests.serving.service import free_port

AWAY_SECONDS = 10.0
EVERY_SECONDS = 0.25  # an editor submits, and looks at a report that is there
NORMAL_LIMIT_SECONDS = 60.0
PATIENCE_SECONDS = 180.0
ENDED = ("completed", "partial", "failed", "cancelled")
JUDGED = AgentSpec(
    pack=pack(*(prompt_guideline(f"rule-{number}", title=f"Rule {number}") for number in range(4))),
    model=ModelSpec(deployment="scripted"),
)

Outage = Callable[[], AbstractContextManager[None]]


@dataclass
class Editor:
    """Submits articles and reads a report, again and again, in a thread; notes what is answered."""

    running: Installation
    accepted: list[str] = field(default_factory=list)
    submitting: Counter[str] = field(default_factory=Counter)
    reading: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # seconds that an answer took
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _done: threading.Event = field(default_factory=threading.Event)

    def submit(self, client: httpx.Client) -> str | None:
        number = next(self._numbers)
        article = {"text": f"Experts say the plan is a game changer.\n\nNumber {number}."}
        answer = self._answer(lambda: client.post("/api/v1/compliance/check", json={"article": article}))
        self.submitting[_said(answer)] += 1
        if answer is None or answer.status_code != 202:
            return None
        self.accepted.append(str(answer.json()["job_id"]))
        return self.accepted[-1]

    @contextmanager
    def busy(self, first: str) -> Iterator[None]:
        """While this lasts; `first` is a job whose report is there."""
        self._done.clear()
        self.submitting.clear()
        self.reading.clear()
        self.slowest = 0.0
        thread = threading.Thread(target=self._work, args=(first,))
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _work(self, first: str) -> None:
        with self.running.client() as client:
            while not self._done.wait(EVERY_SECONDS):
                self.submit(client)
                answer = self._answer(lambda: client.get(f"/api/v1/jobs/{first}/result"))
                self.reading[_said(answer)] += 1

    def _answer(self, ask: Callable[[], httpx.Response]) -> httpx.Response | None:
        began = time.monotonic()
        try:
            return ask()
        except httpx.TransportError:
            return None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)


def _said(answer: httpx.Response | None) -> str:
    if answer is None:
        return "no answer"
    if answer.status_code < 400:
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json().get('type', '')}"


def drill(
    name: str, running: Installation, outage: Outage, *, restarted: bool = True, normal: str = "completed"
) -> Measurement:
    """Seconds from the end of an outage until an article is accepted and checked as ever.

    A part that is `restarted` is its own baseline: its start returns once a bare client of it gets through.
    """
    editor = Editor(running)
    with running.client() as client:
        first = _until_checked(editor, client, normal)
        client.get(f"/api/v1/jobs/{first}/result")  # as an editor who has it before them
        with editor.busy(first):
            with outage():
                time.sleep(AWAY_SECONDS)
                began = time.monotonic()
            own = time.monotonic() - began
        submitting, reading, slowest = Counter(editor.submitting), Counter(editor.reading), editor.slowest
        _until_checked(editor, client, normal)
        seconds = time.monotonic() - began
        ends = Counter(_ended(client, id) for id in editor.accepted)
    lost = sum(count for status, count in ends.items() if status not in ("completed", "partial"))
    return Measurement(
        f"drill/{name}",
        seconds,
        "s",
        f"0 lost, < {NORMAL_LIMIT_SECONDS:g} s",
        lost == 0 and seconds < NORMAL_LIMIT_SECONDS,
        baseline=f"itself {own:.2f} s" if restarted else "",
        ratio=seconds / own if restarted else None,
        note=f"away {AWAY_SECONDS:g} s; submitting answered {_list(submitting)}; reading a report {_list(reading)}; "
        f"the slowest answer took {slowest:.1f} s; {len(editor.accepted)} accepted: {_list(ends)}; "
        + (f"normal {seconds - own:.1f} s after the part" if restarted else "no baseline: the part is well at once"),
    )


@benchmark("drills")
def drills() -> Iterator[Measurement]:
    yield from _of_the_stores()
    yield _of_the_blobs()
    yield _of_mlflow()
    yield from _of_the_model()
    yield _of_the_disk()


def _of_the_stores() -> Iterator[Measurement]:
    with _folder() as folder, servers(folder) as stand, installation(folder, stand.environment) as running:
        yield drill("postgresql", running, lambda: _away(stand.postgres.crash, stand.postgres.start))
        yield drill("redis", running, lambda: _away(stand.redis.stop, stand.redis.start))


def _of_the_blobs() -> Measurement:
    with (
        _folder() as folder,
        azurite_server(folder) as azurite,
        servers(folder) as stand,
        installation(folder, stand.environment | {"BLOB_CONNECTION_STRING": azurite.connection_string}) as running,
    ):
        return drill("blobs", running, lambda: _away(azurite.stop, azurite.start))


def _of_mlflow() -> Measurement:
    with _folder() as folder, servers(folder) as stand, ExitStack() as mlflow:
        port = free_port()
        url = mlflow.enter_context(mlflow_server(folder, port))
        with installation(folder, stand.environment | {"MLFLOW_TRACKING_URI": url}) as running:
            restart = lambda: mlflow.enter_context(mlflow_server(folder, port))  # noqa: E731
            measured = drill("mlflow", running, lambda: _away(mlflow.close, restart))
            seconds = _until_logged(running)
    note = f"{measured.note}; all runs were logged {seconds or 0:.0f} s later"
    return replace(measured, ok=measured.ok and seconds is not None, note=note)


def _of_the_model() -> Iterator[Measurement]:
    with (
        _folder() as folder,
        ScriptedModel() as model,
        servers(folder) as stand,
        installation(
            folder,
            stand.environment
            | {
                "COPYDESK_MODEL_URL": model.url,
                "COPYDESK_MODEL_TIMEOUT_SECONDS": "3",
                "COPYDESK_MODEL_QUESTION_SECONDS": "10",
                "COPYDESK_MODEL_BREAKER_SECONDS": "10",
            },
            champion=JUDGED,
        ) as running,
    ):
        for name, answer in (
            ("model-429", Scripted(status=429)),
            ("model-500", Scripted(status=500)),
            ("model-slow", Scripted(seconds=20)),
        ):
            yield drill(name, running, partial(_answering, model, answer), restarted=False)


def _of_the_disk() -> Measurement:
    """SQLite, articles and logs on a file system of 256 MB that is filled up; making one takes root."""
    with _folder() as folder:
        disk = folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk], check=False).returncode:
            return Measurement("drill/disk-full", None, "s", "", None, note="mounting a small file system takes root")
        try:
            with installation(disk, {}) as running:
                filler = disk / "filler"
                outage = partial(_away, partial(_fill, filler), filler.unlink)
                return drill("disk-full", running, outage, restarted=False)
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="copydesk-drill-") as folder:
        yield Path(folder)


@contextmanager
def _away(stop: Callable[[], object], start: Callable[[], object]) -> Iterator[None]:
    stop()
    try:
        yield
    finally:
        start()


@contextmanager
def _answering(model: ScriptedModel, answer: Scripted) -> Iterator[None]:
    before, model.default = model.default, answer
    try:
        yield
    finally:
        model.default = before


def _fill(file: Path) -> None:
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(65536))
        except OSError:
            return


def _until_checked(editor: Editor, client: httpx.Client, normal: str) -> str:
    """The id of an article that was accepted and checked as it should be."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        id = editor.submit(client)
        if id is not None and _ended(client, id) == normal:
            return id
        time.sleep(EVERY_SECONDS)
    raise TimeoutError(f"no article was checked within {PATIENCE_SECONDS:g} s")


def _ended(client: httpx.Client, id: str) -> str:
    until, status = time.monotonic() + PATIENCE_SECONDS, "lost"
    while time.monotonic() < until:
        answer = client.get(f"/api/v1/jobs/{id}/status")
        if answer.status_code == 200 and (status := str(answer.json()["status"])) in ENDED:
            break
        time.sleep(0.05)
    return status


def _until_logged(running: Installation) -> float | None:
    """Seconds until each job has a run; None where that doesn't come."""
    began = time.monotonic()
    with running.client() as client:
        ids = set(_all_jobs(client))
    while time.monotonic() - began < PATIENCE_SECONDS:
        found = [experiment.experiment_id for experiment in running.registry.client.search_experiments()]
        runs = running.registry.client.search_runs(found, max_results=1000)
        if ids <= {run.data.tags.get(JOB_ID) for run in runs}:
            return time.monotonic() - began
        time.sleep(0.5)
    return None


def _all_jobs(client: httpx.Client) -> Iterator[str]:
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/v1/jobs", params={"limit": 100, "cursor": cursor}).json()
        yield from (str(job["job_id"]) for job in page["jobs"])
        cursor = page["next"]


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {what}" for what, count in counts.most_common()) or "nothing"
