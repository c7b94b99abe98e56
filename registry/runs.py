"""Production runs in MLflow: one run a job, the same run however often it is logged.

Names are constants because notebooks, dashboards and trends read them.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.check import Verdict
from agent.finding import Method
from agent.report import ComplianceReport, GuidelineOutcome
from registry.artifacts import names_of, read, store
from registry.connection import ABSENT, Registry, without_password
from registry.errors import NoRecording

REPORT_ARTIFACT = "report.json"
RECORDING_ARTIFACT = "recording.json.gz"

JOB_ID = "job_id"
DOCUMENT_ID = "document_id"
CHANNEL = "channel"
STATUS = "status"  # of the job: completed, partial, failed or cancelled
REASON = "reason"  # why there is no report
TITLE = "title"
CONTENT_HASH = "content_hash"

VERSION = "version"
VERSION_DIGEST = "version_digest"
CODE_DIGEST = "code_digest"
PACK = "pack"
PACK_DIGEST = "pack_digest"
GUIDELINE_SET = "guideline_set"
EVIDENCE = "evidence"
RECORD = "record"  # id of the signed record of that
UNREGISTERED = "unregistered"

SCORE = "score"
SCORE_AVERAGE = "score_average"
SCORE_MINIMUM = "score_minimum"
FINDINGS = "findings"
FINDINGS_BY_SEVERITY = "findings_by_severity/"  # + severity
FINDINGS_BY_GUIDELINE = "findings_by_guideline/"  # + guideline id; absent where it wasn't checked
CHECKS = "checks"
CHECKS_FAILED = "checks_failed"  # tried in vain or not tried
CHECKS_FALLBACK = "checks_fallback"
UNANCHORED = "unanchored"
MODEL_RETRIES = "model_retries"
ATTEMPTS = "attempts"  # of the job
KEPT = "kept_verdicts"  # on paragraphs, from earlier checks
COST = "cost"  # in the currency of the price table; missing where a model isn't in it
MODEL_CALLS = "model_calls"
INPUT_TOKENS = "input_tokens"
OUTPUT_TOKENS = "output_tokens"
CACHED_TOKENS = "cached_tokens"
WORDS = "words"
DURATION_SECONDS = "duration_seconds"  # of the check itself
WAIT_SECONDS = "wait_seconds"  # from submitted to started
TURNAROUND_SECONDS = "turnaround_seconds"  # from submitted to finished

MAX_NAME_CHARACTERS = 250  # what MLflow's database has room for
MAX_VALUE_CHARACTERS = 500  # what a tag or parameter is cut to; MLflow's lists stay readable
MAX_SET_CHARACTERS = 6000  # MLflow's limit of a parameter
METRICS_PER_CALL = 900  # MLflow takes 1,000 entities a call


class ProductionRun(BaseModel):
    """An ended job as MLflow is told of it."""

    model_config = ConfigDict(frozen=True)

    job_id: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=250)
    document_id: str = ""
    title: str = ""
    channel: str  # word, api, page, batch ...
    version: str  # the number it is bound to
    code_digest: str
    status: str
    reason: str = ""
    attempts: int = 1
    report: ComplianceReport | None  # None: it failed without one, or was cancelled
    submitted: AwareDatetime
    started: AwareDatetime | None
    finished: AwareDatetime
    recording: bytes | None = None  # a `Recording` as it is stored


def begin_production_run(registry: Registry, record: ProductionRun) -> str:
    """Finds the run of a job, or makes it; returns its id.

    Only one process may do so at a time: MLflow can't refuse a second run of the same job.
    """
    client = registry.client
    experiment = registry.experiment_id(experiment_name(registry, record.finished))
    with registry.answering():
        run = find_run(registry, experiment, record.job_id)
        if run is None:
            run = client.create_run(
                experiment,
                start_time=_milliseconds(record.started or record.submitted),
                run_name=(record.document_id or record.title or record.job_id)[:MAX_NAME_CHARACTERS],
                tags=tags(record),  # with the run, so that none can be left behind without its job id
            )
    return str(run.info.run_id)


def complete_production_run(registry: Registry, run_id: str, record: ProductionRun) -> None:
    """Writes all of a run, unless it says the same already."""
    with registry.answering():
        run = registry.client.get_run(run_id)
        if run.info.status != "FINISHED" or run.data.tags.get(STATUS) != record.status:
            _complete(registry, run, record)


def experiment_name(registry: Registry, finished: datetime) -> str:
    """One experiment a month, like `copydesk/production-2026-11`: lists of runs stay quick."""
    return f"{registry.settings.production_experiment}-{finished.astimezone(UTC):%Y-%m}"


def find_run(registry: Registry, experiment: str, job_id: str) -> Run | None:
    found = registry.client.search_runs([experiment], f"tags.{JOB_ID} = '{job_id}'", max_results=1)
    return found[0] if found else None


def tags(record: ProductionRun) -> dict[str, str]:
    values = {
        JOB_ID: record.job_id,
        DOCUMENT_ID: record.document_id,
        CHANNEL: record.channel,
        STATUS: record.status,
        REASON: record.reason,
        TITLE: record.title,
        CONTENT_HASH: record.report.article.content_hash if record.report else "",
    }
    return {name: value[:MAX_VALUE_CHARACTERS] for name, value in values.items() if value}


def params(record: ProductionRun) -> dict[str, str]:
    report = record.report
    if report is None:
        return {VERSION: record.version, CODE_DIGEST: record.code_digest}
    version = report.version
    return {
        VERSION: version.number or UNREGISTERED,
        VERSION_DIGEST: version.digest,
        CODE_DIGEST: version.code_digest,
        PACK: version.pack,
        PACK_DIGEST: version.pack_digest,
        EVIDENCE: (version.evidence or "none")[:MAX_VALUE_CHARACTERS],
        RECORD: version.record or "none",
        GUIDELINE_SET: _guideline_set([outcome.guideline for outcome in report.outcomes]),
    }


def metrics(record: ProductionRun) -> dict[str, float]:
    """Numbers of a run. A report that failed has no score, a guideline not checked no count."""
    report = record.report
    if report is None:
        return {ATTEMPTS: record.attempts, **_times(record)}
    scores = {}
    if report.score:
        scores = {
            SCORE: report.score.value,
            SCORE_AVERAGE: report.score.average,
            SCORE_MINIMUM: report.score.minimum,
        }
    return {
        **scores,
        FINDINGS: len(report.findings),
        **{f"{FINDINGS_BY_SEVERITY}{severity}": count for severity, count in report.by_severity().items()},
        **{f"{FINDINGS_BY_GUIDELINE}{o.guideline}": o.findings for o in report.outcomes if _checked(o)},
        **_check_counts(report.outcomes),
        UNANCHORED: report.unanchored,
        MODEL_CALLS: report.usage.calls,
        INPUT_TOKENS: report.usage.input_tokens,
        OUTPUT_TOKENS: report.usage.output_tokens,
        CACHED_TOKENS: report.usage.cached_tokens,
        MODEL_RETRIES: report.usage.retries,
        KEPT: report.kept,
        **({} if report.usage.cost is None else {COST: report.usage.cost}),
        WORDS: report.article.words,
        DURATION_SECONDS: report.seconds,
        ATTEMPTS: record.attempts,
        **_times(record),
    }


def _times(record: ProductionRun) -> dict[str, float]:
    waited = {} if record.started is None else {WAIT_SECONDS: (record.started - record.submitted).total_seconds()}
    return waited | {TURNAROUND_SECONDS: (record.finished - record.submitted).total_seconds()}


def _complete(registry: Registry, run: Run, record: ProductionRun) -> None:
    """Everything has the job's own times, so that a second attempt writes the same points."""
    client, run_id, at = registry.client, run.info.run_id, _milliseconds(record.finished)
    points = [Metric(name, float(value), at, 0) for name, value in metrics(record).items()]
    values = [Param(name, value) for name, value in params(record).items()]
    said = [RunTag(name, value) for name, value in tags(record).items()]  # they change when a dead job is queued anew
    client.log_batch(run_id, metrics=points[:METRICS_PER_CALL], params=values, tags=said)
    for start in range(METRICS_PER_CALL, len(points), METRICS_PER_CALL):
        client.log_batch(run_id, metrics=points[start : start + METRICS_PER_CALL])
    store(registry, run.info.artifact_uri, _files(record))
    client.set_terminated(run_id, "FINISHED", end_time=at)  # last: a finished run is a complete one


def _files(record: ProductionRun) -> dict[str, bytes]:
    report = {} if record.report is None else {REPORT_ARTIFACT: record.report.model_dump_json(indent=1).encode()}
    return report if record.recording is None else report | {RECORDING_ARTIFACT: record.recording}


def read_recording(registry: Registry, run_id: str) -> bytes:
    """What was recorded in a production run; raises NoRecording."""
    with registry.answering():
        try:
            artifacts = registry.client.get_run(run_id).info.artifact_uri
        except MlflowException as error:
            if error.error_code not in (ABSENT, "INVALID_PARAMETER_VALUE"):  # the latter for no possible id
                raise
            raise NoRecording(
                f"there is no run {run_id!r} in {without_password(registry.uri)}, and no file of that name"
            ) from error
        if RECORDING_ARTIFACT not in names_of(registry, artifacts):
            raise NoRecording(
                f"run {run_id!r} was not recorded: set COPYDESK_RECORD_RATE for workers, "
                "or record a check by `copydesk check --record FOLDER`"
            )
        return read(registry, artifacts, RECORDING_ARTIFACT)


def _checked(outcome: GuidelineOutcome) -> bool:
    return outcome.verdict in (Verdict.CLEAR, Verdict.FINDINGS)


def _check_counts(outcomes: tuple[GuidelineOutcome, ...]) -> Mapping[str, float]:
    verdicts = Counter(outcome.verdict for outcome in outcomes)
    return {
        CHECKS: len(outcomes),
        CHECKS_FAILED: verdicts[Verdict.FAILED] + verdicts[Verdict.NOT_CHECKED],
        CHECKS_FALLBACK: sum(outcome.method is Method.FALLBACK for outcome in outcomes),
    }


def _guideline_set(ids: list[str]) -> str:
    """The ids in the order they were checked; their number stands in for a list MLflow would refuse."""
    listed = ",".join(ids)
    return listed if len(listed) <= MAX_SET_CHARACTERS else f"{len(ids)} guidelines: see {REPORT_ARTIFACT}"


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
