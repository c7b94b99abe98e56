"""A challenger beside the champion, in growing shares of the articles. Pure: stores keep it, a chore moves it on.

Each stage is judged on the jobs of that stage alone, because only within a stage do both versions get their share of
whatever else happens. Jobs of one document hang together, so documents are what is counted: a share's interval is
Wilson's with the effective number of trials that the variance between documents leaves (Kish 1965).

Looks are made at 20, 40, 80 ... jobs of the challenger, not at every moment, and each spends a part of the rate of
false aborts: of look k the part 1/(k (k + 1)), which sums to one however long a stage lasts.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import NormalDist

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.intervals import wilson
from registry.signatures import Signed
from registry.statement import Trial

P95_SHARE = 0.05  # part of the jobs that is beyond a 95th percentile


class State(StrEnum):
    """running <-> held; running -> finished; all -> aborted."""

    RUNNING = "running"
    HELD = "held"  # keeps its share, and goes no further
    ABORTED = "aborted"  # the champion has all articles again
    FINISHED = "finished"  # every stage is passed: the challenger has all articles until it is promoted


class Step(StrEnum):
    """What a look comes to."""

    STAY = "stay"
    ADVANCE = "advance"
    HOLD = "hold"
    ABORT = "abort"


MOVES = {
    State.RUNNING: frozenset({State.HELD, State.ABORTED, State.FINISHED}),
    State.HELD: frozenset({State.RUNNING, State.ABORTED}),
    State.FINISHED: frozenset({State.ABORTED}),
    State.ABORTED: frozenset[State](),
}


class Limit(BaseModel):
    """Of a share of what went wrong, 0-1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    margin: float = Field(ge=0, le=1)  # that the challenger may surely be above the champion
    most: float = Field(gt=0, le=1)  # that it may surely reach whatever the champion does


class RolloutPolicy(BaseModel):
    """Stages of a rollout and what ends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shares: tuple[float, ...] = (0.1, 0.5, 1.0)  # of the articles, by stage; the last is all of them
    least_minutes: float = Field(default=30, ge=0)  # of each stage
    least_jobs: int = Field(default=100, ge=1)  # of the challenger in each stage
    first_look: int = Field(default=20, ge=5)  # jobs of the challenger; never is it aborted on fewer
    false_aborts: float = Field(default=0.01, gt=0, lt=0.5)  # part of the rollouts of an equal challenger, at most
    broken: Limit = Limit(margin=0.02, most=0.2)  # jobs that failed or have gaps
    failed_checks: Limit = Limit(margin=0.01, most=0.1)  # of all checks, those without the verdict they should have
    unanchored: Limit = Limit(margin=0.1, most=0.6)  # of all quotes, those that aren't in the article
    p95_ratio: float = Field(default=1.5, ge=1)  # challenger's time over champion's
    p95_seconds: float = Field(default=120, gt=0)  # challenger's, at most

    @model_validator(mode="after")
    def _grows(self) -> "RolloutPolicy":
        before = (0.0, *self.shares)
        if not self.shares or self.shares[-1] != 1 or any(a >= b for a, b in zip(before, self.shares, strict=False)):
            raise ValueError(f"shares must grow to 1, as 0.1, 0.5, 1 do: got {', '.join(map(str, self.shares))}")
        return self


@dataclass(frozen=True, slots=True)
class JobFacts:
    """One ended job of a stage."""

    unit: str  # its document
    broken: bool
    seconds: float  # from submitted to ended
    checks: int  # of guidelines that apply
    failed: int  # of these
    found: int
    unanchored: int  # quotes, beside those found


@dataclass(frozen=True, slots=True)
class Evidence:
    """The jobs of a stage by their version; of the champion none where the challenger has all articles."""

    champion: tuple[JobFacts, ...]
    challenger: tuple[JobFacts, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A part of trials that come in groups."""

    hits: int
    trials: int
    effective: float  # so many independent trials would tell as much

    @property
    def value(self) -> float:
        return self.hits / self.trials if self.trials else 0.0

    def bounds(self, z: float) -> tuple[float, float]:
        return wilson(self.value, self.effective, z) if self.trials else (0.0, 1.0)

    def __str__(self) -> str:
        return f"{self.value:.1%} of {self.trials:,}"


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    reason: str = ""
    looked: bool = False


@dataclass(frozen=True, slots=True)
class Rollout:
    """Times are UTC. `revision` fences: who writes must have read the row as it is."""

    id: str
    challenger: str  # numbers of versions
    champion: str
    policy: RolloutPolicy
    signed: str  # the promoter's consent, a Signed as JSON
    who: str
    started: datetime
    staged: datetime  # when this stage began
    stage: int = 0
    looks: int = 0  # in this stage
    state: State = State.RUNNING
    reason: str = ""
    ended: datetime | None = None  # from then on it moves no article
    revision: int = 0

    @property
    def share(self) -> float:
        """Of the articles that the challenger gets."""
        return 0.0 if self.ended else self.policy.shares[self.stage]

    @property
    def next_look(self) -> int:
        """Jobs of the challenger in this stage."""
        return int(self.policy.first_look * 2**self.looks)

    def takes(self, unit: str) -> bool:
        """Whether the challenger gets a document. Who has it keeps it while the share grows."""
        digest = hashlib.sha256(f"{self.id}\0{unit}".encode()).digest()
        return int.from_bytes(digest[:8]) < self.share * 2**64

    def is_ripe(self, jobs: int, now: datetime) -> bool:
        """Whether it goes on where nothing speaks against it."""
        policy = self.policy
        old = now - self.staged >= timedelta(minutes=policy.least_minutes)
        return self.state is State.RUNNING and jobs >= policy.least_jobs and old

    def is_due(self, jobs: int, now: datetime) -> bool:
        """Whether so many ended jobs of the challenger are to be looked at now."""
        return not self.ended and jobs >= self.policy.first_look and (jobs >= self.next_look or self.is_ripe(jobs, now))

    def after(self, decision: Decision, now: datetime) -> "Rollout":
        looked = replace(self, looks=self.looks + decision.looked)
        if decision.step is Step.ABORT:
            return looked.aborted(decision.reason, now)
        if decision.step is Step.HOLD:
            return looked.held(decision.reason)
        if decision.step is Step.STAY:
            return looked
        if self.stage + 1 < len(self.policy.shares):
            return replace(self, stage=self.stage + 1, staged=now, looks=0, reason=decision.reason)
        return replace(looked._moved(State.FINISHED), reason=decision.reason)

    def held(self, reason: str) -> "Rollout":
        return replace(self._moved(State.HELD), reason=reason)

    def resumed(self, now: datetime) -> "Rollout":
        """The stage begins anew: what made somebody hold it isn't held against the challenger."""
        return replace(self._moved(State.RUNNING), reason="", staged=now, looks=0)

    def aborted(self, reason: str, now: datetime) -> "Rollout":
        return replace(self._moved(State.ABORTED), reason=reason, ended=now)

    @property
    def consented(self) -> datetime:
        """When it was signed, by the clock of those who promote."""
        return Trial.model_validate(Signed.model_validate_json(self.signed).body).at

    def settled(self, champion: str, since: datetime, now: datetime) -> "Rollout":
        """As it is where this version is champion, promoted at `since`.

        One promoted before the consent is what a worker tells that hasn't heard of the rollout's champion yet.
        """
        if champion == self.champion or since <= self.consented:
            return self
        if champion == self.challenger:
            return replace(self, state=State.FINISHED, ended=now, reason=f"version {champion} is champion")
        return self.aborted(f"version {champion} became champion meanwhile", now)

    def _moved(self, state: State) -> "Rollout":
        if state not in MOVES[self.state]:
            raise ValueError(f"the rollout of version {self.challenger} is {self.state} and can't become {state}")
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class _Measure:
    name: str
    challenger: Share
    champion: Share
    limit: Limit


def decide(rollout: Rollout, evidence: Evidence, now: datetime) -> Decision:
    """Whether a rollout goes on. Nothing is decided before a look is due."""
    jobs = len(evidence.challenger)
    if not rollout.is_due(jobs, now):
        return Decision(Step.STAY)
    measures = _measures(evidence, rollout.policy)
    z = _z(rollout, len(measures))
    faults = [fault for measure in measures if (fault := _fault(measure, z))]
    if aborting := next((fault for fault in faults if fault.step is Step.ABORT), None):
        return aborting
    if faults:
        return faults[0] if rollout.state is State.RUNNING else _unattended(faults[0], rollout.state)
    if not rollout.is_ripe(jobs, now):
        return Decision(Step.STAY, looked=True)
    return Decision(Step.ADVANCE, _passed(rollout, jobs), looked=True)


def share_of(groups: Iterable[tuple[str, int, int]]) -> Share:
    """From unit, hits and trials of each job. The variance is that of a ratio of sums over units."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for unit, hits, trials in groups:
        sums[unit][0] += hits
        sums[unit][1] += trials
    units = [(h, t) for h, t in sums.values() if t]
    hits, trials, count = sum(h for h, _ in units), sum(t for _, t in units), len(units)
    if count < 2 or hits in (0, trials):  # no variance to be seen
        return Share(hits, trials, float(count))
    part = hits / trials
    variance = sum((h - part * t) ** 2 for h, t in units) * count / (count - 1) / trials**2
    effective = part * (1 - part) / variance if variance else math.inf
    return Share(hits, trials, min(float(trials), max(1.0, effective)))


def p95(jobs: Iterable[JobFacts]) -> float | None:
    """Seconds; None without jobs."""
    seconds = sorted(job.seconds for job in jobs)
    return seconds[math.ceil(0.95 * len(seconds)) - 1] if seconds else None


def _measures(evidence: Evidence, policy: RolloutPolicy) -> list[_Measure]:
    def of(jobs: Iterable[JobFacts], hits: str, *trials: str) -> Share:
        return share_of(
            (job.unit, int(getattr(job, hits)), sum(getattr(job, name) for name in trials) if trials else 1)
            for job in jobs
        )

    def slower(jobs: Iterable[JobFacts], limit: float) -> Share:
        return share_of((job.unit, int(job.seconds > limit), 1) for job in jobs)

    champion, challenger = evidence.champion, evidence.challenger
    # A percentile of fewer says little, and it is what the jobs are held against.
    usual = policy.p95_ratio * ((p95(champion) if len(champion) >= policy.first_look else None) or math.inf)
    never = 1.0
    return [
        _Measure("jobs with gaps", of(challenger, "broken"), of(champion, "broken"), policy.broken),
        _Measure(
            "failed checks",
            of(challenger, "failed", "checks"),
            of(champion, "failed", "checks"),
            policy.failed_checks,
        ),
        _Measure(
            "quotes that aren't in the article",
            of(challenger, "unanchored", "unanchored", "found"),
            of(champion, "unanchored", "unanchored", "found"),
            policy.unanchored,
        ),
        # A percentile is compared by the share of the jobs beyond it.
        _Measure(
            f"jobs over {usual:.1f} s, {policy.p95_ratio:g} times the champion's p95,",
            slower(challenger, usual),
            slower(champion, usual),
            Limit(margin=P95_SHARE, most=never),
        ),
        _Measure(
            f"jobs over {policy.p95_seconds:g} s",
            slower(challenger, policy.p95_seconds),
            slower(champion, policy.p95_seconds),
            Limit(margin=never, most=P95_SHARE),
        ),
    ]


def _fault(measure: _Measure, z: float) -> Decision | None:
    challenger, champion, limit = measure.challenger, measure.champion, measure.limit
    low, _ = challenger.bounds(z)
    champion_low, champion_high = champion.bounds(z)
    if champion.trials and low > champion_high + limit.margin:
        return Decision(
            Step.ABORT, f"{measure.name}: {challenger}, of the champion {champion}: surely more", looked=True
        )
    if low <= limit.most:
        return None
    if champion.trials and champion_low > limit.most:
        both = f"{measure.name}: {challenger}, of the champion {champion}"
        return Decision(Step.HOLD, f"{both}: too many, and it isn't the version", looked=True)
    return Decision(Step.ABORT, f"{measure.name}: {challenger}, surely more than {limit.most:.0%}", looked=True)


def _unattended(fault: Decision, state: State) -> Decision:
    """Editors come first: one that is held or finished could keep its articles for days."""
    return replace(fault, step=Step.ABORT, reason=f"{fault.reason}; nobody may be looking, because it is {state}")


def _z(rollout: Rollout, measures: int) -> float:
    """Of each one-sided bound at the next look."""
    look, policy = rollout.looks + 1, rollout.policy
    spent = policy.false_aborts / len(policy.shares) / measures / (look * (look + 1))
    return NormalDist().inv_cdf(1 - spent / 2)  # two bounds


def _passed(rollout: Rollout, jobs: int) -> str:
    passed = f"{jobs:,} jobs at {rollout.share:.0%} and nothing against it"
    if rollout.stage + 1 < len(rollout.policy.shares):
        return passed
    return f"{passed}: `copydesk promote {rollout.challenger}` makes version {rollout.challenger} champion"
