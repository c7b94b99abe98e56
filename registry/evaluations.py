"""Evaluations, gate decisions and validations in MLflow: one run each, with the labelled set as its dataset.

What is stored is data that this layer doesn't read: names of metrics and files are constants, because notebooks and
dashboards read them.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict

from registry.artifacts import names_of, read, store, storing
from registry.connection import ABSENT, Registry, without_password
from registry.errors import UnknownEvaluation
from registry.runs import MAX_NAME_CHARACTERS, MAX_SET_CHARACTERS, METRICS_PER_CALL

EVALUATIONS = "copydesk-evaluations"
DECISIONS = "copydesk-decisions"
VALIDATIONS = "copydesk-validations"
CANARIES = "copydesk-canaries"
RECORD_ARTIFACT = "evaluation.json.gz"
DECISION_ARTIFACT = "decision.json"
CANARY_ARTIFACT = "canaries.jsonl"

EVALUATION_ID = "evaluation_id"
VERSION = "version"
VERSION_DIGEST = "version_digest"
CODE_DIGEST = "code_digest"
PACK = "pack"
SET = "set"
SPLIT = "split"
SET_DIGEST = "set_digest"
POLICY_DIGEST = "policy_digest"
OUTCOME = "outcome"
CHAMPION_DIGEST = "champion_digest"
FROZEN_FOR = "frozen_for"  # what canaries speak for: an evaluation's run, or the record of a forced promotion
CANARY_DIGEST = "canary_digest"


class LabelledData(BaseModel):
    """A labelled set as MLflow names it."""

    model_config = ConfigDict(frozen=True)

    name: str
    split: str
    digest: str
    source: str  # path of its file, as it was given
    articles: int
    words: int
    use: str = "evaluation"  # MLflow calls it the context


class LoggedRun(BaseModel):
    """One run of an evaluation, decision or validation, before it is logged."""

    model_config = ConfigDict(frozen=True)

    name: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    data: LabelledData
    model_source: str = ""  # of a registered version: models:/m-...
    texts: dict[str, str] = {}  # artifacts: path -> text
    tables: dict[str, dict[str, list[Any]]] = {}  # artifacts that MLflow shows as tables: path -> columns
    files: dict[str, bytes] = {}
    started: datetime
    finished: datetime


def log_run(registry: Registry, experiment: str, run: LoggedRun) -> str:
    """Logs a run whole and returns its id; one that is interrupted stays unfinished, and nobody reads it."""
    experiment_id = registry.experiment_id(experiment)
    client = registry.client
    with registry.answering():
        created = client.create_run(
            experiment_id,
            start_time=_milliseconds(run.started),
            run_name=run.name[:MAX_NAME_CHARACTERS],
            tags=run.tags,
        )
        id = str(created.info.run_id)
        models = [LoggedModelInput(run.model_source.removeprefix("models:/"))] if _is_model(run.model_source) else []
        client.log_inputs(id, datasets=[_dataset(run.data)], models=models)
        at = _milliseconds(run.finished)
        points = [Metric(name, value, at, 0) for name, value in run.metrics.items()]
        params = [Param(name, value[:MAX_SET_CHARACTERS]) for name, value in run.params.items()]
        client.log_batch(id, params=params)
        for start in range(0, len(points), METRICS_PER_CALL):
            client.log_batch(id, metrics=points[start : start + METRICS_PER_CALL])
        store(registry, created.info.artifact_uri, _encoded(run.texts) | run.files)
        with storing(registry, created.info.artifact_uri):
            for path, table in run.tables.items():
                client.log_table(id, table, path)
        client.set_terminated(id, "FINISHED", end_time=at)  # last: a finished run is a complete one
    return id


def add_to_run(
    registry: Registry, run_id: str, *, metrics: Mapping[str, float], tags: Mapping[str, str], texts: Mapping[str, str]
) -> None:
    """Adds figures to a run that is finished; what it has under the same name is replaced by the newer ones."""
    at = _milliseconds(datetime.now(UTC))
    points = [Metric(name, value, at, 0) for name, value in metrics.items()]
    with registry.answering():
        store(registry, registry.client.get_run(run_id).info.artifact_uri, _encoded(texts))
        registry.client.log_batch(run_id, metrics=points, tags=[RunTag(name, value) for name, value in tags.items()])


def find_evaluation(registry: Registry, version_digest: str, set_digest: str) -> str | None:
    """The newest finished evaluation of a version on a version of a set."""
    query = f"tags.{VERSION_DIGEST} = '{version_digest}' and tags.{SET_DIGEST} = '{set_digest}'"
    return _newest(registry, EVALUATIONS, query)


def read_evaluation(registry: Registry, run_id: str) -> bytes:
    """The record of an evaluation's run; raises UnknownEvaluation."""
    return _artifact(registry, run_id, RECORD_ARTIFACT)


def read_decision(registry: Registry, run_id: str) -> bytes:
    """The JSON of a decision's run; raises UnknownEvaluation."""
    return _artifact(registry, run_id, DECISION_ARTIFACT)


def find_canaries(registry: Registry, frozen_for: str) -> str | None:
    """The run that froze the canaries."""
    return _newest(registry, CANARIES, f"tags.{FROZEN_FOR} = '{frozen_for}'")


def read_canaries(registry: Registry, run_id: str) -> tuple[str, str]:
    """Frozen canaries and the digest they were frozen with; raises UnknownEvaluation."""
    with registry.answering():
        digest = registry.client.get_run(run_id).data.tags.get(CANARY_DIGEST, "")
    return _artifact(registry, run_id, CANARY_ARTIFACT).decode(), digest


def count_looks(registry: Registry, set_digest: str, *, besides: tuple[str, str] = ("", "")) -> int:
    """Different pairs of champion and challenger that a version of a set has decided on, `besides` one pair."""
    with registry.answering():
        experiment = registry.client.get_experiment_by_name(DECISIONS)
        if experiment is None:
            return 0
        pairs: set[tuple[str, str]] = set()
        token: str | None = None
        while True:
            page = registry.client.search_runs(
                [experiment.experiment_id], f"tags.{SET_DIGEST} = '{set_digest}'", page_token=token
            )
            pairs |= {(run.data.tags.get(CHAMPION_DIGEST, ""), run.data.tags.get(VERSION_DIGEST, "")) for run in page}
            token = page.token
            if not token:
                return len(pairs - {besides})


def run_page(registry: Registry, run_id: str) -> str:
    """Where a person looks at a run, without the server's address."""
    with registry.answering():
        run = registry.client.get_run(run_id)
    return f"#/experiments/{run.info.experiment_id}/runs/{run_id}"


def _newest(registry: Registry, experiment_name: str, query: str) -> str | None:
    with registry.answering():
        experiment = registry.client.get_experiment_by_name(experiment_name)
        if experiment is None:
            return None
        found = registry.client.search_runs(
            [experiment.experiment_id],
            f"{query} and attributes.status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.end_time DESC"],
        )
    return str(found[0].info.run_id) if found else None


def _artifact(registry: Registry, run_id: str, name: str) -> bytes:
    with registry.answering():
        try:
            artifacts = registry.client.get_run(run_id).info.artifact_uri
        except MlflowException as error:
            if error.error_code not in (ABSENT, "INVALID_PARAMETER_VALUE"):  # the latter for no possible id
                raise
            raise UnknownEvaluation(f"there is no run {run_id!r} in {without_password(registry.uri)}") from error
        if name not in names_of(registry, artifacts):
            raise UnknownEvaluation(f"run {run_id!r} has no {name}: name a run of `copydesk evaluate` or `gate`")
        return read(registry, artifacts, name)


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in texts.items()}


def _dataset(data: LabelledData) -> DatasetInput:
    profile = {"articles": data.articles, "words": data.words, "digest": data.digest}
    dataset = Dataset(
        name=f"{data.name}-{data.split}",
        digest=data.digest[:12],  # MLflow has room for 36
        source_type="local",
        source=json.dumps({"uri": data.source}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag(mlflow.utils.mlflow_tags.MLFLOW_DATASET_CONTEXT, data.use)])


def _is_model(source: str) -> bool:
    return source.startswith("models:/m-")


def _milliseconds(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)


def numbers(values: Mapping[str, float | None]) -> dict[str, float]:
    """Metrics without those that are undefined: MLflow has no place for 0/0."""
    return {name: float(value) for name, value in values.items() if value is not None}
