"""Freezes canaries for a champion, asks its model about them again, and expires its evidence where that changed."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.check import Usage
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.guideline import Kind
from agent.spec import AgentSpec
from evaluation.canary import Agreement, Canaries, NothingToFreeze, Outcome, agreement, freeze, outcome_of, pick
from evaluation.labels import LabelError, LabelledArticle, LabelledSet, read_labels
from evaluation.record import ArticleResult, Evaluation, result_of
from pipelines.errors import ModelMissing
from registry.connection import Registry, without_password
from registry.errors import RegistryError, UnknownVersion
from registry.evaluations import (
    CANARIES,
    CANARY_ARTIFACT,
    CANARY_DIGEST,
    FROZEN_FOR,
    OUTCOME,
    VERSION,
    VERSION_DIGEST,
    LabelledData,
    LoggedRun,
    find_canaries,
    log_run,
    numbers,
    read_canaries,
    read_evaluation,
)
from registry.standing import Champion, standing
from registry.versions import load
from serving.adapters.sql_evidence import SqlEvidence
from serving.evidence import Measured, measured_of
from serving.model_change import Change, ExpiresOn, change_of

AT_ONCE = 8


@dataclass(frozen=True)
class CanaryTerms:
    """What is taken from where, and what has to be the same."""

    labels: Path
    split: str
    articles: int
    line: float  # part of the findings, 0-1


@dataclass(frozen=True)
class Scored:
    """What came of asking again."""

    outcome: Outcome
    agreement: Agreement
    change: Change | None  # of what answers
    line: float

    @property
    def reason(self) -> str:
        """Why the evidence holds, or doesn't any more."""
        part = f"{self.agreement.value:.0%}" if self.agreement.value is not None else "none"
        said = f"canaries: {part} of {self.agreement.findings} findings are the same as then, {self.line:.0%} must be"
        if self.agreement.failed:
            said += f"; {self.agreement.failed} of {self.agreement.checks} checks failed"
        return f"{said}; {self.change}" if self.change else said


@dataclass(frozen=True)
class Frozen:
    """Canaries that are new."""

    articles: int
    digest: str
    run: str  # in MLflow


@dataclass(frozen=True)
class Looked:
    """What became of a look at a champion."""

    version: str
    asks: bool  # a model; one that asks none says the same each day
    frozen: Frozen | None = None  # None: they were frozen before
    scored: Scored | None = None  # None: there is nothing yet that it could be held to
    logged: str = ""  # where in MLflow the score is, or why it isn't
    expired: bool = False  # by this look, not before


@dataclass(frozen=True)
class _Subject:
    champion: Champion
    spec: AgentSpec
    asked: tuple[str, ...]  # guidelines
    measured: Measured

    @property
    def number(self) -> str:
        return str(self.champion.version.number)

    @property
    def frozen_for(self) -> str:
        return self.measured.evaluation or self.champion.statement.restores or self.champion.signed_record.id


async def look(
    registry: Registry,
    terms: CanaryTerms,
    *,
    endpoint: Endpoint,
    evidence: SqlEvidence,
    expires_on: ExpiresOn,
    gently: bool = False,
) -> Looked:
    """Asks the champion's model about its canaries, which are frozen the first time; `gently`: a call at a time.

    Raises UnknownVersion, ModelMissing, LabelError, NothingToFreeze and CanariesUnreadable.
    """
    subject = await asyncio.to_thread(_subject, registry)
    number, model = subject.number, subject.spec.model
    if model is None or not subject.asked:
        return Looked(number, asks=False)
    if not endpoint.settings.url:
        raise ModelMissing(f"version {number} asks model {model.deployment!r}: set COPYDESK_MODEL_URL")
    ask = _Asking(subject, endpoint, gently=gently)
    run, frozen = await asyncio.to_thread(find_canaries, registry, subject.frozen_for), None
    if run is None:
        frozen = await _freeze(registry, subject, terms, ask)
        if not subject.measured.evaluation:
            return Looked(number, asks=True, frozen=frozen)
        run = frozen.run
    canaries = Canaries.load(*await asyncio.to_thread(read_canaries, registry, run))
    results = await ask([canary.article for canary in canaries.all])
    scored = _scored(canaries, results, subject.measured, terms.line, expires_on)
    expired = scored.outcome is Outcome.CHANGED and await evidence.expire(
        number, scored.reason, datetime.now(UTC), record=subject.champion.signed_record.id
    )
    logged = await _log(registry, _scored_run(subject.champion, canaries, scored, run))
    return Looked(number, asks=True, frozen=frozen, scored=scored, logged=logged, expired=expired)


async def _log(registry: Registry, told: LoggedRun) -> str:
    """What was asked is paid for: where the answer can't be logged, it still counts."""
    try:
        run = await asyncio.to_thread(log_run, registry, CANARIES, told)
    except RegistryError as error:
        return f"not logged: {error}"
    return f"MLflow run {run} in {without_password(registry.uri)}"


def _subject(registry: Registry) -> _Subject:
    champion = standing(registry).champion
    if champion is None:
        raise UnknownVersion("there is no verified champion: `copydesk promote` makes one")
    spec = load(registry, str(champion.version.number)).spec
    asked = tuple(guideline.id for guideline in spec.pack.guidelines if guideline.kind is Kind.PROMPT)
    return _Subject(champion, spec, asked, measured_of(champion.decision))


class _Asking:
    """Without kept checks: what was answered before would only be read again."""

    def __init__(self, subject: _Subject, endpoint: Endpoint, *, gently: bool) -> None:
        self._agent = Agent(subject.spec, endpoint=endpoint)
        self._turns = asyncio.Semaphore(1 if gently else AT_ONCE)
        self._parts = [(guideline,) for guideline in subject.asked] if gently else [subject.asked]

    async def __call__(self, articles: Sequence[LabelledArticle]) -> list[ArticleResult]:
        return list(await asyncio.gather(*map(self._one, articles)))

    async def _one(self, labelled: LabelledArticle) -> ArticleResult:
        async with self._turns:
            reports = [await self._agent.check(labelled.article, guidelines=part) for part in self._parts]
        return _joined([result_of(labelled.id, 0, report) for report in reports])


def _joined(parts: Sequence[ArticleResult]) -> ArticleResult:
    """An article's results by guidelines that were asked one after the other."""
    guidelines = {id: result for part in parts for id, result in part.guidelines.items()}
    return parts[0].model_copy(update={"guidelines": guidelines, "usage": _usage(parts)})


async def _freeze(registry: Registry, subject: _Subject, terms: CanaryTerms, ask: _Asking) -> Frozen:
    """With what the version said when it was evaluated; one that never was is asked now."""
    labelled = (await asyncio.to_thread(read_labels, terms.labels)).of_split(terms.split)
    articles = pick(labelled, terms.articles)
    if subject.measured.evaluation:
        results: Sequence[ArticleResult] = await asyncio.to_thread(_evaluated, registry, subject, labelled)
    else:
        results = await ask(articles)
    canaries = freeze(articles, {result.article: result for result in results}, subject.asked)
    if not canaries.all:
        raise NothingToFreeze("the model answered about none of the articles, so there is nothing to freeze: try again")
    told = _frozen_run(subject.champion, canaries, subject.frozen_for, str(terms.labels))
    run = await asyncio.to_thread(log_run, registry, CANARIES, told)
    return Frozen(len(canaries.all), canaries.digest, run)


def _evaluated(registry: Registry, subject: _Subject, labelled: LabelledSet) -> list[ArticleResult]:
    run = subject.measured.evaluation
    evaluation = Evaluation.load(read_evaluation(registry, run), f"run {run}")
    if evaluation.set_digest != labelled.digest:
        raise LabelError(
            f"the champion was evaluated on {evaluation.where} with digest {evaluation.set_digest[:12]}, "
            f"{labelled.name!r} has {labelled.digest[:12]}: name that set with --set and --split, or "
            "COPYDESK_CANARY_SET and COPYDESK_CANARY_SPLIT"
        )
    return [result for result in evaluation.results if result.repeat == 0]


def _scored(
    canaries: Canaries, results: Sequence[ArticleResult], measured: Measured, line: float, expires_on: ExpiresOn
) -> Scored:
    found = agreement(canaries, {result.article: result.guidelines for result in results})
    change = change_of(measured.answered_by, _usage(results).answered_by)
    outcome = outcome_of(found, line)
    if change is not None and change.ends(expires_on):
        outcome = Outcome.CHANGED
    return Scored(outcome, found, change, line)


def _usage(results: Sequence[ArticleResult]) -> Usage:
    return sum((result.usage for result in results), Usage())


def _frozen_run(champion: Champion, canaries: Canaries, frozen_for: str, source: str) -> LoggedRun:
    now, version = datetime.now(UTC), champion.version
    return LoggedRun(
        name=f"canaries of version {version.number}",
        tags={VERSION_DIGEST: version.digest, FROZEN_FOR: frozen_for, CANARY_DIGEST: canaries.digest},
        params={VERSION: str(version.number)},
        metrics={"articles": len(canaries.all)},
        data=_data(canaries, source),
        texts={CANARY_ARTIFACT: canaries.dump()},
        started=now,
        finished=now,
    )


def _scored_run(champion: Champion, canaries: Canaries, scored: Scored, frozen: str) -> LoggedRun:
    now, found, version = datetime.now(UTC), scored.agreement, champion.version
    low, high = found.interval or (None, None)
    return LoggedRun(
        name=f"{scored.outcome}: version {version.number}",
        tags={VERSION_DIGEST: version.digest, CANARY_DIGEST: canaries.digest, OUTCOME: str(scored.outcome)},
        params={VERSION: str(version.number), "frozen_in": frozen, "line": str(scored.line)},
        metrics=numbers(
            {
                "agreement": found.value,
                "agreement_low": low,
                "agreement_high": high,
                "findings_both": found.both,
                "findings_gone": found.gone,
                "findings_new": found.new,
                "checks": found.checks,
                "checks_failed": found.failed,
            }
        ),
        data=_data(canaries, f"run {frozen}"),
        texts={"differences.json": json.dumps([asdict(one) for one in found.differences], indent=1)},
        started=now,
        finished=now,
    )


def _data(canaries: Canaries, source: str) -> LabelledData:
    return LabelledData(
        name="canaries",
        split="frozen",
        digest=canaries.digest,
        source=source,
        articles=len(canaries.all),
        words=sum(canary.article.article.words for canary in canaries.all),
    )
