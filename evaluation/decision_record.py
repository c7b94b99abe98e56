"""A gate's decision as it is kept: what was decided, from what, by which policy, with the digests of all of it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from agent.report import VersionStamp
from evaluation.claims import Ruling
from evaluation.gate import Decision, Outcome
from evaluation.policy import Policy
from evaluation.publish import data_of, identity
from evaluation.record import Evaluation
from registry.evaluations import (
    CHAMPION_DIGEST,
    DECISION_ARTIFACT,
    OUTCOME,
    POLICY_DIGEST,
    LoggedRun,
    numbers,
)

NO_CHAMPION = "none"


class Side(BaseModel):
    """A version that took part, with the evaluation that speaks for it."""

    model_config = ConfigDict(frozen=True)

    version: VersionStamp
    model: str
    evaluation: str
    run: str  # of the evaluation, in MLflow


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
    made: datetime
    who: str


def record_of(
    decision: Decision, *, champion_run: str, challenger_run: str, made: datetime, who: str
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
        made=made,
        who=who,
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


def _side(evaluation: Evaluation, run: str) -> Side:
    return Side(version=evaluation.version, model=evaluation.model, evaluation=evaluation.id, run=run)


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
    )
