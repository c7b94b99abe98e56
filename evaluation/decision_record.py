"""A gate's decision as it is kept: what was decided, from what, by which policy, with the digests of all of it."""

import hashlib
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from agent.check import AnsweredBy
from agent.report import VersionStamp
from evaluation.claims import Ruling
from evaluation.estimates import Estimate
from evaluation.gate import Decision, Outcome, reasons_of
from evaluation.metrics import GuidelineFigures
from evaluation.policy import Policy
from evaluation.publish import data_of, identity
from evaluation.reasons import Reason
from evaluation.record import Evaluation
from registry.evaluations import (
    CHAMPION_DIGEST,
    DECISION_ARTIFACT,
    OUTCOME,
    POLICY_DIGEST,
    LoggedRun,
    numbers,
)
from registry.statement import NO_CHAMPION, Kind, Statement


class Side(BaseModel):
    """A version that took part, with the evaluation that speaks for it."""

    model_config = ConfigDict(frozen=True)

    version: VersionStamp
    model: str
    evaluation: str
    run: str  # of the evaluation, in MLflow
    answered_by: tuple[AnsweredBy, ...] = ()  # what answered for its model then


class RecordedRuling(BaseModel):
    """A claim and its evidence. Changes are in parts of the labelled spans, or per 1,000 words; more is better."""

    model_config = ConfigDict(frozen=True)

    name: str
    tier: str
    deciding: bool
    verdict: str
    change: float | None
    low: float | None
    high: float | None
    margin: float
    smallest_drop: float | None
    missing_groups: int
    weight: str = ""  # what it did to the decision; empty: nothing


class Ground(BaseModel):
    """A reason with the figure that it rests on; without one the sentence says it all."""

    model_config = ConfigDict(frozen=True)

    weight: str
    text: str
    name: str = ""
    verdict: str = ""
    quantity: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None  # a margin, a floor, or what must not be exceeded
    room: float | None = None  # part of the limit that is left where it counts; negative: beyond it


class RecordedEstimate(BaseModel):
    """A figure with its 95 % interval; None where it is undefined."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None
    high: float | None


class RecordedFigures(BaseModel):
    """What the challenger reached on one guideline."""

    model_config = ConfigDict(frozen=True)

    guideline: str
    labelled: float  # violations
    recall: RecordedEstimate
    precision: RecordedEstimate
    false_alarms: RecordedEstimate  # per 1,000 words


class DecisionRecord(BaseModel):
    """Everything a later reader needs to follow a decision, and to see that nothing was exchanged since."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    reasons: tuple[tuple[str, str], ...]  # weight, sentence
    champion: Side | None
    challenger: Side
    set_name: str
    split: str
    set_digest: str
    policy: Policy
    policy_digest: str
    looks: int
    rulings: tuple[RecordedRuling, ...]
    grounds: tuple[Ground, ...] = ()  # the reasons once more, in their order; those that one sums up stand in its place
    statuses: dict[str, str] = {}  # guideline -> how it stands in both versions; empty for a first champion
    figures: tuple[RecordedFigures, ...]  # of the challenger
    made: datetime
    who: str
    signed_in: str = ""  # how the service knew them; empty: the name of a user of the machine


def record_of(
    decision: Decision, *, champion_run: str, challenger_run: str, made: datetime, who: str, signed_in: str = ""
) -> DecisionRecord:
    """`champion_run` and `challenger_run` are the MLflow runs of their evaluations."""
    challenger = decision.challenger
    champion = decision.comparison.champion if decision.comparison else None
    return DecisionRecord(
        outcome=decision.outcome,
        reasons=tuple((str(reason.weight), reason.text) for reason in decision.reasons),
        champion=_side(champion, champion_run) if champion else None,
        challenger=_side(challenger, challenger_run),
        set_name=challenger.set_name,
        split=challenger.split,
        set_digest=challenger.set_digest,
        policy=decision.policy,
        policy_digest=decision.policy.digest,
        looks=decision.looks,
        rulings=tuple(_recorded(ruling) for ruling in decision.rulings),
        grounds=tuple(_ground(one) for reason in decision.reasons for one in (reason.parts or (reason,))),
        statuses=_statuses(decision),
        figures=tuple(_recorded_figures(guideline) for guideline in decision.after.guidelines),
        made=made,
        who=who,
        signed_in=signed_in,
    )


def as_run(record: DecisionRecord, challenger: Evaluation, *, source: str, markdown: str, html: str) -> LoggedRun:
    """A decision as an MLflow run."""
    champion = record.champion
    against = f"version {champion.version.number or champion.version.digest[:12]}" if champion else "no champion"
    return LoggedRun(
        name=f"{record.outcome}: {challenger.ref} against {against}",
        tags={
            **identity(challenger),
            OUTCOME: str(record.outcome),
            POLICY_DIGEST: record.policy_digest,
            CHAMPION_DIGEST: champion.version.digest if champion else NO_CHAMPION,
        },
        params={
            "policy": record.policy.name,
            "challenger_run": record.challenger.run,
            "champion_run": champion.run if champion else NO_CHAMPION,
            "who": record.who,
        },
        metrics=numbers(
            {
                "looks": record.looks,
                "reasons_against": sum(weight == "against" for weight, _ in record.reasons),
                "reasons_open": sum(weight == "open" for weight, _ in record.reasons),
            }
        ),
        data=data_of(challenger, source),
        texts={
            DECISION_ARTIFACT: record.model_dump_json(indent=1),
            "decision.md": markdown,
            "decision.html": html,
        },
        started=record.made,
        finished=record.made,
    )


def statement_of(record: DecisionRecord, logged: LoggedRun, *, run: str, number: int) -> Statement:
    """What is signed of a decision about the registered version `number`, once `logged` is MLflow's `run`."""
    champion, challenger = record.champion, record.challenger.version
    served = champion.version.number if champion else ""
    return Statement(
        kind=Kind.GATE if champion else Kind.FIRST,
        outcome=str(record.outcome),
        number=number,
        version_digest=challenger.digest,
        code_digest=challenger.code_digest,
        pack_digest=challenger.pack_digest,
        champion=int(served) if served.isdecimal() else None,
        champion_digest=champion.version.digest if champion else NO_CHAMPION,
        labelled_set=f"{record.set_name}, {record.split}",
        set_digest=record.set_digest,
        policy=record.policy.name,
        policy_digest=record.policy_digest,
        run=run,
        decision_digest=hashlib.sha256(logged.texts[DECISION_ARTIFACT].encode()).hexdigest(),
        approvals=record.policy.approvals,
        who=record.who,
        signed_in=record.signed_in,
        made=record.made,
    )


def _ground(reason: Reason) -> Ground:
    basis = asdict(reason.basis) if reason.basis else {}
    return Ground(weight=str(reason.weight), text=reason.text, **basis)


def _statuses(decision: Decision) -> dict[str, str]:
    changes = decision.comparison.guidelines if decision.comparison else ()
    return {change.id: str(change.status) for change in changes}


def _recorded_figures(guideline: GuidelineFigures) -> RecordedFigures:
    figures = guideline.figures
    return RecordedFigures(
        guideline=guideline.id,
        labelled=figures.gold,
        recall=_estimate(figures.recall),
        precision=_estimate(figures.precision),
        false_alarms=_estimate(figures.false_alarms),
    )


def _estimate(estimate: Estimate) -> RecordedEstimate:
    return RecordedEstimate(value=estimate.value, low=estimate.low, high=estimate.high)


def _side(evaluation: Evaluation, run: str) -> Side:
    return Side(
        version=evaluation.version,
        model=evaluation.model,
        evaluation=evaluation.id,
        run=run,
        answered_by=evaluation.answered_by,
    )


def _recorded(ruling: Ruling) -> RecordedRuling:
    return RecordedRuling(
        name=ruling.name,
        tier=str(ruling.claim.tier),
        deciding=ruling.claim.deciding,
        verdict=str(ruling.verdict),
        change=ruling.change,
        low=ruling.low,
        high=ruling.high,
        margin=ruling.claim.margin,
        smallest_drop=ruling.smallest,
        missing_groups=ruling.missing,
        weight=next((str(reason.weight) for reason in reasons_of(ruling)), ""),
    )
