"""A provider's prompt cache: the longest prefix shared with an earlier request, from 1,024 tokens in steps of 128."""

import json
from typing import Any

MIN_TOKENS, STEP_TOKENS = 1024, 128
CHARACTERS_PER_TOKEN = 4


class PrefixCache:
    """Keeps what it has seen by its beginnings."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def cached_tokens(self, request: dict[str, Any]) -> int:
        """Tokens of the request that were cached; afterwards the request is."""
        parts = [json.dumps(request.get("response_format")), *(message["content"] for message in request["messages"])]
        text = "\x00".join(parts)
        hits, cached = [], 0
        for tokens in range(MIN_TOKENS, len(text) // CHARACTERS_PER_TOKEN + 1, STEP_TOKENS):
            hits.append(hash(text[: tokens * CHARACTERS_PER_TOKEN]))
            if hits[-1] in self._seen:
                cached = tokens
        self._seen.update(hits)
        return cached
