"""`prefix-cached`: the part of a check's input tokens that a provider has cached, by the order of a request's parts.

The cache is the scripted model's: the longest prefix shared with an earlier request, from 1,024 tokens in steps of 128.
"""

import itertools
from collections.abc import Iterator

from agent.prompts import Message, article_part, messages
from agent.readings import whole
from tests.bench.article import thousand_words
from tests.bench.checks import prompts
from tests.bench.measure import Measurement, benchmark
from tests.scripted_model.prefix_cache import CHARACTERS_PER_TOKEN, PrefixCache

PARTS = ("system", "article", "guideline")


@benchmark("prefix-cached")
def by_order_of_parts() -> Iterator[Measurement]:
    article = thousand_words()
    shown = article_part(article, whole(article, 100_000))
    asked = [messages(shown, [guideline]) for guideline in prompts().guidelines]
    shares = {order: _cached(asked, order) for order in itertools.permutations(range(len(PARTS)))}
    ours, best = shares[0, 1, 2], max(shares.values())
    others = ", ".join(f"{' '.join(PARTS[part] for part in order)} {share:.0%}" for order, share in shares.items())
    note = f"{len(asked)} guidelines one after the other over {article.words} words, a cold cache; {others}"
    yield Measurement("prefix-cached", ours, "", "the best order", ours == best, "best order", ours / best, note)


def _cached(asked: list[list[Message]], order: tuple[int, ...]) -> float:
    """The share of all tokens that were cached when the requests came in turn."""
    cache, cached, tokens = PrefixCache(), 0, 0
    for request in asked:
        parts = [request[part] for part in order]
        cached += cache.cached_tokens({"messages": parts})
        tokens += sum(len(part["content"]) for part in parts) // CHARACTERS_PER_TOKEN
    return cached / tokens
