"""A model for tests: the OpenAI chat-completions protocol over real HTTP, answering by script.

Each guideline, by its title, has a list of answers given in turn, the last one again and again. Without a script
a guideline gets an answer with no findings. `calls` keeps what was asked.
"""

import contextlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Scripted:
    """One answer of the model."""

    text: str = '{"findings": []}'
    status: int = 200
    finish_reason: str = "stop"
    refusal: str | None = None
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # close the connection without an answer


def finds(*quotes: str, paragraph: int = 1, suggestion: str = "") -> Scripted:
    """An answer with these quotes."""
    return Scripted(
        json.dumps(
            {
                "findings": [
                    {"quote": quote, "paragraph": paragraph, "explanation": f"about {quote}", "suggestion": suggestion}
                    for quote in quotes
                ]
            }
        )
    )


class ScriptedModel:
    """`with ScriptedModel({"Title": [finds("words")]}) as model:` serves at `model.url`."""

    def __init__(self, script: Mapping[str, Sequence[Scripted]] | None = None, default: Scripted | None = None) -> None:
        self.script = script or {}
        self.default = default or Scripted()
        self.calls: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "ScriptedModel":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: dict[str, Any], headers: dict[str, str]) -> Scripted:
        guideline = request["messages"][-1]["content"].partition("\n")[0].removeprefix("Guideline: ")
        with self._lock:
            self.calls.append(request)
            self.headers.append(headers)
            turn = self._asked.get(guideline, 0)
            self._asked[guideline] = turn + 1
        answers = self.script.get(guideline) or [self.default]
        return answers[min(turn, len(answers) - 1)]


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            scripted = model.answer(request, {key.lower(): value for key, value in self.headers.items()})
            time.sleep(scripted.seconds)
            if scripted.cut:
                self.close_connection = True
                return
            body = json.dumps(_completion(request, scripted) if scripted.status == 200 else _error(scripted)).encode()
            self.send_response(scripted.status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": len(body),
                **scripted.headers,
            }.items():
                self.send_header(name, str(value))
            self.end_headers()
            with contextlib.suppress(
                BrokenPipeError, ConnectionResetError
            ):  # the client gave up, as some tests make it
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the tests look at `calls`."""

    return Handler


def _completion(request: dict[str, Any], scripted: Scripted) -> dict[str, Any]:
    message = {"role": "assistant", "content": None if scripted.refusal else scripted.text, "refusal": scripted.refusal}
    prompt = sum(len(part["content"]) for part in request["messages"]) // 4
    answer = max(1, len(scripted.text) // 4)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": f"{request['model']}-2026-01-01",
        "system_fingerprint": "fp_scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": scripted.finish_reason}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer},
    }


def _error(scripted: Scripted) -> dict[str, Any]:
    return {"error": {"message": f"scripted {scripted.status}", "type": "scripted", "code": None}}
