"""Whether articles are accepted at all, and whether somebody can be called when they are checked."""

from collections.abc import Sequence

from serving.callback_rules import CallbackRefused, CallbackRules
from serving.errors import Draining
from serving.ports.control import Switch


def must_be_open(drain: Switch | None) -> None:
    """Raises Draining; `drain` is the switch of that name, where it is on."""
    if drain is not None:
        raise Draining(f"no articles are accepted at present ({drain.reason}): try again later; nothing was stored")


def must_be_callable(url: str, rules: CallbackRules, keys: Sequence[bytes]) -> None:
    """Raises CallbackRefused; no address is fine."""
    if url and not keys:
        raise CallbackRefused(
            "this service calls nobody: set COPYDESK_WEBHOOK_SECRET for signed callbacks, or leave callback_url out "
            "and follow the job's links"
        )
    if url:
        rules.target(url)
