"""What an administrator has switched for all processes, in the database."""

from datetime import datetime

from sqlalchemy import RowMapping, select

from serving.access.audit import Actor
from serving.adapters.access_tables import switches
from serving.adapters.database import Database
from serving.adapters.sql_audit import note
from serving.adapters.upsert import upsert
from serving.ports.control import Switch


class SqlSwitches:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> Switch | None:
        found = await self._database.fetch(select(switches).where(switches.c.name == name))
        return switch_of(found[0]) if found else None

    async def turn_on(self, switch: Switch, *, via: str) -> None:
        row = {"name": switch.name, "reason": switch.reason, "user_id": switch.user, "at": switch.at}
        async with self._database.write() as connection:
            insert = upsert(connection, switches).values(row)
            await connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row))
            by = Actor(switch.user, via)
            await note(connection, by, f"{switch.name}.begin", switch.name, switch.reason, now=switch.at)

    async def turn_off(self, name: str, by: Actor, now: datetime) -> bool:
        async with self._database.write() as connection:
            was_on = bool((await connection.execute(switches.delete().where(switches.c.name == name))).rowcount)
            if was_on:
                await note(connection, by, f"{name}.end", name, now=now)
        return was_on


def switch_of(found: RowMapping) -> Switch:
    of = switches.c
    return Switch(found[of.name], found[of.reason], found[of.user_id], found[of.at])
