"""The LangGraph graph: plan -> checks, side by side -> report.

A check is one guideline's, or that of several which share a call to the model.

State is plain dicts, because LangGraph stores and copies it; what a check needs (article, model)
travels as the run's context. A check that fails becomes a verdict in its own task's error handler,
so the others go on.
"""

import copy
import logging
import operator
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypedDict, cast

from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from agent.article import Article
from agent.check import Check, Verdict
from agent.check_cache import CheckCache, KeyValues
from agent.endpoint import Endpoint
from agent.errors import CopydeskError
from agent.guideline import Guideline
from agent.judge import Judge
from agent.language import language_of
from agent.meter import Meter, MeteredModel
from agent.model import Model, ModelClient
from agent.patterns import ArticleView
from agent.recording import Recording, RecordingKeyValues, RecordingModel
from agent.report import ComplianceReport, VersionStamp, build_report
from agent.spec import AgentSpec

CHECK_TIMEOUT_SECONDS = 3600.0  # a last resort: the model client bounds each question, the search each pattern

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """One more guideline is done."""

    done: int
    total: int
    guideline: str
    verdict: Verdict


OnProgress = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True)
class Context:
    """What the nodes of one run share."""

    judge: Judge
    guidelines: tuple[Guideline, ...]


class State(TypedDict):
    """`checks` are dumped `Check`s."""

    checks: Annotated[list[dict[str, Any]], operator.add]


class Task(TypedDict):
    """Checks to be done together: the positions of their guidelines in the context."""

    positions: list[int]


async def plan(_: State, runtime: Runtime[Context]) -> list[Send] | str:
    position_of = {guideline.id: position for position, guideline in enumerate(runtime.context.guidelines)}
    groups = [
        [position_of[guideline.id] for guideline in group]
        for group in await runtime.context.judge.plan(runtime.context.guidelines)
    ]
    return [Send("check", Task(positions=positions)) for positions in groups] or END


async def check(task: Task, runtime: Runtime[Context]) -> dict[str, Any]:
    group = tuple(runtime.context.guidelines[position] for position in task["positions"])
    done = await runtime.context.judge.check(group)
    return {"checks": [check.model_dump(mode="json") for check in done]}


async def failed(task: Task, error: NodeError, runtime: Runtime[Context]) -> dict[str, Any]:
    judge = runtime.context.judge
    group = [runtime.context.guidelines[position] for position in task["positions"]]
    checks = [
        Check(guideline=g.id, verdict=Verdict.FAILED, reason=_reason(error.error, g), usage=judge.spent(g))
        for g in group
    ]
    return {"checks": [check.model_dump(mode="json") for check in checks]}


def _reason(error: BaseException, guideline: Guideline) -> str:
    if isinstance(error, CopydeskError):
        return str(error)
    if isinstance(error, NodeTimeoutError):
        return f"it took longer than {CHECK_TIMEOUT_SECONDS:.0f} seconds"
    logger.error("the check of guideline %r failed unexpectedly", guideline.id, exc_info=error)
    return f"an unexpected {type(error).__name__}: the log has the details"


def _build() -> CompiledStateGraph[State, Context, State, State]:
    graph = StateGraph(State, context_schema=Context)
    # The stubs know no error handler that asks for the error and the runtime.
    graph.add_node("check", check, timeout=CHECK_TIMEOUT_SECONDS, error_handler=failed)  # type: ignore[call-overload]
    graph.add_conditional_edges(START, plan, ["check", END])
    graph.add_edge("check", END)
    return graph.compile()


GRAPH = _build()


class Agent:
    """A version of the agent, ready to check articles; safe to use for many at once."""

    def __init__(
        self,
        spec: AgentSpec,
        *,
        endpoint: Endpoint | None = None,
        model: Model | None = None,
        kept: KeyValues | None = None,
        stamp: VersionStamp | None = None,
    ) -> None:
        """`endpoint` is where the declared model is reached; `model` is asked instead where it is given."""
        self.spec = spec
        self.stamp = stamp or spec.stamp()
        self._model = model
        if model is None and spec.model is not None and endpoint is not None and endpoint.configured:
            self._model = ModelClient(spec.model, endpoint)
        self._endpoint = endpoint
        self._kept = kept

    @property
    def asks_a_model(self) -> bool:
        return self._model is not None

    def stamped(self, stamp: VersionStamp) -> "Agent":
        """The same agent under another stamp; what this one checks now keeps its own."""
        other = copy.copy(self)
        other.stamp = stamp
        return other

    def keep_checks_in(self, kept: KeyValues) -> None:
        """From now on finished checks of the model are kept there, and looked up."""
        self._kept = kept

    async def close(self) -> None:
        """Gives back the endpoint's connections; other agents that share it can't ask any more."""
        if self._endpoint is not None:
            await self._endpoint.close()

    async def check(
        self,
        article: Article,
        *,
        guidelines: tuple[str, ...] | None = None,
        on_progress: OnProgress | None = None,
        recording: Recording | None = None,
        meter: Meter | None = None,
    ) -> ComplianceReport:
        """Checks an article against these guideline ids, all for None; raises UnknownGuideline.

        `on_progress` is awaited after each finished check. A `recording` that has begun gets all that is asked and
        heard, and the report. A `meter` says what was asked and answered up to now, also where the check is cancelled.
        """
        started = time.perf_counter()
        chosen = self.spec.pack.select(guidelines)
        if not article.language:
            article = replace(article, language=language_of(article.text))
        context = Context(self._judge(article, recording, meter), chosen)
        checks: list[Check] = []
        order = {guideline.id: position for position, guideline in enumerate(chosen)}
        done = 0
        parts = GRAPH.astream(State(checks=[]), context=context, stream_mode=["updates", "values"], version="v2")
        stream = cast("AsyncGenerator[Any, None]", parts)  # it is one, and says only that it iterates
        async with aclosing(stream):  # whoever stops listening stops the checks
            async for part in stream:
                if part["type"] == "values":
                    checks = [Check.model_validate(value) for value in part["data"]["checks"]]
                elif part["type"] == "updates" and on_progress:
                    for value in _finished(part["data"]):
                        done += 1
                        await on_progress(Progress(done, len(chosen), value["guideline"], Verdict(value["verdict"])))
        checks.sort(key=lambda check: order[check.guideline])
        report = build_report(article, chosen, checks, version=self.stamp, seconds=time.perf_counter() - started)
        if recording is not None:
            recording.report = report
        return report

    def _judge(self, article: Article, recording: Recording | None, meter: Meter | None) -> Judge:
        model, kept = self._model, self._kept
        if meter is not None:
            model = MeteredModel(model, meter) if model else None
        if recording is not None:
            model = RecordingModel(model, recording) if model else None
            kept = RecordingKeyValues(kept, recording) if kept else None
        return Judge(self.spec, ArticleView(article), model, CheckCache(kept, self.spec) if kept else None)


def _finished(updates: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The checks in one part of the stream, which has an update by each node that ran."""
    for update in updates.values():
        yield from update["checks"]
