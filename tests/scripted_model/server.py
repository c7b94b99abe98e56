"""The HTTP server, and what it measures of its callers."""

import contextlib
import json
import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.scripted_model.prefix_cache import PrefixCache
from tests.scripted_model.question import Question
from tests.scripted_model.script import Script, Scripted, answer_text

CHARACTERS_PER_TOKEN = 4
OBEYED = "XYZZY"  # a word that a credulous model obeys wherever it isn't the article's


@dataclass
class Traffic:
    """What arrived, in order."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)  # seconds, by the monotonic clock
    input_tokens: list[int] = field(default_factory=list)
    cached_tokens: list[int] = field(default_factory=list)
    refused: int = 0  # with 429
    in_flight: int = 0
    most_in_flight: int = 0

    def most_in(self, seconds: float) -> int:
        """The most requests that arrived within so long."""
        return max((sum(1 for t in self.arrived if s <= t < s + seconds) for s in self.arrived), default=0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed takes its connections with it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class ScriptedModel:
    """Serves from `with` on. Each guideline id has answers given in turn, the last one again and again, or a rule.

    `obeys`: text that gets out of the article's frame with the word XYZZY makes every verdict clear.
    `busy`: the share of calls that get a 429, with a Retry-After of `busy_seconds`.
    """

    def __init__(
        self,
        script: Script | None = None,
        default: Scripted | None = None,
        *,
        port: int = 0,
        seconds: float = 0.0,
        obeys: bool = False,
        busy: float = 0.0,
        busy_seconds: float = 0.05,
        seed: int = 7,
    ) -> None:
        self.script = script or {}
        self.default = default or Scripted()
        self.seconds = seconds
        self.obeys = obeys
        self.release = "-2026-01-01"  # behind the asked model's name: what a deployment points at
        self.fingerprint = "fp_scripted"
        self.traffic = Traffic()
        self._busy, self._busy_seconds = busy, busy_seconds
        self._random = random.Random(seed)
        self._asked: Counter[str] = Counter()
        self._prefixes = PrefixCache()
        self._lock = threading.Lock()
        self.ended = threading.Event()  # nobody waits for what is still to be answered then
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "ScriptedModel":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def calls(self) -> list[dict[str, Any]]:
        return self.traffic.requests

    def asked_about(self, guideline: str) -> int:
        """How many calls asked about a guideline."""
        return sum(guideline in question.guidelines for question in self.traffic.questions)

    @contextlib.contextmanager
    def in_flight(self) -> Iterator[None]:
        with self._lock:
            self.traffic.in_flight += 1
            self.traffic.most_in_flight = max(self.traffic.most_in_flight, self.traffic.in_flight)
        try:
            yield
        finally:
            with self._lock:
                self.traffic.in_flight -= 1

    def answer(self, request: dict[str, Any], headers: dict[str, str]) -> tuple[Scripted, dict[str, Any]]:
        """How the call comes out, and the completion it gets when it comes out well."""
        question = Question.of(request)
        with self._lock:
            cached = self._prefixes.cached_tokens(request)
            tokens = sum(len(part["content"]) for part in request["messages"]) // CHARACTERS_PER_TOKEN
            self._note(request, headers, question, tokens, cached)
            if self._random.random() < self._busy:
                self.traffic.refused += 1
                return Scripted(status=429, headers={"retry-after-ms": f"{self._busy_seconds * 1000:g}"}), {}
            answers = {guideline: self._turn(guideline, question) for guideline in question.guidelines}
        if self.obeys and OBEYED in question.escaped:
            answers = dict.fromkeys(answers, Scripted())
        whole = next((answer for answer in answers.values() if answer.takes_over), Scripted())
        text = answer_text(question, answers) if whole.text is None else whole.text
        done = completion(request, whole, text, tokens, cached)
        return whole, done | {"model": request["model"] + self.release, "system_fingerprint": self.fingerprint}

    def _note(
        self, request: dict[str, Any], headers: dict[str, str], question: Question, tokens: int, cached: int
    ) -> None:
        traffic = self.traffic
        traffic.requests.append(request)
        traffic.headers.append(headers)
        traffic.questions.append(question)
        traffic.arrived.append(time.monotonic())
        traffic.input_tokens.append(tokens)
        traffic.cached_tokens.append(cached)

    def _turn(self, guideline: str, question: Question) -> Scripted:
        answers = self.script.get(guideline, (self.default,))
        if callable(answers):
            return answers(question)
        turn = self._asked[guideline]
        self._asked[guideline] += 1
        return answers[min(turn, len(answers) - 1)]


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def do_POST(self) -> None:
            with model.in_flight():
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:  # the caller died
                    self.close_connection = True
                    return
                request = json.loads(body)
                scripted, completion = model.answer(request, {k.lower(): v for k, v in self.headers.items()})
                model.ended.wait(model.seconds + scripted.seconds)
            if scripted.cut:
                self.close_connection = True
                return
            self._send(scripted, completion)

        def _send(self, scripted: Scripted, completion: dict[str, Any]) -> None:
            fine = scripted.status == 200
            body = scripted.body or json.dumps(completion if fine else _error(scripted))
            headers = {"Content-Type": "application/json", "Content-Length": len(body.encode()), **scripted.headers}
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up
                self.send_response(scripted.status)
                for name, value in headers.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the tests look at `traffic`."""

    return Handler


def completion(request: dict[str, Any], scripted: Scripted, text: str, tokens: int, cached: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": None if scripted.refusal else text, "refusal": scripted.refusal}
    answer = max(1, len(text) // CHARACTERS_PER_TOKEN)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "choices": [{"index": 0, "message": message, "finish_reason": scripted.finish_reason}],
        "usage": {
            "prompt_tokens": tokens,
            "completion_tokens": answer,
            "total_tokens": tokens + answer,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def _error(scripted: Scripted) -> dict[str, Any]:
    error = {"message": f"scripted {scripted.status}", "type": "scripted", "code": None}
    return {"error": error | scripted.error}
