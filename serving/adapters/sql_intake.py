"""What holds for every article that comes in, in one statement."""

from sqlalchemy import literal, select

from serving.adapters.access_tables import switches
from serving.adapters.database import Database
from serving.adapters.evidence_tables import evidence
from serving.adapters.sql_switches import switch_of
from serving.adapters.sql_versions import version_of
from serving.adapters.tables import served_versions
from serving.ports.control import DRAIN
from serving.ports.intake import Terms

_ALWAYS = select(literal(1).label("row")).subquery()
_TERMS = select(switches, served_versions, evidence).select_from(
    _ALWAYS.outerjoin(switches, switches.c.name == DRAIN)
    .outerjoin(served_versions, served_versions.c.champion)
    .outerjoin(evidence, evidence.c.number == served_versions.c.number)
)


class SqlIntake:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def terms(self) -> Terms:
        (row,) = await self._database.fetch(_TERMS)  # there is one champion at most
        return Terms(
            drain=switch_of(row) if row[switches.c.name] else None,
            champion=version_of(row) if row[served_versions.c.number] else None,
        )
