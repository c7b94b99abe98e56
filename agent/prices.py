"""What a call cost, from the settings' price table."""

from collections.abc import Mapping

from agent.settings import Price

MILLION = 1_000_000


def cost(
    prices: Mapping[str, Price], names: tuple[str, ...], *, input_tokens: int, output_tokens: int, cached_tokens: int
) -> float | None:
    """Cost of a call in the table's currency; None when no name is in it.

    A table key stands for every model whose name begins with it ("gpt-4o" for "gpt-4o-2024-08-06"); the
    longest one that fits counts. `cached_tokens` are part of `input_tokens`.
    """
    fitting = [key for name in names for key in prices if name.startswith(key)]
    if not fitting:
        return None
    price = prices[max(fitting, key=len)]
    cached_price = price.input if price.cached is None else price.cached
    fresh = input_tokens - cached_tokens
    return (fresh * price.input + cached_tokens * cached_price + output_tokens * price.output) / MILLION
