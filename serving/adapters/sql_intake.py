"""What holds for every article that comes in: one statement that reads little, and one more at a new champion."""

from dataclasses import dataclass

from sqlalchemy import literal, select

from agent.guideline import GuidelinePack
from agent.report import VersionStamp
from serving.adapters.access_tables import switches
from serving.adapters.database import Database
from serving.adapters.sql_switches import switch_of
from serving.adapters.tables import served_versions
from serving.ports.control import DRAIN
from serving.ports.intake import Terms
from serving.ports.versions import BoundVersion

_NEWEST = served_versions.c.served_at.desc()  # where two workers said at the same moment who is champion
_ALWAYS = select(literal(1).label("row")).subquery()
_TERMS = (
    select(switches, served_versions.c.stamp)
    .select_from(
        _ALWAYS.outerjoin(switches, switches.c.name == DRAIN).outerjoin(served_versions, served_versions.c.champion)
    )
    .order_by(_NEWEST)
    .limit(1)
)
_CHAMPION = select(served_versions.c.stamp, served_versions.c.pack).where(served_versions.c.champion).order_by(_NEWEST)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The champion that was read last: its pack has 100 KB, and can't be another with the same stamp."""

    stamp: str
    version: BoundVersion


class SqlIntake:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: _Kept | None = None

    async def terms(self) -> Terms:
        (row,) = await self._database.fetch(_TERMS)
        drain = switch_of(row) if row[switches.c.name] else None
        return Terms(drain, await self._champion(row[served_versions.c.stamp]))

    async def _champion(self, stamp: str | None) -> BoundVersion | None:
        if stamp is None:
            return None
        if self._kept is None or self._kept.stamp != stamp:
            self._kept = await self._read()  # another may be champion by now, which is as good
        return self._kept.version if self._kept else None

    async def _read(self) -> _Kept | None:
        for row in await self._database.fetch(_CHAMPION):
            stamp, pack = VersionStamp.model_validate_json(row["stamp"]), GuidelinePack.model_validate_json(row["pack"])
            return _Kept(row["stamp"], BoundVersion(stamp, pack))
        return None
