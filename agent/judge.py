"""How guidelines are checked: by patterns, by the model, from kept verdicts, or by their fallback."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from agent.article import Article
from agent.asking import ANSWER_FAILURES, Asking, Heard
from agent.check import Check, Usage, Verdict
from agent.check_cache import CheckCache, KeptVerdict
from agent.errors import ModelError
from agent.finding import Finding, Method
from agent.guideline import Guideline, Kind
from agent.model import Model
from agent.patterns import ArticleView, check_patterns
from agent.readings import Reading, share, whole, windows
from agent.spec import AgentSpec
from agent.units import Unit, Units, asked
from agent.verdicts import findings, verdicts

# One thread for all patterns of a process: side by side they would only hold each other up, until their time is over.
_PATTERNS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="patterns")


@dataclass
class Dossier:
    """A guideline that the model checks: what is known of it and what has to be asked."""

    guideline: Guideline
    keys: dict[Unit, str]
    known: dict[Unit, KeptVerdict]
    kept: int = 0  # paragraphs known before anything was asked
    failure: ModelError | None = None
    readings: tuple[Reading, ...] = ()

    @property
    def missing(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.keys if unit not in self.known)


@dataclass
class Judge:
    """Checks one article against guidelines of one version."""

    spec: AgentSpec
    view: ArticleView
    model: Model | None
    cache: CheckCache | None = None
    _dossiers: dict[str, Dossier] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._units = Units(self.article)
        language = self.spec.options.answer_language
        self._asking = Asking(self.article, self.model, answer_language=language) if self.model else None

    @property
    def article(self) -> Article:
        return self.view.article

    def spent(self, guideline: Guideline) -> Usage:
        """What the checks of a guideline have cost so far, also where they fail."""
        return self._asking.spent[guideline.id] if self._asking else Usage()

    async def plan(self, guidelines: Sequence[Guideline]) -> list[tuple[Guideline, ...]]:
        """Guidelines in groups that are checked together, each by one `check`."""
        by_model = [guideline for guideline in guidelines if self._is_for_model(guideline)]
        self._dossiers = await self._look_up(by_model)
        groups: list[tuple[Guideline, ...]] = [(g,) for g in guidelines if not self._dossiers.get(g.id)]
        together: defaultdict[tuple[bool, tuple[int, ...]], list[Guideline]] = defaultdict(list)
        for guideline in by_model:
            wanted = asked(self._dossiers[guideline.id].missing)
            together[guideline.needs_article, wanted].append(guideline)  # a long article is read in two ways
        for (_, indices), members in together.items():
            groups += _in_parts(members, self._most_in_one_call(indices))
        return groups

    def _most_in_one_call(self, indices: tuple[int, ...]) -> int:
        everything = len(indices) == len(self.article.paragraphs)
        return self.spec.options.checks_per_call if everything else self.spec.options.recheck_checks_per_call

    async def check(self, group: tuple[Guideline, ...]) -> list[Check]:
        """A verdict on each guideline of a group. Raises CopydeskError for what made these checks fail."""
        started = time.perf_counter()
        dossiers = [self._dossiers[guideline.id] for guideline in group if guideline.id in self._dossiers]
        # Patterns go into a thread: slow ones must not keep a worker from renewing its lease.
        checks = (
            await self._by_model(dossiers) if dossiers else [await _in_turn(partial(self._without_model, group[0]))]
        )
        seconds = time.perf_counter() - started
        return [check.model_copy(update={"seconds": seconds}) for check in checks]

    def _is_for_model(self, guideline: Guideline) -> bool:
        prompt = guideline.kind is Kind.PROMPT and guideline.applies_to(self.article.language)
        return prompt and self.spec.model is not None and self.model is not None

    async def _look_up(self, guidelines: Sequence[Guideline]) -> dict[str, Dossier]:
        if self.cache is None:
            return {g.id: Dossier(g, dict.fromkeys(self._units.of(g), ""), {}) for g in guidelines}
        keys = {g.id: self.cache.keys(g, self._units) for g in guidelines}
        kept = await self.cache.get(key for of_units in keys.values() for key in of_units.values())
        dossiers = {}
        for guideline in guidelines:
            known = {unit: kept[key] for unit, key in keys[guideline.id].items() if key in kept}
            dossiers[guideline.id] = Dossier(guideline, keys[guideline.id], known, kept=len(asked(known)))
        return dossiers

    def _without_model(self, guideline: Guideline) -> Check:
        if not guideline.applies_to(self.article.language):
            wanted = ", ".join(guideline.languages)
            reason = f"it is for articles in {wanted}; this one is in {self.article.language}"
            return Check(guideline=guideline.id, verdict=Verdict.NOT_APPLICABLE, reason=reason)
        if guideline.kind is Kind.PATTERN or self.spec.model is None:
            return self._by_patterns(guideline, Method.PATTERN, reason="")
        reason = "no model endpoint is configured: set COPYDESK_MODEL_URL"
        return self._by_patterns(guideline, Method.FALLBACK, reason=reason)

    def _by_patterns(self, guideline: Guideline, method: Method, *, reason: str) -> Check:
        usage = self.spent(guideline)
        if not guideline.rules:
            why = reason or "it has no patterns and this version declares no model"
            return Check(guideline=guideline.id, verdict=Verdict.NOT_CHECKED, reason=why, usage=usage)
        found = check_patterns(guideline, self.view, method=method)
        return _check(guideline, found, method=method, reason=reason, usage=usage)

    async def _by_model(self, dossiers: Sequence[Dossier]) -> list[Check]:
        if dossiers[0].missing and self._asking is not None:
            readings = self._readings(dossiers)
            await asyncio.gather(*(self._read(self._asking, reading, dossiers) for reading in readings))
            for dossier in dossiers:
                dossier.readings = readings
        return [
            await _in_turn(partial(self._conclude, dossier)) if dossier.failure else self._conclude(dossier)
            for dossier in dossiers
        ]

    def _readings(self, dossiers: Sequence[Dossier]) -> tuple[Reading, ...]:
        """What is shown of the article; the guidelines of a group ask about the same paragraphs."""
        options = self.spec.options
        if dossiers[0].guideline.needs_article:
            return (whole(self.article, options.article_tokens),)
        shown: defaultdict[tuple[int, ...], set[int]] = defaultdict(set)
        for dossier in dossiers:
            for unit in dossier.missing:
                shown[unit.asked] |= set(unit.shown)
        units = [Unit(indices, tuple(sorted(seen))) for indices, seen in shown.items()]
        return windows(self.article, units, options.window_tokens)

    async def _read(self, asking: Asking, reading: Reading, dossiers: Sequence[Dossier]) -> None:
        """Asks about a reading and keeps what is heard at once, so that a crash loses none of it."""
        heard = await asking.ask(reading, [dossier.guideline for dossier in dossiers])
        kept: dict[str, KeptVerdict] = {}
        for dossier in dossiers:
            for unit, verdict in self._note(dossier, reading, heard[dossier.guideline.id]).items():
                kept[dossier.keys[unit]] = verdict
        if self.cache is not None and kept:
            await self.cache.put(kept)

    def _note(self, dossier: Dossier, reading: Reading, heard: Heard) -> Mapping[Unit, KeptVerdict]:
        if isinstance(heard, ModelError):
            dossier.failure = dossier.failure or heard
            return {}
        new = verdicts(self.article, dossier.guideline, dossier.missing, reading, heard)
        dossier.known |= new
        return new

    def _conclude(self, dossier: Dossier) -> Check:
        guideline, usage = dossier.guideline, self.spent(dossier.guideline)
        if (error := dossier.failure) is not None:
            if error.reason in ANSWER_FAILURES:
                return Check(guideline=guideline.id, verdict=Verdict.FAILED, reason=str(error), usage=usage)
            return self._by_patterns(guideline, Method.FALLBACK, reason=str(error))
        found = findings(self.article, guideline, dossier.known)
        check = _check(guideline, found, method=Method.MODEL, usage=usage)
        return check.model_copy(
            update={
                "unanchored": sum(verdict.unanchored for verdict in dossier.known.values()),
                "kept": dossier.kept,
                "windows": max(1, len(dossier.readings)),
                "extract": self._extract(guideline),
            }
        )

    def _extract(self, guideline: Guideline) -> float | None:
        """The part of the article that is read where it doesn't fit in one call."""
        if not guideline.needs_article:
            return None
        part = share(self.article, whole(self.article, self.spec.options.article_tokens))
        return part if part < 1 else None


async def _in_turn(check: Callable[[], Check]) -> Check:
    return await asyncio.get_running_loop().run_in_executor(_PATTERNS, check)


def _in_parts(members: Sequence[Guideline], most: int) -> Iterator[tuple[Guideline, ...]]:
    for start in range(0, len(members), most):
        yield tuple(members[start : start + most])


def _check(
    guideline: Guideline, found: tuple[Finding, ...], *, method: Method, usage: Usage, reason: str = ""
) -> Check:
    verdict = Verdict.FINDINGS if found else Verdict.CLEAR
    return Check(guideline=guideline.id, verdict=verdict, findings=found, method=method, reason=reason, usage=usage)
