"""Whether articles are accepted at all."""

from serving.errors import Draining
from serving.ports import Switches

DRAIN = "drain"


async def must_be_open(switches: Switches) -> None:
    """Raises Draining."""
    on = await switches.get(DRAIN)
    if on is not None:
        raise Draining(f"no articles are accepted at present ({on.reason}): try again later; nothing was stored")
