"""Asks the model about a reading, and gets an answer for each guideline or the reason why there is none.

What can be put right is tried once, whatever it was: an answer that can't be read is asked for again, a guideline that
was left out of an answer is asked about alone, several that failed together are asked about one by one, and a reading
whose answer (or question) was too long is cut in half, and once more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from agent.answers import AnswerFinding, read_answer
from agent.article import Article
from agent.check import Usage
from agent.errors import ModelError
from agent.guideline import Guideline
from agent.model import Model
from agent.prompts import article_part, messages
from agent.readings import Reading, halves

# The endpoint answered, and not with a verdict: these are the check's own. Any other failure is the endpoint's.
ANSWER_FAILURES = frozenset({"malformed", "missing", "length", "too-long", "refusal"})
OVER_LONG = frozenset({"length", "too-long"})
MAX_CUTS = 2  # a reading is asked about in quarters at the least
MISSING = "the model's answer left this guideline out, also when it was asked about alone"

Heard = tuple[AnswerFinding, ...] | ModelError


class Asking:
    """Questions about one article. `spent` has what they cost, by guideline id, whatever came of them."""

    def __init__(self, article: Article, model: Model, *, answer_language: str = "") -> None:
        self._article = article
        self._model = model
        self._answer_language = answer_language
        self._texts: dict[Reading, str] = {}
        self.spent: defaultdict[str, Usage] = defaultdict(Usage)

    async def ask(
        self, reading: Reading, guidelines: Sequence[Guideline], *, last: bool = False, cuts: int = MAX_CUTS
    ) -> dict[str, Heard]:
        """What was heard of each guideline, by its id. `last`: this is the second try; `cuts` are still allowed."""
        try:
            heard = await self._answers(reading, guidelines, again=last)
        except ModelError as error:
            return await self._after(error, reading, guidelines, last=last, cuts=cuts)
        missing = [guideline for guideline in guidelines if guideline.id not in heard]
        if missing and last:
            return heard | {guideline.id: ModelError("missing", MISSING) for guideline in missing}
        return heard | await self._one_by_one(reading, missing)

    async def _after(
        self, error: ModelError, reading: Reading, guidelines: Sequence[Guideline], *, last: bool, cuts: int
    ) -> dict[str, Heard]:
        if error.reason in ANSWER_FAILURES and len(guidelines) > 1:
            return await self._one_by_one(reading, guidelines)
        if error.reason in OVER_LONG and cuts and not guidelines[0].needs_article:
            if (parts := halves(reading)) is not None:
                return await self._in_halves(parts, guidelines[0], cuts=cuts - 1)
        elif error.reason == "malformed" and not last:
            return await self.ask(reading, guidelines, last=True)
        return {guideline.id: error for guideline in guidelines}

    async def _one_by_one(self, reading: Reading, guidelines: Sequence[Guideline]) -> dict[str, Heard]:
        heard: dict[str, Heard] = {}
        for one in await asyncio.gather(*(self.ask(reading, (guideline,), last=True) for guideline in guidelines)):
            heard |= one
        return heard

    async def _in_halves(self, parts: tuple[Reading, Reading], guideline: Guideline, *, cuts: int) -> dict[str, Heard]:
        findings: list[AnswerFinding] = []
        answers = await asyncio.gather(*(self.ask(part, (guideline,), cuts=cuts) for part in parts))
        for part, heard in zip(parts, answers, strict=True):
            one = heard[guideline.id]
            if isinstance(one, ModelError):
                return heard
            # What a half says of the other's paragraphs would be there twice.
            findings += (item for item in one if item.paragraph - 1 in part.asked)
        return {guideline.id: tuple(findings)}

    async def _answers(self, reading: Reading, guidelines: Sequence[Guideline], *, again: bool) -> dict[str, Heard]:
        ids = tuple(guideline.id for guideline in guidelines)
        try:
            reply = await self._model.complete(messages(self._text(reading), guidelines, again=again))
        except ModelError as error:
            self.spent[ids[0]] += Usage(retries=error.retries)
            raise
        for id, usage in zip(ids, reply.usage.shared_by(len(ids)), strict=True):
            self.spent[id] += usage
        answers = read_answer(reply.text, ids, finish_reason=reply.finish_reason)
        return {id: answer.findings for id, answer in answers.items()}

    def _text(self, reading: Reading) -> str:
        if reading not in self._texts:
            self._texts[reading] = article_part(self._article, reading, answer_language=self._answer_language)
        return self._texts[reading]
