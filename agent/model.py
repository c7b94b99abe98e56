"""The model client: one question to one answer, with everything that can go wrong on the way by name.

Retries have one owner, and it is here: the openai client would wait for as long as a server tells it to. The limiter
says when a call may start; a breaker leaves a deployment alone that fails again and again, and no other one.
"""

import asyncio
import email.utils
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from purgatory.domain.model import OpenedState
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from agent.answers import RESPONSE_FORMAT
from agent.check import AnsweredBy, Usage
from agent.endpoint import Endpoint
from agent.errors import ModelError
from agent.limiter import Permit
from agent.prices import cost
from agent.prompts import Message
from agent.readings import tokens_of
from agent.spec import ModelSpec
from agent.transport import RawAnswer

TRANSIENT = frozenset({"timeout", "unreachable", "rate-limited", "server-error"})  # may be over at the next attempt
MAX_BACKOFF_SECONDS = 8.0
TOO_LONG = ("context_length_exceeded", "string_above_max_length")
FILTERED = ("content_filter", "content_policy_violation")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint answered."""

    text: str
    finish_reason: str
    usage: Usage


class Model(Protocol):
    """Answers questions."""

    async def complete(self, messages: list[Message]) -> Reply:
        """The answer; raises ModelError."""


class ModelClient:
    """Calls the model a version declares at the endpoint the settings name."""

    def __init__(self, spec: ModelSpec, endpoint: Endpoint) -> None:
        self._spec = spec
        self._endpoint = endpoint
        self._settings = endpoint.settings
        self._backoff = wait_random_exponential(multiplier=self._settings.backoff_seconds, max=MAX_BACKOFF_SECONDS)

    async def complete(self, messages: list[Message]) -> Reply:
        """The model's answer. Raises ModelError with a reason of `HINTS`; it says how often it was tried again."""
        retries = 0
        body = self._body(messages)
        try:
            async with asyncio.timeout(self._settings.question_seconds):
                async for attempt in AsyncRetrying(
                    retry=retry_if_exception(self._is_worth_another),
                    stop=stop_after_attempt(self._settings.attempts),
                    wait=self._wait,
                    reraise=True,
                ):
                    with attempt:
                        retries = attempt.retry_state.attempt_number - 1
                        reply = await self._ask(body)
        except ModelError as error:
            error.retries = retries
            raise
        except TimeoutError as timeout:
            late = self._named("too-slow", f"{self._settings.question_seconds:g} s")
            late.retries = retries
            raise late from timeout
        return Reply(reply.text, reply.finish_reason, reply.usage + Usage(retries=retries))

    def _body(self, messages: list[Message]) -> dict[str, Any]:
        spec = self._spec
        optional = {"temperature": spec.temperature, "seed": spec.seed}
        body: dict[str, Any] = {
            "model": spec.deployment,
            "messages": messages,
            "max_completion_tokens": spec.max_tokens,
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        if spec.structured == "json_schema":
            body["response_format"] = RESPONSE_FORMAT
        return body

    async def _ask(self, body: dict[str, Any]) -> Reply:
        estimate = sum(tokens_of(message["content"]) for message in body["messages"]) + self._spec.max_tokens
        async with self._endpoint.limiter.permit(estimate) as permit:
            try:
                async with await self._endpoint.breakers.get_breaker(self._spec.deployment):
                    answer = await self._endpoint.transport.send(body)
                    if answer.status != 200:
                        raise await self._failure(answer)
                    return self._reply(answer, permit)
            except OpenedState as error:
                raise self._named("circuit-open", "") from error

    async def _failure(self, answer: RawAnswer) -> ModelError:
        reason, detail = _reason(answer)
        wait = retry_after(answer.headers)
        if reason == "rate-limited" and wait is not None and wait <= self._settings.max_wait_seconds:
            await self._endpoint.limiter.pause(wait)
        error = self._named(reason, detail)
        error.retry_after = wait
        return error

    def _named(self, reason: str, detail: str) -> ModelError:
        said = f" ({detail})" if detail else ""
        return ModelError(reason, f"model endpoint {self._endpoint.transport.url}: {HINTS[reason]}{said}")

    def _is_worth_another(self, error: BaseException) -> bool:
        if not isinstance(error, ModelError) or error.reason not in TRANSIENT:
            return False
        return error.retry_after is None or error.retry_after <= self._settings.max_wait_seconds

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ModelError) else None
        reason = error.reason if isinstance(error, ModelError) else type(error).__name__
        logger.info("attempt %d: %s", state.attempt_number, reason)  # its text may quote what was sent
        return asked if asked is not None else self._backoff(state)

    def _reply(self, answer: RawAnswer, permit: Permit) -> Reply:
        try:
            completion = json.loads(answer.body)
            choice = completion["choices"][0]
            message = choice["message"]
            text, refusal = message.get("content") or "", message.get("refusal")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise self._named("not-a-completion", _short(answer.body)) from error
        usage = self._usage(completion)
        permit.tokens = usage.input_tokens + usage.output_tokens or permit.tokens
        finish = "content_filter" if refusal else str(choice.get("finish_reason") or "stop")
        return Reply(str(text), finish, usage)

    def _usage(self, completion: Mapping[str, Any]) -> Usage:
        told = completion.get("usage") or {}
        details = told.get("prompt_tokens_details") or {}
        model = str(completion.get("model") or "")
        counts = {
            "input_tokens": int(told.get("prompt_tokens") or 0),
            "output_tokens": int(told.get("completion_tokens") or 0),
            "cached_tokens": int(details.get("cached_tokens") or 0),
        }
        return Usage(
            calls=1,
            **counts,
            cost=cost(self._settings.prices, (model, self._spec.deployment), **counts),
            answered_by=(AnsweredBy(model=model, fingerprint=str(completion.get("system_fingerprint") or "")),),
        )


HINTS = {
    "too-slow": "waiting for its limits and trying again took too long; raise COPYDESK_MODEL_QUESTION_SECONDS",
    "rate-limited": "too many requests; lower COPYDESK_MODEL_REQUESTS_PER_MINUTE or try later",
    "unauthorised": "the key was refused; check COPYDESK_MODEL_KEY",
    "unknown-model": "it doesn't know this model or path; check the version's model and COPYDESK_MODEL_URL",
    "too-long": "the article and guideline don't fit its context; lower the version's window_tokens",
    "refusal": "its content filter refused the article",
    "bad-request": "it refused the request",
    "server-error": "it failed; try later",
    "not-a-completion": "it answered with something else than a completion; check COPYDESK_MODEL_URL",
    "circuit-open": "the version's deployment failed again and again, so it is left alone for a while",
}
BY_STATUS = {401: "unauthorised", 403: "unauthorised", 404: "unknown-model", 408: "timeout", 429: "rate-limited"}
HINTS["timeout"] = "it gave up on the request; try later"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the endpoint asks to wait: `retry-after-ms`, or `retry-after`, a number or a date (RFC 9110, 10.2.3)."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        return max(0.0, float(headers["retry-after"]))
    except KeyError:
        return None
    except ValueError:
        date = email.utils.parsedate_tz(headers.get("retry-after", ""))
        return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None


def _reason(answer: RawAnswer) -> tuple[str, str]:
    """Why a status isn't 200, and what the endpoint says of it."""
    try:
        told = json.loads(answer.body)["error"]
        code, message = str(told.get("code") or ""), str(told.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        code, message = "", answer.body
    detail = _short(f"{answer.status}: {message}" if message else str(answer.status))
    if code in TOO_LONG:
        return "too-long", detail
    if code in FILTERED:
        return "refusal", detail
    return BY_STATUS.get(answer.status, "server-error" if answer.status >= 500 else "bad-request"), detail


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
