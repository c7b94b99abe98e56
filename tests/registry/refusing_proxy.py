"""A real HTTP proxy before an MLflow server, which refuses some of its calls as a server without aliases does."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host"}


@contextmanager
def refusing_proxy(
    upstream: str, part: str, status: int, body: str, *, after: float = 0.0
) -> Iterator[tuple[str, list[str]]]:
    """The proxy's address, and the calls it refused: those with `part` in their path, with this status and body, after
    so many seconds."""
    refused: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if part in self.path:
                refused.append(f"{self.command} {self.path.partition('?')[0]}")
                time.sleep(after)
                with suppress(BrokenPipeError):  # nobody waits any more
                    self.reply(status, {"Content-Type": "text/plain"}, body.encode())
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            request = urllib.request.Request(
                upstream + self.path, data=data or None, headers=headers, method=self.command
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    self.reply(response.status, dict(response.headers), response.read())
            except urllib.error.HTTPError as error:
                with error:
                    self.reply(error.code, dict(error.headers), error.read())

        def reply(self, code: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(code)
            for name, value in headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """The test prints what it wants to be seen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        thread = Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}", refused
        finally:
            proxy.shutdown()
            thread.join()
