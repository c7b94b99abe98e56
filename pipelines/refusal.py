"""A decision against a version, and how a command ends by it."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from registry.errors import DecidedAgainst

EXIT_CODES = {"PROMOTE": 0, "BLOCK": 1, "INCONCLUSIVE": 3}
UNKNOWN = 2


def refused(error: "DecidedAgainst", console: Console) -> int:
    """Says what was decided; returns the exit code."""
    console.print(Text(str(error), "red"), soft_wrap=True)
    return EXIT_CODES.get(error.outcome, UNKNOWN)
