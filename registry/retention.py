"""Takes articles' text out of old production runs. Their figures stay."""

from collections.abc import Iterator
from datetime import datetime
from threading import Event

from mlflow.entities import Experiment, Run, ViewType
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from registry.artifacts import storing
from registry.connection import Registry
from registry.runs import DOCUMENT_ID, JOB_ID, RECORDING_ARTIFACT, REPORT_ARTIFACT, TITLE

FORGOTTEN = "copydesk.article_forgotten"  # "true": of a run, or of all runs of an experiment
PAGE = 200


def forget_articles(
    registry: Registry, before: datetime, *, dry_run: bool = False, stopping: Event | None = None
) -> int:
    """Deletes the report and the recording of runs that began earlier, and their titles; of how many.

    Raises RegistryError. What was done stays done when it is stopped in the middle, as by `stopping`.
    """
    stopping = stopping or Event()
    with registry.answering():
        return sum(_of_experiment(registry, each, before, dry_run, stopping) for each in _experiments(registry))


def _experiments(registry: Registry) -> list[Experiment]:
    prefix = registry.settings.production_experiment
    found = registry.client.search_experiments(filter_string=f"name LIKE '{prefix}-%'")
    return [each for each in found if each.tags.get(FORGOTTEN) != "true"]


def _of_experiment(registry: Registry, experiment: Experiment, before: datetime, dry_run: bool, stopping: Event) -> int:
    client, count, rest = registry.client, 0, False
    for run in _runs(registry, experiment):
        if stopping.is_set():
            return count
        if run.info.start_time >= before.timestamp() * 1000:  # as do all that follow
            rest = True
            break
        if run.data.tags.get(FORGOTTEN) != "true":
            count += 1
            if not dry_run:
                _forget(registry, run)
    month = experiment.name.rpartition("production-")[2]
    if not rest and not dry_run and month < f"{before:%Y-%m}":  # no run will come to it any more
        client.set_experiment_tag(experiment.experiment_id, FORGOTTEN, "true")
    return count


def _runs(registry: Registry, experiment: Experiment) -> Iterator[Run]:
    token: str | None = ""
    while token is not None:
        page = registry.client.search_runs(
            [experiment.experiment_id],
            run_view_type=ViewType.ALL,
            max_results=PAGE,
            order_by=["attributes.start_time ASC"],
            page_token=token or None,
        )
        yield from page
        token = page.token or None


def _forget(registry: Registry, run: Run) -> None:
    with storing(registry, run.info.artifact_uri):
        artifacts = get_artifact_repository(run.info.artifact_uri, tracking_uri=registry.uri)
        there = {artifact.path for artifact in artifacts.list_artifacts()}
        for name in (REPORT_ARTIFACT, RECORDING_ARTIFACT):
            if name in there:
                artifacts.delete_artifacts(name)  # type: ignore[no-untyped-call]
    if TITLE in run.data.tags:
        registry.client.delete_tag(run.info.run_id, TITLE)
        registry.client.update_run(run.info.run_id, name=run.data.tags.get(DOCUMENT_ID) or run.data.tags[JOB_ID])
    registry.client.set_tag(run.info.run_id, FORGOTTEN, "true")
