"""Runs a version over a labelled set, shows its figures and logs them to MLflow."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.check_cache import KeyValues
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from evaluation.journal import Journal
from evaluation.labels import LabelledSet, read_labels
from evaluation.metrics import figures_of
from evaluation.publish import as_run
from evaluation.record import ArticleResult, Evaluation
from evaluation.runner import evaluate
from pipelines.agent_spec import agent_spec, pack_of
from pipelines.errors import ModelMissing
from pipelines.output.evaluation import evaluation_markdown, evaluation_page, print_evaluation
from pipelines.validate import require_sound
from registry.connection import Registry, connect, without_password
from registry.evaluations import EVALUATIONS, find_evaluation, log_run, read_evaluation
from registry.settings import RegistrySettings
from registry.version import RegisteredVersion
from registry.versions import describe, load

DEFAULT_AT_ONCE = 8


@dataclass(frozen=True)
class Subject:
    """A version to be evaluated, registered or from files."""

    spec: AgentSpec
    version: RegisteredVersion | None

    def agent(self, endpoint: Endpoint, kept: KeyValues | None) -> Agent:
        stamp = self.version.stamp if self.version else None
        return Agent(self.spec, endpoint=endpoint, kept=kept, stamp=stamp)


def choose(registry: Registry, version: str | None, pack: Path | None, model: str, settings: Sequence[str]) -> Subject:
    """A registered version by number or alias, else the pack of files."""
    if version is None:
        return Subject(agent_spec(pack_of(pack), model, settings), None)
    return Subject(load(registry, version).spec, describe(registry, version))


def run_evaluation(
    subject: Subject,
    path: Path,
    *,
    split: str,
    repeats: int,
    at_once: int,
    registry: Registry,
    console: Console,
    out: Path | None = None,
    markdown: Path | None = None,
    briefly: bool = False,
) -> str:
    """Evaluates, shows and logs; returns the MLflow run's id. Raises LabelError before anything is asked."""
    labelled = read_labels(path).of_split(split)
    if subject.spec.model is not None and not ModelSettings().url:
        raise ModelMissing(
            f"the version asks model {subject.spec.model.deployment!r}, and nobody says where: set COPYDESK_MODEL_URL"
        )
    with console.status("Validating the labelled set …"):
        require_sound(labelled, subject.spec.pack)
    evaluation = asyncio.run(_evaluate(subject, labelled, split, repeats, at_once, registry.settings, console))
    figures = figures_of(evaluation)
    page = evaluation_page(evaluation, figures)
    with console.status("Logging to MLflow …"):
        run_id = log_run(
            registry,
            EVALUATIONS,
            as_run(
                evaluation,
                figures,
                source=str(path),
                model_source=subject.version.source if subject.version else "",
                prompts=subject.spec.prompt_versions,
                html=page,
            ),
        )
    _journal(subject, labelled, split, repeats, registry.settings).remove()
    if out:
        out.write_text(page, encoding="utf-8")
    if markdown:
        markdown.write_text(evaluation_markdown(evaluation, figures), encoding="utf-8")
    if briefly:
        console.print(f"Evaluated {evaluation.ref} on {labelled.name}, {split}: run {run_id}", soft_wrap=True)
        return run_id
    print_evaluation(console, evaluation, figures)
    console.print(f"MLflow run {run_id} in {without_password(registry.uri)}", style="dim", soft_wrap=True)
    return run_id


def evaluation_of(
    subject: Subject, path: Path, *, split: str, registry: Registry, console: Console, at_once: int = DEFAULT_AT_ONCE
) -> tuple[Evaluation, str]:
    """The newest evaluation of a version on this version of a set with its run; made where there is none."""
    labelled = read_labels(path).of_split(split)
    run_id = find_evaluation(registry, subject.spec.digest, labelled.digest)
    if run_id is None:
        run_id = run_evaluation(
            subject, path, split=split, repeats=1, at_once=at_once, registry=registry, console=console, briefly=True
        )
    return Evaluation.load(read_evaluation(registry, run_id), f"run {run_id}"), run_id


def open_registry() -> Registry:
    return connect(RegistrySettings())


async def _evaluate(
    subject: Subject,
    labelled: LabelledSet,
    split: str,
    repeats: int,
    at_once: int,
    settings: RegistrySettings,
    console: Console,
) -> Evaluation:
    journal = _journal(subject, labelled, split, repeats, settings)
    if journal.finished:
        console.print(f"Going on with evaluation {journal.id}: {len(journal.finished):,} articles are finished.")
    endpoint = Endpoint(ModelSettings())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        async with _kept_checks(subject.spec) as kept:
            with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
                total = len(labelled.articles) * repeats
                task = bar.add_task(f"Evaluating on {labelled.name}", total=total, completed=len(journal.finished))

                async def advance(_: ArticleResult) -> None:
                    bar.advance(task)

                return await evaluate(
                    lambda store: subject.agent(endpoint, store),
                    labelled,
                    journal,
                    split=split,
                    repeats=repeats,
                    at_once=at_once,
                    kept=kept,
                    on_article=advance,
                )
    finally:
        await endpoint.close()


def _journal(subject: Subject, labelled: LabelledSet, split: str, repeats: int, settings: RegistrySettings) -> Journal:
    name = f"{subject.spec.digest[:16]}-{labelled.digest[:16]}-{split}-{repeats}"
    return Journal(settings.home / "evaluations", name)


@asynccontextmanager
async def _kept_checks(spec: AgentSpec) -> AsyncIterator[KeyValues | None]:
    """Checks of the model are kept beside the service's, so that one that is killed asks nothing twice."""
    if spec.model is None:
        yield None
        return
    from serving.adapters.database import open_database
    from serving.adapters.sql_check_cache import SqlKeyValues
    from serving.settings import ServingSettings

    database = await open_database(ServingSettings().database_url)
    try:
        yield SqlKeyValues(database, lambda: datetime.now(UTC))
    finally:
        await database.close()
