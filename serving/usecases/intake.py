"""Whether articles are accepted at all, and whether somebody can be called when they are checked."""

from collections.abc import Sequence

from serving.callback_rules import CallbackRefused, CallbackRules
from serving.errors import Draining
from serving.ports.control import Switches

DRAIN = "drain"


async def must_be_open(switches: Switches) -> None:
    """Raises Draining."""
    on = await switches.get(DRAIN)
    if on is not None:
        raise Draining(f"no articles are accepted at present ({on.reason}): try again later; nothing was stored")


def must_be_callable(url: str, rules: CallbackRules, keys: Sequence[bytes]) -> None:
    """Raises CallbackRefused; no address is fine."""
    if url and not keys:
        raise CallbackRefused(
            "this service calls nobody: set COPYDESK_WEBHOOK_SECRET for signed callbacks, or leave callback_url out "
            "and follow the job's links"
        )
    if url:
        rules.target(url)
