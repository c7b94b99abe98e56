"""The agent as MLflow loads it: a models-from-code file that stands alone with the packaged `agent`.

It is copied into each version, so it imports nothing of the registry.
"""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from pydantic import BaseModel

from agent.article import Article
from agent.check_cache import MemoryKeyValues
from agent.code_digest import code_digest
from agent.endpoint import Endpoint
from agent.errors import CopydeskError
from agent.formats.plain import read_plain
from agent.graph import Agent
from agent.settings import ModelSettings
from agent.spec import AgentSpec

NAME = "copydesk-agent"  # the number is the registry's; the digest says which version it is
Result = TypeVar("Result")


class ArticleInput(BaseModel):
    """One article to check."""

    text: str
    title: str = ""
    language: str = ""  # BCP 47
    guidelines: list[str] | None = None  # ids; None: all of the version's pack

    def article(self) -> Article:
        return read_plain(self.text, title=self.title, language=self.language)


class ServedAgent(PythonModel):
    """Checks articles. Without a reachable endpoint a declared model falls back to patterns."""

    def load_context(self, context: PythonModelContext) -> None:
        spec = AgentSpec.model_validate_json(Path(context.artifacts["spec"]).read_text(encoding="utf-8"))
        if spec.code != code_digest():
            raise RuntimeError(
                f"this version was packaged with agent code {spec.code[:12]}, but this process already "
                f"imported {code_digest()[:12]}: load it in a fresh process"
            )
        self.agent = Agent(
            spec, endpoint=Endpoint(ModelSettings()), kept=MemoryKeyValues(), stamp=spec.stamp(name=NAME)
        )
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="served-agent", daemon=True).start()

    def predict(  # type: ignore[override]  # MLflow allows to leave out the context
        self, model_input: list[ArticleInput], params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """One report per article, in order; `{"error": {"type", "message"}}` for one that can't be checked."""
        return self._run(self._check_all(model_input))

    async def _check_all(self, inputs: list[ArticleInput]) -> list[dict[str, Any]]:
        return list(await asyncio.gather(*(self._check(item) for item in inputs)))

    async def _check(self, item: ArticleInput) -> dict[str, Any]:
        guidelines = None if item.guidelines is None else tuple(item.guidelines)
        try:
            report = await self.agent.check(item.article(), guidelines=guidelines)
        except CopydeskError as error:
            return {"error": {"type": error.type, "message": str(error)}}
        return report.model_dump(mode="json")

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        # One loop for good: the model client's connections belong to it, and the caller may have its own.
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


set_model(ServedAgent())
