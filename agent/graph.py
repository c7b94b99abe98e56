"""The LangGraph graph: plan -> one check per guideline, side by side -> report.

State is plain dicts, because LangGraph stores and copies it; what a check needs (article, model)
travels as the run's context. A check that fails becomes a verdict in its own task's error handler,
so the others go on, and verdicts come back in the order of the guidelines.
"""

import logging
import operator
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langgraph.errors import NodeError, NodeTimeoutError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from agent.article import Article
from agent.check import Check, Verdict
from agent.errors import CopydeskError
from agent.guideline import Guideline
from agent.judge import Judge
from agent.patterns import ArticleView
from agent.report import ComplianceReport, VersionStamp, build_report
from agent.spec import AgentSpec

if TYPE_CHECKING:
    from agent.model import ModelClient

CHECK_TIMEOUT_SECONDS = 180.0

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
    """`checks` are dumped `Check`s in the order of the guidelines."""

    checks: Annotated[list[dict[str, Any]], operator.add]


class Task(TypedDict):
    """One check to be done: the position of its guideline in the context."""

    position: int


async def plan(_: State, runtime: Runtime[Context]) -> list[Send] | str:
    sends = [Send("check", Task(position=position)) for position in range(len(runtime.context.guidelines))]
    return sends or END


async def check(task: Task, runtime: Runtime[Context]) -> dict[str, Any]:
    guideline = runtime.context.guidelines[task["position"]]
    done = await runtime.context.judge.check(guideline)
    return {"checks": [done.model_dump(mode="json")]}


async def failed(task: Task, error: NodeError, runtime: Runtime[Context]) -> dict[str, Any]:
    guideline = runtime.context.guidelines[task["position"]]
    check = Check(guideline=guideline.id, verdict=Verdict.FAILED, reason=_reason(error.error, guideline))
    return {"checks": [check.model_dump(mode="json")]}


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
        self, spec: AgentSpec, *, model: "ModelClient | None" = None, stamp: VersionStamp | None = None
    ) -> None:
        self.spec = spec
        self.stamp = stamp or spec.stamp()
        self._model = model

    async def check(
        self,
        article: Article,
        *,
        guidelines: tuple[str, ...] | None = None,
        on_progress: OnProgress | None = None,
    ) -> ComplianceReport:
        """Checks an article against these guideline ids, all for None; raises UnknownGuideline.

        `on_progress` is awaited after each finished check.
        """
        started = time.perf_counter()
        chosen = self.spec.pack.select(guidelines)
        context = Context(Judge(self.spec, ArticleView(article), self._model), chosen)
        checks: list[Check] = []
        done = 0
        stream = GRAPH.astream(State(checks=[]), context=context, stream_mode=["updates", "values"], version="v2")
        async for part in stream:
            if part["type"] == "values":
                checks = [Check.model_validate(value) for value in part["data"]["checks"]]
            elif part["type"] == "updates" and on_progress:
                for value in _finished(part["data"]):
                    done += 1
                    await on_progress(Progress(done, len(chosen), value["guideline"], Verdict(value["verdict"])))
        return build_report(article, chosen, checks, version=self.stamp, seconds=time.perf_counter() - started)


def _finished(updates: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The checks in one part of the stream, which has an update by each node that ran."""
    for update in updates.values():
        yield from update["checks"]
