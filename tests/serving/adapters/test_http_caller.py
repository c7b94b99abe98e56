"""Calls to real servers: where the connection goes, and what is left of an answer."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from serving.adapters import http_caller
from serving.adapters.http_caller import CallFailed, HttpCaller, Resolve
from serving.callback_rules import AllowedHost, CallbackRefused, CallbackRules
from tests.serving.receiver import Receiver, receiver

NAME = "hooks.test"


def resolving(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def rules(*hosts: str) -> CallbackRules:
    return CallbackRules(tuple(map(AllowedHost.of, hosts)))


def certificate(folder: Path, name: str) -> Path:
    """A file with a key and a certificate for a name, signed with itself."""
    key, now = generate_private_key(SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def called() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


async def test_what_is_sent_arrives_as_it_is(called: Receiver) -> None:
    status = await HttpCaller(rules(called.host)).post(called.url, {"webhook-id": "m"}, b'{"a": 1}')
    assert (status, len(called.calls)) == (204, 1)
    call = called.calls[0]
    assert (call.path, call.body, call.headers["webhook-id"]) == ("/done?from=copydesk", b'{"a": 1}', "m")
    assert (call.headers["host"], call.headers["content-type"]) == (called.host, "application/json")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiver(302) as moved:
        assert await HttpCaller(rules(moved.host)).post(moved.url, {}, b"{}") == 302
        assert len(moved.calls) == 1


async def test_a_name_is_verified_though_its_address_is_called(tmp_path: Path) -> None:
    file = certificate(tmp_path, NAME)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cafile=file)
    with receiver(tls=server) as called:
        caller = HttpCaller(
            rules(f"{NAME}:{called.port}", f"other.test:{called.port}"), resolve=resolving("127.0.0.1"), tls=client
        )
        assert await caller.post(f"https://{NAME}:{called.port}/x", {}, b"{}") == 204
        assert called.calls[0].headers["host"] == f"{NAME}:{called.port}"
        with pytest.raises(CallFailed, match="certificate"):
            await caller.post(f"https://other.test:{called.port}/x", {}, b"{}")


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1%eth0"], []])
async def test_a_name_that_stands_for_our_own_network_is_not_called(found: list[str]) -> None:
    with pytest.raises(CallbackRefused, match="doesn't stand for public addresses only"):
        await HttpCaller(CallbackRules(), resolve=resolving(*found)).post(f"https://{NAME}/", {}, b"{}")


async def test_a_name_that_changes_its_mind_is_asked_once(called: Receiver) -> None:
    """Rebinding: a second answer would be another address than the one that was checked."""
    answers = iter([["127.0.0.1"]])

    async def once(host: str, port: int) -> list[str]:
        return next(answers)

    assert (
        await HttpCaller(rules(f"{NAME}:{called.port}"), resolve=once).post(f"http://{NAME}:{called.port}/", {}, b"")
        == 204
    )


async def test_the_next_address_of_a_name_is_called_where_one_is_dead(called: Receiver) -> None:
    caller = HttpCaller(rules(f"{NAME}:{called.port}"), resolve=resolving("::1", "127.0.0.1"))
    assert await caller.post(f"http://{NAME}:{called.port}/", {}, b"{}") == 204


async def test_a_proxy_of_the_environment_is_not_used(called: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert await HttpCaller(rules(called.host)).post(called.url, {}, b"{}") == 204


async def test_nobody_there_and_no_such_name_are_said(called: Receiver) -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(CallFailed, match=r"127\.0\.0\.1 can't be called"):
        await HttpCaller(rules("127.0.0.1:9")).post("http://127.0.0.1:9/", {}, b"{}")
    with pytest.raises(CallFailed, match=r"hooks\.test can't be resolved: Name or service not known"):
        await HttpCaller(CallbackRules(), resolve=unknown).post(f"https://{NAME}/", {}, b"{}")


async def test_names_that_are_never_resolved_take_no_thread_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        over.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(http_caller, "TOTAL_SECONDS", 0.1)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    with pytest.raises(CallFailed, match="didn't answer"):
        await HttpCaller(CallbackRules()).post(f"https://{NAME}/", {}, b"{}")
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 10) == "free"
    finally:
        over.set()


async def test_who_says_nothing_is_left_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_caller, "TOTAL_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(CallFailed, match=r"didn't answer|can't be called"):
            await HttpCaller(rules(host)).post(f"http://{host}/", {}, b"{}")
