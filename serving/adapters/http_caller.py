"""Calls to addresses that clients named. The connection goes to the very address that was checked.

A name is resolved here, once a call, and what it stands for is checked before anything is sent: a name that stands for
something else a moment later changes nothing. No proxy of the environment is used, for it would resolve by itself.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx

from agent.errors import CopydeskError
from serving.callback_rules import Address, CallbackRefused, CallbackRules, Target, addresses_of

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
RESOLVING_THREADS = 8  # as many calls are made at once

Resolve = Callable[[str, int], Awaitable[list[str]]]


class CallFailed(CopydeskError):
    """Nobody answered."""

    type = "call-failed"
    outage = True


class Resolver:
    """In threads of its own: one that waits for a name server goes on when its caller has given up, and a client that
    named many such hosts would leave no thread of the event loop's for the blob store and MLflow."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_THREADS, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Raises OSError."""
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [str(address[0]) for *_, address in found]


class HttpCaller:
    """No redirect is followed and no body is read: what a receiver says beside its status is nobody's business."""

    def __init__(
        self, rules: CallbackRules, *, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._rules, self._resolve = rules, resolve or Resolver()
        self._tls = tls or httpx.create_ssl_context()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer; raises CallbackRefused and CallFailed."""
        target = self._rules.target(url)
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return await self._post(target, await self._addresses(target), headers, body)
        except TimeoutError as error:
            raise CallFailed(f"{target.host} didn't answer within {TOTAL_SECONDS:.0f} seconds") from error
        except httpx.HTTPError as error:
            raise CallFailed(f"{target.host} can't be called: {error or type(error).__name__}") from error

    async def _addresses(self, target: Target) -> list[Address]:
        if target.address is not None:
            return [target.address]  # the rules have looked at it
        try:
            found = addresses_of(await self._resolve(target.host, target.port))
        except OSError as error:
            raise CallFailed(f"{target.host} can't be resolved: {error.strerror or error}") from error
        if not found or not all(map(target.may_reach, found)):
            raise CallbackRefused(f"{target.host} doesn't stand for public addresses only: it is not called")
        return found

    async def _post(self, target: Target, found: list[Address], headers: Mapping[str, str], body: bytes) -> int:
        for address in found[:-1]:
            try:
                return await self._send(target, address, headers, body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # the next of the name's addresses
        return await self._send(target, found[-1], headers, body)

    async def _send(self, target: Target, address: Address, headers: Mapping[str, str], body: bytes) -> int:
        host = f"[{address}]" if address.version == 6 else str(address)
        url = httpx.URL(f"{'https' if target.tls else 'http'}://{host}:{target.port}{target.path}")
        own = {"Host": target.host_header, "Content-Type": "application/json", "User-Agent": "copydesk"}
        timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
        # A client a call: a connection that was verified for one name must not be used for another one of its address.
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=timeout, trust_env=False, headers=own) as client,
            client.stream(
                "POST", url, headers=headers, content=body, extensions={"sni_hostname": target.host}
            ) as answer,
        ):
            return answer.status_code
