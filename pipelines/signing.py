"""`copydesk signing`: the keys of those who decide and promote."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.errors import CopydeskError
from registry.settings import RegistrySettings
from registry.signatures import new_signing_key, write_signing_key
from registry.trust import signing_key, trusted_keys

signing_app = typer.Typer(help="Keys that sign decisions and promotions.", no_args_is_help=True)


class KeyThere(CopydeskError):
    """The file holds something already."""

    type = "key-there"


@signing_app.command("new")
def new(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the private key goes: yours alone, kept secret.")],
    name: Annotated[str, typer.Option(help="Whose key it is, shown beside what it signs.")] = "",
) -> None:
    """Make a key pair: the private key goes to a file, the public one to standard output, for COPYDESK_TRUSTED_KEYS."""
    key = new_signing_key()
    try:
        write_signing_key(key, out)
    except FileExistsError as error:
        raise KeyThere(
            f"{str(out)!r} is there already, and a key that is lost can't be had again: name another file"
        ) from error
    err = Console(stderr=True, highlight=False)
    err.print(f"The private key is in {out}: set COPYDESK_SIGNING_KEY to it where you decide and promote.")
    err.print("Workers need the public key, as a line of COPYDESK_TRUSTED_KEYS:")
    print(key.public(name).line)  # noqa: T201 - alone on standard output, for a pipe


@signing_app.command("show")
def show() -> None:
    """Show which key signs here, and which are trusted."""
    settings, console = RegistrySettings(), Console(highlight=False)
    for key in trusted_keys(settings).keys.values():
        console.print(f"trusted  {key.id}  {key.line}", soft_wrap=True)
    if settings.own or settings.signing_key:
        own = signing_key(settings).public()
        console.print(f"signs    {own.id}  {own.line}", soft_wrap=True)
