"""The model client: any OpenAI-compatible endpoint, one class, no branch by provider.

It asks once and never retries by itself: retries have one owner, and the openai client would wait
for as long as a server tells it to. The answer's text, its usage and why it ended are always kept;
checking the text is `prompts.read_answer`'s work.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI

from agent.check import Usage
from agent.errors import ModelError
from agent.prompts import RESPONSE_FORMAT, Message
from agent.settings import ModelSettings
from agent.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint answered."""

    text: str
    finish_reason: str
    usage: Usage
    model: str  # as the endpoint names what answered
    fingerprint: str


class ModelClient:
    """Calls the model a version declares at the endpoint the settings name."""

    def __init__(self, spec: ModelSpec, settings: ModelSettings) -> None:
        self._in_flight = asyncio.Semaphore(settings.max_in_flight)
        self._url = settings.url
        extra: dict[str, Any] = {"response_format": RESPONSE_FORMAT} if spec.structured == "json_schema" else {}
        self._chat = ChatOpenAI(
            base_url=settings.url,
            model=spec.deployment,
            # The client refuses an empty key, and local gateways ask for none.
            api_key=settings.key if settings.key.get_secret_value() else "none",
            temperature=spec.temperature,
            seed=spec.seed,
            max_completion_tokens=spec.max_tokens,
            timeout=settings.timeout_seconds,
            max_retries=0,
            default_headers=settings.headers,
            extra_body=extra,
        )

    async def complete(self, messages: list[Message]) -> Reply:
        """One call. Raises ModelError; its `reason` is what `REASONS` names, else `server-error`."""
        async with self._in_flight:
            try:
                message = await self._chat.ainvoke(messages)
            except openai.APIError as error:
                raise self._failure(error) from error
        return _reply(message)

    def _failure(self, error: openai.APIError) -> ModelError:
        reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), "server-error")
        return ModelError(reason, f"model endpoint {self._url}: {HINTS[reason]} ({_one_line(error)})")


REASONS: tuple[tuple[type[openai.APIError], str], ...] = (
    (openai.APITimeoutError, "timeout"),
    (openai.APIConnectionError, "unreachable"),
    (openai.RateLimitError, "rate-limited"),
    (openai.AuthenticationError, "unauthorised"),
    (openai.PermissionDeniedError, "unauthorised"),
    (openai.NotFoundError, "unknown-model"),
    (openai.BadRequestError, "bad-request"),
)
HINTS = {
    "timeout": "no answer in time; raise COPYDESK_MODEL_TIMEOUT_SECONDS or try later",
    "unreachable": "can't be reached; check COPYDESK_MODEL_URL",
    "rate-limited": "too many requests; lower COPYDESK_MODEL_MAX_IN_FLIGHT or try later",
    "unauthorised": "the key was refused; check COPYDESK_MODEL_KEY",
    "unknown-model": "it doesn't know this model or path; check the version's model and COPYDESK_MODEL_URL",
    "bad-request": "it refused the request",
    "server-error": "it failed; try later",
}


def _reply(message: AIMessage) -> Reply:
    metadata = message.response_metadata
    usage = message.usage_metadata
    cached = (usage.get("input_token_details") or {}).get("cache_read", 0) if usage else 0
    finish = str(metadata.get("finish_reason") or "stop")
    return Reply(
        text=message.text,
        finish_reason="content_filter" if message.additional_kwargs.get("refusal") else finish,
        usage=Usage(
            calls=1,
            input_tokens=usage["input_tokens"] if usage else 0,
            output_tokens=usage["output_tokens"] if usage else 0,
            cached_tokens=cached,
        ),
        model=str(metadata.get("model_name") or ""),
        fingerprint=str(metadata.get("system_fingerprint") or ""),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
