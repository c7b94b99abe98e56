"""Whether an article that is submitted now will be checked."""

from datetime import datetime, timedelta
from typing import TypeVar

from serving.errors import NoChampion, NoWorker
from serving.ports.versions import ServedVersion, ServedVersions

V = TypeVar("V")

SILENCE = timedelta(seconds=30)  # workers say every few seconds what they serve


async def served_champion(versions: ServedVersions) -> ServedVersion:
    """The champion some worker serves or served; raises NoChampion."""
    return must_be_served(await versions.champion())


def must_be_served(champion: V | None) -> V:
    """Raises NoChampion."""
    if champion is None:
        raise NoChampion("no version is served yet: run `copydesk register` and `copydesk promote`, and start a worker")
    return champion


async def ready(versions: ServedVersions, *, now: datetime) -> ServedVersion:
    """The champion that a living worker serves; raises NoChampion and NoWorker."""
    version = await served_champion(versions)
    if now - version.served > SILENCE:
        raise NoWorker(
            f"no worker has been heard of since {version.served:%Y-%m-%d %H:%M:%S} UTC: start one with "
            "`copydesk worker`, and see its log when it ends or can't load the champion; articles are kept until then"
        )
    return version
