"""Refuses requests that other sites make through somebody's browser: there is no sign-in to stop them."""

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.api.observed import PROBES
from serving.api.problems import problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FOREIGN = frozenset({b"cross-site", b"same-site"})


class SameSite:
    """Pure ASGI. The Host must be one of ours (a foreign name may resolve to this machine), and what
    changes something may not come from a page of another site, as browsers tell in Sec-Fetch-Site and Origin."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = _name(headers.get(b"host", b"").decode("latin-1"))
        # Platforms and Prometheus ask by a container's address.
        if host not in self._hosts and scope["path"] not in PROBES:
            detail = f"this service doesn't answer as {host!r}: use localhost, or name it in COPYDESK_ALLOWED_HOSTS"
            await problem("foreign-host", 403, detail)(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD") and (
            headers.get(b"sec-fetch-site") in _FOREIGN or not self._ours(headers.get(b"origin", b"").decode("latin-1"))
        ):
            detail = "a page of another site sent this: use this service's own page, or a program"
            await problem("cross-site", 403, detail)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _ours(self, origin: str) -> bool:
        """Whether an Origin header, where there is one, names this service."""
        return not origin or _name(origin.partition("://")[2]) in self._hosts


def _name(host: str) -> str:
    """A Host header without its port."""
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdigit() else host).lower()
