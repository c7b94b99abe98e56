"""Looks up what was logged of a job."""

from dataclasses import dataclass

from registry.artifacts import names_of
from registry.connection import Registry
from registry.runs import JOB_ID


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A finished run of a job, as MLflow has it."""

    run_id: str
    experiment: str
    experiment_id: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    artifacts: tuple[str, ...]  # paths


def find_job_run(registry: Registry, job_id: str) -> LoggedRun | None:
    """The finished run of a job in any month's experiment; None while there is none."""
    prefix = registry.settings.production_experiment
    with registry.answering():
        experiments = {
            experiment.experiment_id: experiment.name
            for experiment in registry.client.search_experiments(filter_string=f"name LIKE '{prefix}-%'")
        }
        if not experiments:
            return None
        query = f"tags.{JOB_ID} = '{job_id}' and attributes.status = 'FINISHED'"
        found = registry.client.search_runs(list(experiments), query, max_results=1)
        if not found:
            return None
        run = found[0]
        artifacts = names_of(registry, run.info.artifact_uri)
    return LoggedRun(
        run_id=run.info.run_id,
        experiment=experiments[run.info.experiment_id],
        experiment_id=run.info.experiment_id,
        params=run.data.params,
        metrics=run.data.metrics,
        tags=run.data.tags,
        artifacts=tuple(sorted(artifacts)),
    )
