"""Every metric: its name, what it counts, and in whose process. No label names a user, a job or a text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agent.report import ComplianceReport
from serving.ports.jobs import Backlog
from serving.ports.monitors import Monitored

Service = Literal["api", "worker"]

ANSWER = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)  # .2, .5, 1 and 5 s are promised or alerted on
CHECK = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
JOB = (0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
WAIT = (0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
NO_ROUTE = "unmatched"
UNKNOWN_MODEL = "unknown"


@dataclass(frozen=True, slots=True)
class Named:
    """A metric as it is scraped. Names of counters end in `_total`, and times are in seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    told_by: tuple[Service, ...]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


API: tuple[Service, ...] = ("api",)
WORKER: tuple[Service, ...] = ("worker",)
BOTH: tuple[Service, ...] = ("api", "worker")

REQUESTS = Named(
    "http_server_request_duration_seconds",
    "histogram",
    API,
    "Until an answer began, by the route's template",
    ("service", "route", "method", "status"),
    ANSWER,
)
NOT_COUNTED = Named(
    "compliance_requests_not_counted_total", "counter", API, "Requests let through because Redis couldn't count them"
)
QUEUE_DEPTH = Named("compliance_queue_depth", "gauge", API, "Jobs that wait")
QUEUE_OLDEST = Named("compliance_queue_oldest_seconds", "gauge", API, "How long the oldest of them has waited")
JOBS_STRANDED = Named(
    "compliance_jobs_stranded", "gauge", API, "Jobs that wait and whose release no living worker runs"
)
JOBS_RUNNING = Named("compliance_jobs_running", "gauge", API, "Jobs that run, on all workers")
JOBS_DEAD = Named("compliance_jobs_dead", "gauge", API, "Jobs that were given up and not queued again")
OUTBOX = Named("compliance_outbox_entries", "gauge", API, "Ended jobs that MLflow hasn't been told of")
OUTBOX_OLDEST = Named("compliance_outbox_oldest_seconds", "gauge", API, "How long ago the oldest of them ended")
DEPENDENCY_UP = Named(
    "compliance_dependency_up", "gauge", API, "1 where it answers: database, worker, blobs, redis", ("dependency",)
)
JOBS = Named(
    "compliance_jobs_total", "counter", BOTH, "Jobs that ended: cancelled by the API, else by a worker", ("outcome",)
)
JOB_RETRIES = Named(
    "compliance_job_retries_total", "counter", WORKER, "Jobs that went back into the queue, and why", ("reason",)
)
JOB_DURATION = Named(
    "compliance_job_duration_seconds", "histogram", WORKER, "From started to ended, of the last attempt", (), JOB
)
JOB_WAIT = Named(
    "compliance_job_wait_seconds", "histogram", WORKER, "From submitted to started, of the first attempt", (), WAIT
)
GUIDELINE_DURATION = Named(
    "compliance_guideline_duration_seconds",
    "histogram",
    WORKER,
    "Of one guideline's check; kind: model, pattern, fallback or none",
    ("guideline", "kind"),
    CHECK,
)
FINDINGS = Named(
    "compliance_findings_total", "counter", WORKER, "Findings that were reported", ("guideline", "severity")
)
TOKENS = Named(
    "compliance_llm_tokens_total",
    "counter",
    WORKER,
    "Tokens of reported checks; direction: input, output, and cached of the input",
    ("direction", "model"),
)
CACHE = Named(
    "compliance_cache_requests_total",
    "counter",
    BOTH,
    "hit or miss; cache: status, result, duplicates (articles), checks (verdicts on paragraphs)",
    ("cache", "result"),
)
POOL = Named("compliance_db_pool_connections", "gauge", BOTH, "Connections of this process, used or idle", ("state",))
BLOB_BYTES = Named("compliance_blob_bytes_total", "counter", BOTH, "Bytes of articles, in or out", ("direction",))
CHAMPION_REFUSED = Named(
    "compliance_champion_refused",
    "gauge",
    WORKER,
    "1 while the registry names a champion that no signed record backs, or that can't be read",
)

MODEL_CHANGED = Named(
    "compliance_model_changed",
    "gauge",
    WORKER,
    "1 while the champion's evidence has expired, because another model answers or the canaries came out otherwise",
)

LOOKS = Named(
    "compliance_monitor_looks_total",
    "counter",
    WORKER,
    "Looks at whether what serves is what was evaluated; verdict: fine, alarm, unclear, or failed",
    ("monitor", "verdict"),
)

NAMES = (
    REQUESTS,
    NOT_COUNTED,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    JOBS_STRANDED,
    JOBS_RUNNING,
    JOBS_DEAD,
    OUTBOX,
    OUTBOX_OLDEST,
    DEPENDENCY_UP,
    JOBS,
    JOB_RETRIES,
    JOB_DURATION,
    JOB_WAIT,
    GUIDELINE_DURATION,
    FINDINGS,
    TOKENS,
    CACHE,
    POOL,
    BLOB_BYTES,
    CHAMPION_REFUSED,
    MODEL_CHANGED,
    LOOKS,
)


class Metrics:
    """Of one process, in a registry of its own."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.jobs = self._counter(JOBS)
        self.pool = self._gauge(POOL)
        self._caches = self._counter(CACHE)
        self.blob_bytes = self._counter(BLOB_BYTES)

    def looked_up(self, cache: str, *, hits: int = 0, misses: int = 0) -> None:
        if hits:
            self._caches.labels(cache, "hit").inc(hits)
        if misses:
            self._caches.labels(cache, "miss").inc(misses)

    def follow_pool(self, pool: Callable[[], tuple[int, int]]) -> None:
        """`pool`: connections in use and idle, read at each scrape."""
        self.pool.labels("used").set_function(lambda: pool()[0])
        self.pool.labels("idle").set_function(lambda: pool()[1])

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self.registry)

    def _counter(self, named: Named) -> Counter:
        return Counter(named.name, named.help, named.labels, registry=self.registry)

    def _gauge(self, named: Named) -> Gauge:
        return Gauge(named.name, named.help, named.labels, registry=self.registry)

    def _histogram(self, named: Named) -> Histogram:
        return Histogram(named.name, named.help, named.labels, buckets=named.buckets, registry=self.registry)


class ApiMetrics(Metrics):
    """Also of the whole installation: the queue and what the service stands on, as each replica sees them."""

    def __init__(self) -> None:
        super().__init__("api")
        self._requests = self._histogram(REQUESTS)
        self._of_route: dict[tuple[str, str, int], Histogram] = {}
        self.not_counted = self._counter(NOT_COUNTED)
        self.dependency_up = self._gauge(DEPENDENCY_UP)
        self.installation = InstallationCollector()
        self.registry.register(self.installation)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        child = self._of_route.get((route, method, status))
        if child is None:
            child = self._requests.labels(self.service, route, method, str(status))
            self._of_route[route, method, status] = child
        child.observe(seconds)


class WorkerMetrics(Metrics):
    """What this worker did."""

    def __init__(self) -> None:
        super().__init__("worker")
        self.job_retries = self._counter(JOB_RETRIES)
        self.job_duration = self._histogram(JOB_DURATION)
        self.job_wait = self._histogram(JOB_WAIT)
        self._guidelines = self._histogram(GUIDELINE_DURATION)
        self._findings = self._counter(FINDINGS)
        self._tokens = self._counter(TOKENS)
        self.champion_refused = self._gauge(CHAMPION_REFUSED)
        self.model_changed = self._gauge(MODEL_CHANGED)
        self._looks = self._counter(LOOKS)

    def looked(self, monitored: Monitored) -> None:
        self._looks.labels(monitored.monitor, monitored.verdict or "failed").inc()

    def reported(self, report: ComplianceReport) -> None:
        for outcome in report.outcomes:
            self._guidelines.labels(outcome.guideline, outcome.method or "none").observe(outcome.seconds)
            if outcome.findings:
                self._findings.labels(outcome.guideline, outcome.severity).inc(outcome.findings)
            usage = outcome.usage
            if usage.calls:
                model = usage.answered_by[0].model if usage.answered_by else ""
                counts = {"input": usage.input_tokens, "output": usage.output_tokens, "cached": usage.cached_tokens}
                for direction, tokens in counts.items():
                    self._tokens.labels(direction, model or UNKNOWN_MODEL).inc(tokens)


class InstallationCollector(Collector):
    """What was last read of the queue and the outbox; nothing where it couldn't be read."""

    def __init__(self) -> None:
        self.backlog: Backlog | None = None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        told = self.backlog
        if told is None:
            return
        values = (
            (QUEUE_DEPTH, told.waiting),
            (QUEUE_OLDEST, told.oldest_waiting_seconds),
            (JOBS_STRANDED, told.stranded),
            (JOBS_RUNNING, told.running),
            (JOBS_DEAD, told.dead),
            (OUTBOX, told.unlogged),
            (OUTBOX_OLDEST, told.oldest_unlogged_seconds),
        )
        for named, value in values:
            yield GaugeMetricFamily(named.name, named.help, value)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []


def described() -> str:
    """All metrics as a Markdown table."""
    lines = ["| metric | labels | kind | told by | what |", "|---|---|---|---|---|"]
    lines += [
        f"| `{named.name}` | {', '.join(f'`{label}`' for label in named.labels)} | {named.kind} "
        f"| {' and '.join(named.told_by)} | {named.help} |"
        for named in NAMES
    ]
    return "\n".join(lines)
