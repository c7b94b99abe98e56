"""The transport to real endpoints: the openai client's connections and authentication."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import openai

from agent.errors import ModelError
from agent.settings import ModelSettings
from agent.transport import RawAnswer

PATH = "/chat/completions"
USER_INFO = re.compile(r"//[^/@]*@")  # of an address; messages go into reports
TokenProvider = Callable[[], Awaitable[str]]


class HttpTransport:
    """Any OpenAI-compatible endpoint."""

    def __init__(self, settings: ModelSettings, *, token: TokenProvider | None = None) -> None:
        self.url = USER_INFO.sub("//", settings.url)
        self._seconds = settings.timeout_seconds
        key = settings.key.get_secret_value()
        # Unlimited connections: how many calls run is the limiter's business.
        self._client = openai.AsyncOpenAI(
            base_url=settings.url,
            api_key=token or _token_provider(settings) or key or "none",  # the client refuses an empty key
            timeout=settings.timeout_seconds,
            max_retries=0,
            default_headers=settings.headers,
            http_client=openai.DefaultAsyncHttpxClient(limits=httpx2.Limits(max_connections=None)),
        )

    async def send(self, body: dict[str, Any]) -> RawAnswer:
        try:
            response = await self._client.post(PATH, body=body, cast_to=httpx2.Response)
        except openai.APIStatusError as error:
            response = error.response
        except openai.APITimeoutError as error:
            hint = "raise COPYDESK_MODEL_TIMEOUT_SECONDS or try later"
            raise ModelError(
                "timeout", f"model endpoint {self.url}: no answer in {self._seconds:g} s; {hint}"
            ) from error
        except openai.APIConnectionError as error:
            cause = str(error.__cause__ or error)
            message = f"model endpoint {self.url} can't be reached ({cause}); check COPYDESK_MODEL_URL"
            raise ModelError("unreachable", message) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return RawAnswer(response.status_code, headers, response.text)

    async def close(self) -> None:
        await self._client.close()


def _token_provider(settings: ModelSettings) -> TokenProvider | None:
    """Asked before each call; azure-identity keeps the token until it is about to expire."""
    if settings.auth == "key":
        return None
    try:
        from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider
    except ImportError as error:
        hint = "install copydesk[azure], or set COPYDESK_MODEL_AUTH=key"
        raise ModelError(
            "unauthorised", f"COPYDESK_MODEL_AUTH is 'managed-identity' without azure-identity: {hint}"
        ) from error
    provider: TokenProvider = get_bearer_token_provider(DefaultAzureCredential(), settings.identity_scope)
    return provider
