"""Freezes canaries for a champion, asks its model about them again, and expires its evidence where that changed."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agent.check import AnsweredBy, Usage
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.guideline import Kind
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from evaluation.canary import Agreement, Canaries, NothingToFreeze, Outcome, agreement, freeze, outcome_of, pick
from evaluation.labels import LabelError, LabelledArticle, LabelledSet, read_labels
from evaluation.record import ArticleResult, Evaluation, result_of
from pipelines.evaluate import ModelMissing
from registry.connection import Registry, connect, without_password
from registry.errors import UnknownVersion
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
from registry.settings import RegistrySettings
from registry.standing import Champion, standing
from registry.versions import load
from serving.adapters.database import open_database
from serving.adapters.sql_evidence import SqlEvidence
from serving.evidence import Measured, measured_of
from serving.model_change import Change, ExpiresOn, change_of
from serving.settings import ServingSettings

EXIT_CODES = {Outcome.SAME: 0, Outcome.CHANGED: 1, Outcome.UNCLEAR: 3}
AT_ONCE = 8
STYLES = {Outcome.SAME: "bold green", Outcome.CHANGED: "bold red", Outcome.UNCLEAR: "bold yellow"}
MOST_SHOWN = 10  # differences


@dataclass(frozen=True)
class Scored:
    """What came of asking again."""

    outcome: Outcome
    agreement: Agreement
    change: Change | None  # of what answers
    line: float

    @property
    def reason(self) -> str:
        """Why the evidence doesn't hold any more."""
        part = f"{self.agreement.value:.0%}" if self.agreement.value is not None else "none"
        said = f"canaries: {part} of {self.agreement.findings} findings are the same as then, {self.line:.0%} must be"
        return f"{said}; {self.change}" if self.change else said


def score_canaries(console: Console, *, labels: Path, split: str, count: int, line: float) -> int:
    """Returns the exit code; raises UnknownVersion, ModelMissing, LabelError and CanariesUnreadable."""
    registry = connect(RegistrySettings())
    champion = standing(registry).champion
    if champion is None:
        raise UnknownVersion("there is no verified champion: `copydesk promote` makes one")
    number = str(champion.version.number)
    spec = load(registry, number).spec
    asked = tuple(guideline.id for guideline in spec.pack.guidelines if guideline.kind is Kind.PROMPT)
    if spec.model is None or not asked:
        console.print(f"Version {number} asks no model: patterns say the same each day, so nothing can drift.")
        return 0
    if not ModelSettings().url:
        raise ModelMissing(f"version {number} asks model {spec.model.deployment!r}: set COPYDESK_MODEL_URL")
    measured = measured_of(champion.decision)
    frozen_for = measured.evaluation or champion.statement.restores or champion.signed_record.id
    run = find_canaries(registry, frozen_for)
    if run is None:
        canaries = _frozen(registry, spec, measured, read_labels(labels).of_split(split), count, asked, console)
        run = log_run(registry, CANARIES, _frozen_run(champion, canaries, frozen_for, str(labels)))
        console.print(f"{len(canaries.all)} canaries frozen, digest {canaries.digest[:12]}, in run {run}", style="dim")
        if not measured.evaluation:
            console.print(f"Version {number} was never evaluated: what it says today is what later days are held to.")
            return 0
    canaries = Canaries.load(*read_canaries(registry, run))
    with console.status(f"Asking about {len(canaries.all)} articles …"):
        results = asyncio.run(_ask(spec, [canary.article for canary in canaries.all], asked))
    scored = _scored(canaries, results, measured, line)
    logged = log_run(registry, CANARIES, _scored_run(champion, canaries, scored, run))
    _print(console, scored)
    console.print(f"MLflow run {logged} in {without_password(registry.uri)}", style="dim", soft_wrap=True)
    if scored.outcome is Outcome.CHANGED:
        _expire(number, scored.reason, console)
    return EXIT_CODES[scored.outcome]


def _frozen(
    registry: Registry,
    spec: AgentSpec,
    measured: Measured,
    labelled: LabelledSet,
    count: int,
    asked: Sequence[str],
    console: Console,
) -> Canaries:
    """With what the version said when it was evaluated; one that never was is asked now."""
    articles = pick(labelled, count)
    if not measured.evaluation:
        with console.status(f"Asking about {len(articles)} articles …"):
            results = asyncio.run(_ask(spec, articles, asked))
        canaries = freeze(articles, {result.article: result for result in results}, asked)
    else:
        where = f"run {measured.evaluation}"
        evaluation = Evaluation.load(read_evaluation(registry, measured.evaluation), where)
        if evaluation.set_digest != labelled.digest:
            raise LabelError(
                f"the champion was evaluated on {evaluation.where} with digest {evaluation.set_digest[:12]}, "
                f"{labelled.name!r} has {labelled.digest[:12]}: name that set with --set and --split"
            )
        canaries = freeze(articles, {one.article: one for one in evaluation.results if one.repeat == 0}, asked)
    if not canaries.all:
        raise NothingToFreeze("the model answered about none of the articles, so there is nothing to freeze: try again")
    return canaries


async def _ask(spec: AgentSpec, articles: Sequence[LabelledArticle], asked: Sequence[str]) -> list[ArticleResult]:
    """Without kept checks: what was answered before would only be read again."""
    endpoint, turns = Endpoint(ModelSettings()), asyncio.Semaphore(AT_ONCE)
    agent = Agent(spec, endpoint=endpoint)

    async def one(labelled: LabelledArticle) -> ArticleResult:
        async with turns:
            return result_of(labelled.id, 0, await agent.check(labelled.article, guidelines=tuple(asked)))

    try:
        return list(await asyncio.gather(*map(one, articles)))
    finally:
        await endpoint.close()


def _scored(canaries: Canaries, results: Sequence[ArticleResult], measured: Measured, line: float) -> Scored:
    found = agreement(canaries, {result.article: result.guidelines for result in results})
    change = change_of(measured.answered_by, _answered(results))
    outcome = outcome_of(found, line)
    if change is not None and change.ends(_expires_on()):
        outcome = Outcome.CHANGED
    return Scored(outcome, found, change, line)


def _answered(results: Sequence[ArticleResult]) -> tuple[AnsweredBy, ...]:
    return sum((result.usage for result in results), Usage()).answered_by


def _expires_on() -> ExpiresOn:
    return ServingSettings().evidence_expires_on


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


def _print(console: Console, scored: Scored) -> None:
    found = scored.agreement
    console.print(Text(scored.outcome, STYLES[scored.outcome]))
    if found.value is None or found.interval is None:
        console.print("Nothing was found, then or now: take more articles with --articles")
    else:
        low, high = found.interval
        console.print(
            f"{found.value:.0%} ({low:.0%}–{high:.0%}) of {found.findings} findings are the same as then: "
            f"{found.gone} gone, {found.new} new; {scored.line:.0%} must be",
            soft_wrap=True,
        )
    if found.failed:
        console.print(Text(f"{found.failed} of {found.checks} checks failed", "yellow"))
    if scored.change:
        console.print(Text(str(scored.change), "red" if scored.outcome is Outcome.CHANGED else "yellow"))
    for one in found.differences[:MOST_SHOWN]:
        console.print(Text(f"  {one.guideline} on {one.article}: {one.gone} gone, {one.new} new", "dim"))
    if len(found.differences) > MOST_SHOWN:
        console.print(Text(f"  and {len(found.differences) - MOST_SHOWN} more, in the run's differences.json", "dim"))


def _expire(number: str, reason: str, console: Console) -> None:
    expired = asyncio.run(_expired(number, reason))
    said = "has expired" if expired else "had expired before, or no worker has served it here yet"
    console.print(Text(f"The evidence of version {number} {said}.", "red"))
    console.print("Evaluate it anew, decide between the two evaluations, and promote it, or go back: docs/lineage.md")


async def _expired(number: str, reason: str) -> bool:
    database = await open_database(ServingSettings().database_url)
    try:
        return await SqlEvidence(database).expire(number, reason, datetime.now(UTC))
    finally:
        await database.close()
