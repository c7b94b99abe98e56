"""Lists versions and makes one the champion."""

import getpass
import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.code_digest import code_digest
from registry.aliases import promote
from registry.connection import connect, without_password
from registry.errors import UnknownVersion
from registry.settings import RegistrySettings
from registry.version import CHAMPION, RegisteredVersion
from registry.versions import describe, list_versions


def promote_version(ref: str, reason: str, console: Console) -> None:
    """Makes a version the champion by force; raises UnknownVersion and Ungated."""
    registry = connect(RegistrySettings())
    number = int(ref) if ref.isdecimal() else None
    if number is None:
        there = ", ".join(str(version.number) for version in list_versions(registry)) or "none: run `copydesk register`"
        raise UnknownVersion(f"a version is named by its number, got {ref!r}: there are {there}")
    promotion = promote(registry, number, force_reason=reason, who=user_name())
    before = f"; before it was version {promotion.previous}" if promotion.previous else ""
    console.print(f"[bold]Version {number}[/] is champion{before}")
    console.print(Text(f"  ungated: no evaluation stands behind it. {promotion.evidence}", "yellow"))
    made_with = describe(registry, str(number)).code_digest
    if made_with != code_digest():
        other = f"  made with agent code {made_with[:12]}, here is {code_digest()[:12]}"
        console.print(Text(f"{other}: only workers of that release serve it", "yellow"))


def user_name() -> str:
    """Who runs this; a container may have no name for its user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def print_versions(console: Console) -> None:
    registry = connect(RegistrySettings())
    versions = list_versions(registry)
    if not versions:
        console.print(
            f"Nothing is registered in {without_password(registry.uri)} yet: run `copydesk register`", soft_wrap=True
        )
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("version", "alias", "pack", "model", "digest", "registered", "evidence"):
        table.add_column(name, overflow="fold")
    for version in versions:
        table.add_row(
            str(version.number),
            Text(", ".join(version.aliases), "bold green" if CHAMPION in version.aliases else ""),
            version.pack,
            version.model,
            version.digest[:8],
            f"{version.registered:%Y-%m-%d %H:%M}",
            _evidence(version),
        )
    console.print(table)


def _evidence(version: RegisteredVersion) -> Text:
    return Text(version.evidence, "yellow") if version.evidence else Text("never promoted", "dim")
