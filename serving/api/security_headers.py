"""What every answer tells browsers, also those that no endpoint made."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of an answer that a browser may show by itself: nothing runs in it, and nobody frames it. Pages say more in their
# own headers, which stay as they are: so may what Office frames, under /addin.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
OVER_TLS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Pure ASGI, around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = (*HEADERS, OVER_TLS) if over_tls(scope) else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = given + [header for header in wanted if header[0] not in names]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def over_tls(scope: Scope) -> bool:
    """Also where a proxy says so; whoever claims it falsely tells only their own browser."""
    said = next((value for name, value in scope["headers"] if name == b"x-forwarded-proto"), b"")
    return scope.get("scheme") == "https" or said.rpartition(b",")[2].strip().lower() == b"https"
