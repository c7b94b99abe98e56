"""What is refused, and how cheaply: sent over real sockets to a real process."""

import asyncio
import io
import json
import socket
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psutil
import pytest

from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import open_stores
from serving.api.problems import MEDIA_TYPE
from serving.app import utc_now
from serving.settings import ServingSettings
from tests.serving.build import TEXT, served
from tests.serving.service import Service, service, submit
from tests.waiting import eventually

CHECK = "/api/v1/compliance/check"
BATCHES = "/api/v1/compliance/batches"
HEAD_SECONDS, ANSWER_SECONDS, CONNECTIONS = 1.0, 3.0, 40
PATIENCE = 30.0  # of a client, on a busy machine
SHORT = {
    "COPYDESK_HEAD_SECONDS": str(HEAD_SECONDS),
    "COPYDESK_BODY_SECONDS": "1",
    "COPYDESK_ANSWER_SECONDS": str(ANSWER_SECONDS),
    "COPYDESK_MOST_CONNECTIONS": str(CONNECTIONS),
}
MEGABYTE = 1_000_000

pytestmark = pytest.mark.slow


async def serve_a_champion(home: Path) -> None:
    async with open_stores(ServingSettings(home=home)) as stores:
        await SqlServedVersions(stores.database).put(served(at=utc_now()))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("edge"), environment=SHORT) as running:
        asyncio.run(serve_a_champion(running.home))
        with running.api():
            yield running


@pytest.fixture
def client(running: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=PATIENCE) as client:
        yield client


def connected(running: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), PATIENCE)


def until_closed(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def answer(running: Service, data: bytes) -> tuple[int, str]:
    """Status and problem type of what comes back."""
    with closing(connected(running)) as connection:
        connection.sendall(data)
        return read(until_closed(connection))


def read(data: bytes) -> tuple[int, str]:
    head, _, body = data.partition(b"\r\n\r\n")
    assert f"content-type: {MEDIA_TYPE}".encode() in head.lower(), data
    assert b"x-content-type-options: nosniff" in head.lower()
    return int(head.split()[1]), json.loads(body)["type"]


def get(path: str, *headers: str, method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


ODD = {
    "unknown method": (get("/", method="BREW"), 400, "bad-request"),
    "method nobody serves": (get("/", method="PROPFIND"), 405, "method-not-allowed"),
    "trace": (get("/", method="TRACE"), 405, "method-not-allowed"),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad-request"),
    "no version": (b"GET /\r\n\r\n", 403, "foreign-host"),
    "http 2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad-request"),
    "length of letters": (get(CHECK, "Content-Length: ten", method="POST"), 400, "bad-request"),
    "negative length": (get(CHECK, "Content-Length: -1", method="POST"), 400, "bad-request"),
    "two lengths": (get(CHECK, "Content-Length: 1", "Content-Length: 2", method="POST"), 400, "bad-request"),
    "length and chunks": (
        get(CHECK, "Content-Length: 1", "Transfer-Encoding: chunked", method="POST"),
        400,
        "bad-request",
    ),
    "header without a name": (get("/", ": x"), 400, "bad-request"),
    "header with a zero": (get("/", "X: a\0b"), 400, "bad-request"),
    "one long header": (get("/", "X: " + "a" * 100_000), 431, "request-header-fields-too-large"),
    "many headers": (get("/", *["X: a"] * 20_000), 431, "request-header-fields-too-large"),
    "long path": (get("/" + "a" * 100_000), 431, "request-header-fields-too-large"),
    "foreign host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403, "foreign-host"),
    "no host": (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 403, "foreign-host"),
    "no more than one byte": (b"\0", 400, "bad-request"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_request_of_ours_is_a_problem(running: Service, name: str) -> None:
    sent, status, type = ODD[name]
    assert answer(running, sent) == (status, type)


PATHS = [
    "/../../etc/passwd",
    "/static/../../settings.py",
    "/static/x/../../../settings.py",
    "/static/x/..%2f..%2froutes.py",
    "/static/%2e%2e/%2e%2e/routes.py",
    "/static/x/%2e%2e%2froutes.py",
    "/static/x/..%5c..%5croutes.py",
    "/static/x/%00main.js",
    "/static/x/main.js%00",
    "/static/x/main.js/",
    "/static//main.js",
    "//etc/passwd",
    "//static/x/main.js",
    "/static/x/%252e%252e%252froutes.py",
    "/static/x/%c0%ae%c0%ae/routes.py",
    "/static/x/%ff%fe",
    "/static/x/%zz",
    "/static/x/" + "a" * 20_000,
    "/api/v1/jobs/..%2f..%2fadmin%2faudit/status",
    "/api/v1/jobs/%00/status",
    "/api/v1/jobs/" + "a" * 20_000 + "/status",
]


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_path_leads_to_a_file(running: Service, path: str) -> None:
    with closing(connected(running)) as connection:
        connection.sendall(get(path))
        head, _, body = until_closed(connection).partition(b"\r\n\r\n")
    assert int(head.split()[1]) in (307, 404, 422), head
    assert b"import" not in body
    assert b"root:" not in body


def test_a_head_that_comes_slowly_is_answered_and_closed(running: Service) -> None:
    with closing(connected(running)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        data = eventually("it is refused", lambda: drip(connection, b"X: a\r\n"), PATIENCE)
    assert read(data) == (408, "request-timeout")


def drip(connection: socket.socket, data: bytes) -> bytes | None:
    """Sends a little more, unless there is an answer."""
    connection.settimeout(0.1)
    try:
        connection.sendall(data)
        return connection.recv(65536)
    except TimeoutError:
        return None


@pytest.mark.parametrize("sent", [b"", b"\r\n", get("/healthz").replace(b"Connection: close\r\n", b"") + b"\r\n"])
def test_a_connection_that_says_nothing_is_closed(running: Service, sent: bytes) -> None:
    """Before its first request, and between two of them."""
    with closing(connected(running)) as connection:
        connection.sendall(sent)
        received = until_closed(connection)
    assert received == b"" or received.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("path", [CHECK, BATCHES])
def test_a_body_that_comes_slowly_is_answered_and_closed(running: Service, path: str) -> None:
    head = get(path, "Content-Type: application/json", "Content-Length: 1000", method="POST")
    with closing(connected(running)) as connection:
        connection.sendall(head + b"{")
        data = eventually("it is refused", lambda: drip(connection, b" "), PATIENCE)
        assert read(data + until_closed(connection)) == (408, "request-timeout")


def held_up(running: Service, client: httpx.Client) -> httpx.Response:
    """To an article that can't be stored: it is given up after ANSWER_SECONDS."""
    with closing(sqlite3.connect(running.home / "copydesk.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = client.post(CHECK, json={"article": {"text": "Held up. " + TEXT}})
        other.execute("ROLLBACK")
    return refused


def test_a_request_that_takes_too_long_is_given_up_and_stores_nothing(running: Service, client: httpx.Client) -> None:
    before = len(client.get("/api/v1/jobs").json()["jobs"])
    refused = held_up(running, client)
    assert (refused.status_code, refused.json()["type"]) == (503, "answer-timeout")
    assert int(refused.headers["Retry-After"]) > 0
    submit(client, "Not held up. " + TEXT)
    assert len(client.get("/api/v1/jobs").json()["jobs"]) == before + 1


def test_a_stream_goes_on_for_longer(running: Service, client: httpx.Client) -> None:
    id = submit(client, "Streamed. " + TEXT)
    with client.stream("GET", f"/api/v1/jobs/{id}/events") as stream:
        lines = stream.iter_lines()
        first = next(line for line in lines if line.startswith("data:"))
        assert held_up(running, client).json()["type"] == "answer-timeout"
        client.delete(f"/api/v1/jobs/{id}")
        last = next(line for line in lines if line.startswith("data:"))
    assert (json.loads(first[5:])["status"], json.loads(last[5:])["status"]) == ("queued", "cancelled")


def test_ten_megabytes_of_json_cost_no_memory(running: Service, client: httpx.Client) -> None:
    process = psutil.Process(running.processes[0].pid)
    client.get("/healthz")
    before = process.memory_info().rss

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 100_000

    for body in (b" " * 12 * MEGABYTE, endless(), endless()):
        try:
            refused = client.post(CHECK, content=body, headers={"Content-Type": "application/json"})
        except httpx.TransportError:  # it was closed while more was on its way
            continue
        assert (refused.status_code, refused.json()["type"]) == (413, "content-too-large")
    assert process.memory_info().rss - before < 40 * MEGABYTE


NESTED = {
    "lists": b"[" * 100_000,
    "whole lists": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"article":' * 100_000,
    "in a value": b'{"article": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a long number": b'{"article": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("path", [CHECK, BATCHES, "/api/v1/session"])
@pytest.mark.parametrize("name", NESTED)
def test_deep_nesting_is_bad_input(client: httpx.Client, name: str, path: str) -> None:
    response = client.post(path, content=NESTED[name], headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500
    assert response.headers["Content-Type"] == MEDIA_TYPE


@pytest.mark.parametrize(
    "form",
    [
        {"html": "<div>" * 35_000 + "We utilise."},
        {"html": "<" * 150_000},
        {"markdown": ">" * 100_000 + " We utilise."},
        {"markdown": "[" * 100_000},
        {"markdown": "*a **a " * 15_000},
        {"text": "\u0301" * 100_000 + "a"},
    ],
)
def test_an_article_of_mischief_is_read_or_refused(client: httpx.Client, form: dict[str, str]) -> None:
    response = client.post(CHECK, json={"article": form})
    assert response.status_code in (202, 413, 422, 503), response.text


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", bytes(300 * MEGABYTE))
    return file.getvalue()


def test_a_document_that_unpacks_to_hundreds_of_megabytes_is_refused(running: Service, client: httpx.Client) -> None:
    process = psutil.Process(running.processes[0].pid)
    before = process.memory_info().rss
    refused = client.post(CHECK, files={"file": ("a.docx", bomb())})
    assert (refused.status_code, refused.json()["type"]) == (415, "unsupported-document")
    assert process.memory_info().rss - before < 40 * MEGABYTE


def test_a_form_of_ten_thousand_fields_is_refused(client: httpx.Client) -> None:
    fields = {f"field{number}": "x" for number in range(10_000)}
    refused = client.post(CHECK, data=fields, files={"file": ("a.txt", b"We.")})
    assert (refused.status_code, refused.json()["type"]) == (400, "bad-request")


def test_more_connections_than_there_is_room_for_are_told_so(running: Service) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(closing(connected(running))) for _ in range(CONNECTIONS)]
        one_more = opened.enter_context(closing(connected(running)))
        assert read(until_closed(one_more)) == (503, "too-many-connections")
        assert {until_closed(each) for each in idle} == {b""}
    assert eventually("there is room again", lambda: httpx.get(f"http://127.0.0.1:{running.port}/healthz")).is_success


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/versions", "/api/v1/jobs/none/status", "/nowhere", "/"])
def test_every_answer_has_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert ("script-src 'self'" in policy) == (path == "/")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    popups = "-allow-popups" if path == "/" else ""  # the pane may open one to sign in
    assert headers["Cross-Origin-Opener-Policy"] == f"same-origin{popups}"
    assert "Strict-Transport-Security" not in headers


def test_who_came_by_https_is_to_come_by_it_again(client: httpx.Client) -> None:
    headers = client.get("/healthz", headers={"X-Forwarded-Proto": "https"}).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_the_process_is_well_after_all_that(running: Service, client: httpx.Client) -> None:
    """Last in this file."""
    assert client.get("/healthz").json() == {"status": "ok"}
    assert "Traceback" not in running.logs()
