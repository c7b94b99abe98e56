"""What an evaluation and a gate cost: `evaluation-efficiency`, `gate-time`."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from agent.check import Verdict
from agent.endpoint import Endpoint
from agent.finding import Method, Severity
from agent.graph import Agent
from agent.report import ReportStatus, VersionStamp
from agent.score import Band
from agent.settings import ModelSettings
from agent.spec import AgentSpec
from evaluation.gate import decide
from evaluation.journal import Journal
from evaluation.labels import LabelledArticle, LabelledSet
from evaluation.matching import Span
from evaluation.record import ArticleLabels, ArticleResult, Evaluation, GuidelineFacts, GuidelineResult
from evaluation.runner import evaluate
from pipelines.gate import policy_of
from tests.bench.article import thousand_words
from tests.bench.checks import MODEL, prompts, scripted_model
from tests.bench.measure import Measurement, benchmark

ARTICLES, AT_ONCE, LATENCY_SECONDS, EFFICIENCY = 200, 64, 1.0, 0.85
GATED_ARTICLES, GUIDELINES, GATE_SECONDS = 500, 20, 2.0


@benchmark("evaluation-efficiency")
def evaluation_efficiency() -> Iterator[Measurement]:
    """The wall time that the model alone would take, over the measured one."""
    pack = prompts()
    text = " ".join(thousand_words().text.split()[:300])
    labelled = LabelledSet(
        name="bench",
        articles=tuple(
            LabelledArticle(id=str(n), group=str(n), split="test", text=f"Article {n}. {text}") for n in range(ARTICLES)
        ),
    )
    ideal = ARTICLES * len(pack.guidelines) / AT_ONCE * LATENCY_SECONDS

    async def run(url: str, folder: Path) -> float:
        endpoint = Endpoint(ModelSettings(url=url, max_in_flight=AT_ONCE))
        spec = AgentSpec(pack=pack, model=MODEL)
        started = time.perf_counter()
        done = await evaluate(
            lambda kept: Agent(spec, endpoint=endpoint, kept=kept), labelled, Journal(folder, "bench"), split="test"
        )
        taken = time.perf_counter() - started
        await endpoint.close()
        assert all(result.status is ReportStatus.COMPLETE for result in done.results)
        return taken

    with scripted_model(LATENCY_SECONDS) as url, tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(run(url, Path(folder)))
    yield Measurement(
        "evaluation-efficiency",
        ideal / taken,
        "",
        f">= {EFFICIENCY}",
        ideal / taken >= EFFICIENCY,
        baseline=f"{ideal:.0f} s of waiting",
        ratio=taken / ideal,
        note=f"{ARTICLES} articles x {len(pack.guidelines)} guidelines, {AT_ONCE} calls at once, took {taken:.1f} s",
    )


@benchmark("gate-time")
def gate_time() -> Iterator[Measurement]:
    """Pairing two evaluations, every claim, and the resamples of the policy."""
    policy = policy_of(None)
    before, after = _evaluation("1", 5), _evaluation("2", 6)
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        decision = decide(before, after, policy)
        taken.append(time.perf_counter() - started)
    assert len(decision.rulings) >= 2 * GUIDELINES
    yield Measurement(
        "gate-time",
        sorted(taken)[1],
        "s",
        f"< {GATE_SECONDS:g} s",
        sorted(taken)[1] < GATE_SECONDS,
        note=f"{GATED_ARTICLES} articles x {GUIDELINES} guidelines, {policy.resamples:,} resamples",
    )


def _evaluation(number: str, seed: int) -> Evaluation:
    """A version that finds four violations of five, and raises an alarm in one article of twenty."""
    random = np.random.default_rng(seed)
    ids = [f"g{n}" for n in range(GUIDELINES)]
    articles = tuple(
        ArticleLabels(
            id=str(n),
            group=str(n // 4),
            words=400,
            gold={id: (Span(0, 9),) for id in ids},
            score=100.0,
            band=Band.GREEN,
        )
        for n in range(GATED_ARTICLES)
    )

    def one() -> GuidelineResult:
        spans = [Span(0, 9)] * int(random.random() < 0.8) + [Span(50, 60)] * int(random.random() < 0.05)
        return GuidelineResult(
            verdict=Verdict.FINDINGS if spans else Verdict.CLEAR, method=Method.MODEL, predicted=tuple(spans)
        )

    results = tuple(
        ArticleResult(
            article=article.id,
            repeat=0,
            status=ReportStatus.COMPLETE,
            score=100.0,
            band=Band.GREEN,
            guidelines={id: one() for id in ids},
            seconds=1.0,
        )
        for article in articles
    )
    now = datetime.now(UTC)
    stamp = VersionStamp(number=number, digest=number * 64, code_digest="c" * 64, pack="bench", pack_digest="p" * 64)
    severities = (Severity.BREACH, Severity.WARNING, Severity.ADVICE)
    return Evaluation(
        id=number,
        set_name="bench",
        split="test",
        set_digest="s" * 64,
        version=stamp,
        model="m",
        guidelines={
            id: GuidelineFacts(title=id, category=f"c{n % 4}", severity=severities[n % 3], digest=f"{number}{id}")
            for n, id in enumerate(ids)
        },
        repeats=1,
        started=now,
        finished=now,
        articles=articles,
        results=results,
    )
