"""Requests at a steady rate, or as many as go, over kept connections; run as a process of its own on its own core.

`python -m tests.bench.load` reads a plan as JSON and writes the latencies as JSON, in milliseconds.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

import uvloop

LOAD_CPU = 1  # not the server's
PATIENCE = 60.0  # seconds beyond the plan's own
WARM_UP = 20  # requests that aren't counted


@dataclass(frozen=True)
class Plan:
    """Each request is sent as it is, in turn; a `rate` of 0 is as fast as `connections` go."""

    host: str
    port: int
    requests: list[str]
    rate: float = 0.0  # a second
    seconds: float = 10.0
    connections: int = 16
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    latencies: list[float]  # ms, from when a request was due
    seconds: float
    statuses: dict[str, int]

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, part: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def measured(plan: Plan) -> Measured:
    """In another process."""
    with tempfile.TemporaryFile() as told:  # a pipe holds 64 KB, and lost what was more
        subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=json.dumps(asdict(plan)).encode(),
            stdout=told,
            check=True,
            timeout=plan.seconds + PATIENCE,
        )
        told.seek(0)
        return Measured(**json.load(told))


def get(path: str, **headers: str) -> str:
    return _request("GET", path, "", headers)


def post(path: str, body: str, **headers: str) -> str:
    return _request("POST", path, body, {"Content-Type": "application/json", **headers})


def _request(method: str, path: str, body: str, headers: dict[str, str]) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


class Connections:
    """Kept open; one request at a time on each."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.statuses: dict[str, int] = {}

    async def open(self) -> None:
        for _ in range(self._plan.connections):
            self._free.put_nowait(await asyncio.open_connection(self._plan.host, self._plan.port))

    async def send(self, request: bytes) -> None:
        connection = await self._free.get()
        reader, writer = connection
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        await reader.readexactly(length)
        status = head[9:12].decode()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._free.put_nowait(connection)


async def _run(plan: Plan) -> Measured:
    connections = Connections(plan)
    await connections.open()
    requests = [request.encode() for request in plan.requests]
    for number in range(min(WARM_UP, len(requests))):
        await connections.send(requests[number])
    connections.statuses.clear()
    latencies: list[float] = []
    started = time.perf_counter()

    async def timed(number: int, due: float) -> None:
        await connections.send(requests[number % len(requests)])
        latencies.append((time.perf_counter() - due) * 1000)

    if plan.rate:
        sending = []
        for number in range(int(plan.rate * plan.seconds)):
            due = started + number / plan.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sending.append(asyncio.create_task(timed(number + WARM_UP, max(due, time.perf_counter()))))
        await asyncio.gather(*sending)
    else:

        async def keep_on(own: int) -> None:
            number = own
            while time.perf_counter() - started < plan.seconds:
                await timed(number, time.perf_counter())
                number += plan.connections

        await asyncio.gather(*(keep_on(own) for own in range(plan.connections)))
    return Measured(latencies, time.perf_counter() - started, connections.statuses)


if __name__ == "__main__":
    os.sched_setaffinity(0, {LOAD_CPU})
    print(json.dumps(asdict(uvloop.run(_run(Plan(**json.load(sys.stdin)))))))
