"""Holds the rollout against its jobs, and moves it on."""

from datetime import datetime

from serving.access.audit import WORKER
from serving.ports.rollouts import Rollouts
from serving.ports.versions import ServedVersions
from serving.rollout import Rollout, decide


async def roll_on(rollouts: Rollouts, versions: ServedVersions, *, now: datetime) -> Rollout | None:
    """The rollout where it changed; None where there is none, or nothing to decide yet."""
    rollout = await rollouts.active()
    champion = await versions.champion() if rollout else None
    if rollout is None or champion is None:
        return None
    changed = rollout.settled(champion.stamp.number, champion.since, now)
    if changed == rollout:
        if not rollout.is_due(await rollouts.challenger_jobs(rollout), now):
            return None
        changed = rollout.after(decide(rollout, await rollouts.evidence(rollout), now), now)
    return changed if await rollouts.change(changed, by=WORKER, now=now) else None
