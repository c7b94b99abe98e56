"""Where the command line writes what isn't the answer itself."""

from rich.console import Console

err = Console(stderr=True, highlight=False)
