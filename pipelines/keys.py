"""`copydesk keys`: API keys for programs and for people without Entra ID."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.errors import CopydeskError
from pipelines.person import operator
from serving.access.api_keys import ApiKey, ApiKeys, new_key
from serving.access.caller import ROLES, Permission, Role
from serving.access.sessions import LIFE, Sessions

keys_app = typer.Typer(help="API keys: make, list and revoke them.", no_args_is_help=True)


class NoKey(CopydeskError):
    """There is no such key."""

    type = "no-key"


@dataclass(frozen=True, slots=True)
class _Opened:
    keys: ApiKeys
    sessions: Sessions | None  # None: nothing to tell the API's processes by


@keys_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for: nightly-import.")],
    user: Annotated[str, typer.Option(help="On whose behalf it asks; jobs belong to this user. NAME without it.")] = "",
    scope: Annotated[
        list[Permission] | None, typer.Option(help="What it may do; can be given again. `check` without it.")
    ] = None,
    role: Annotated[Role | None, typer.Option(help="All that a role may do, in place of --scope.")] = None,
    days: Annotated[int, typer.Option(min=0, help="After how many days it expires; 0 for never.")] = 90,
) -> None:
    """Make a key and print it. It is shown this once, and stored as a hash only."""
    if scope and role:
        raise typer.BadParameter("--scope and --role exclude each other")
    scopes = ROLES[role] if role else frozenset(scope or [Permission.CHECK])
    key, text = asyncio.run(_create(name, user or name, scopes, days))
    err = Console(stderr=True, highlight=False)
    until = f"until {key.expires:%Y-%m-%d}" if key.expires else "for ever"
    err.print(f"Key {key.id} for user {key.user} may {', '.join(sorted(key.scopes))}, {until}. It isn't shown again:")
    print(text)  # noqa: T201 - alone on standard output, for a pipe


@keys_app.command("list")
def list_keys() -> None:
    """List the keys, the latest first, without their secrets."""
    found = asyncio.run(_all())
    console = Console(highlight=False)
    if not found:
        console.print("There are no keys. Make one: [bold]copydesk keys create NAME[/]")
        return
    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("key", "name", "user", "may", "expires", "last used", "state"):
        table.add_column(column, overflow="fold")
    for key in found:
        state = key.state(now)
        table.add_row(
            key.id,
            Text(key.name),
            Text(key.user),
            " ".join(sorted(key.scopes)),
            f"{key.expires:%Y-%m-%d}" if key.expires else "never",
            f"{key.used:%Y-%m-%d %H:%M}" if key.used else "never",
            Text(state, "green" if state == "good" else "red"),
        )
    console.print(table)


@keys_app.command("revoke")
def revoke(key_id: Annotated[str, typer.Argument(metavar="KEY", help="The id of a key.")]) -> None:
    """Refuse a key from now on, and the sessions that were begun with it."""
    key, told = asyncio.run(_revoke(key_id))
    console = Console(highlight=False)
    console.print(f"Key {key.id} ({key.name}) is revoked.")
    if not told:
        minutes = LIFE.total_seconds() / 60
        console.print(f"Without Redis, sessions begun with it go on for up to {minutes:.0f} minutes.", style="yellow")


async def _create(name: str, user: str, scopes: frozenset[Permission], days: int) -> tuple[ApiKey, str]:
    now = datetime.now(UTC)
    expires = now + timedelta(days=days) if days else None
    key, text = new_key(user=user, name=name, scopes=scopes, by=operator().user, now=now, expires=expires)
    async with _opened() as use:
        await use.keys.add(key, operator())
    return key, text


async def _all() -> list[ApiKey]:
    async with _opened() as use:
        return await use.keys.all()


async def _revoke(key_id: str) -> tuple[ApiKey, bool]:
    """The key, and whether its sessions end at once; raises NoKey."""
    now = datetime.now(UTC)
    async with _opened() as use:
        key = await use.keys.revoke(key_id, operator(), now)
        if key is None:
            raise NoKey(f"there is no key {key_id!r}: `copydesk keys list` shows those there are")
        if use.sessions is not None:
            await use.sessions.end_all_of(key.id)
    return key, use.sessions is not None


@asynccontextmanager
async def _opened() -> AsyncIterator[_Opened]:
    from serving.access.settings import AccessSettings
    from serving.adapters.database import open_database
    from serving.adapters.sql_api_keys import SqlApiKeys
    from serving.edge import open_edge
    from serving.settings import ServingSettings

    settings, access = ServingSettings(), AccessSettings()
    database = await open_database(settings.database_url, settings.pool)
    try:
        async with open_edge(settings) as edge:
            sessions = Sessions(access.secrets, edge.revocations) if edge.shared else None
            yield _Opened(SqlApiKeys(database), sessions)
    finally:
        await database.close()
