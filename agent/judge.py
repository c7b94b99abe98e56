"""How one guideline is checked: by its patterns, by the model, or by its fallback when the model is down."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.anchors import Anchors
from agent.article import Article
from agent.check import Check, Usage, Verdict
from agent.errors import ModelError
from agent.finding import Finding, Method, make_finding
from agent.guideline import Guideline, Kind
from agent.patterns import ArticleView, check_patterns
from agent.prompts import Answer, messages, read_answer
from agent.spec import AgentSpec

if TYPE_CHECKING:
    from agent.model import ModelClient

ANSWER_ATTEMPTS = 2  # a malformed answer is asked for once more
# The endpoint can't serve anybody now: patterns stand in. Any other failure is this check's own.
MODEL_DOWN = frozenset({"timeout", "unreachable", "rate-limited", "unauthorised", "unknown-model", "server-error"})


@dataclass(frozen=True)
class Judge:
    """Checks one article against guidelines of one version, one at a time and in any order."""

    spec: AgentSpec
    view: ArticleView
    model: "ModelClient | None"

    @property
    def article(self) -> Article:
        return self.view.article

    async def check(self, guideline: Guideline) -> Check:
        """The verdict of one guideline. Raises CopydeskError for what made this check fail."""
        started = time.perf_counter()
        check = await self._check(guideline)
        return check.model_copy(update={"seconds": time.perf_counter() - started})

    async def _check(self, guideline: Guideline) -> Check:
        if not guideline.applies_to(self.article.language):
            wanted = ", ".join(guideline.languages)
            reason = f"it is for articles in {wanted}; this one is in {self.article.language}"
            return Check(guideline=guideline.id, verdict=Verdict.NOT_APPLICABLE, reason=reason)
        if guideline.kind is Kind.PATTERN or self.spec.model is None:
            return self._by_patterns(guideline, Method.PATTERN, reason="")
        if self.model is None:
            return self._by_patterns(
                guideline, Method.FALLBACK, reason="no model endpoint is configured: set COPYDESK_MODEL_URL"
            )
        try:
            return await self._by_model(guideline, self.model)
        except ModelError as error:
            if error.reason not in MODEL_DOWN:
                raise
            return self._by_patterns(guideline, Method.FALLBACK, reason=str(error))

    def _by_patterns(self, guideline: Guideline, method: Method, *, reason: str) -> Check:
        if not guideline.rules:
            why = reason or "it has no patterns and this version declares no model"
            return Check(guideline=guideline.id, verdict=Verdict.NOT_CHECKED, reason=why)
        findings = check_patterns(guideline, self.view, method=method)
        return _verdict(guideline, findings, method=method, reason=reason)

    async def _by_model(self, guideline: Guideline, model: "ModelClient") -> Check:
        usage = Usage()
        for attempt in range(1, ANSWER_ATTEMPTS + 1):
            reply = await model.complete(messages(self.article, guideline))
            usage += reply.usage
            try:
                answer = read_answer(reply.text, finish_reason=reply.finish_reason)
            except ModelError as error:
                if error.reason == "malformed" and attempt < ANSWER_ATTEMPTS:
                    continue
                return Check(guideline=guideline.id, verdict=Verdict.FAILED, reason=str(error), usage=usage)
            findings, unanchored = anchored(answer, guideline, self.article)
            check = _verdict(guideline, findings, method=Method.MODEL)
            return check.model_copy(update={"unanchored": unanchored, "usage": usage})
        raise AssertionError("unreachable: the last attempt returns")


def anchored(answer: Answer, guideline: Guideline, article: Article) -> tuple[tuple[Finding, ...], int]:
    """The answer's findings at their places in the article, and how many quotes aren't in it."""
    anchors = Anchors(article)
    findings: list[Finding] = []
    for item in answer.findings:
        anchor = anchors.find(item.quote, paragraph=item.paragraph - 1)
        if anchor is None:
            continue
        findings.append(
            make_finding(
                article,
                anchor.start,
                anchor.end,
                guideline=guideline.id,
                severity=guideline.severity,
                message=item.explanation.strip() or guideline.title,
                method=Method.MODEL,
                suggestions=(item.suggestion,) if item.suggestion.strip() else (),
            )
        )
    return tuple(findings), len(answer.findings) - len(findings)


def _verdict(guideline: Guideline, findings: tuple[Finding, ...], *, method: Method, reason: str = "") -> Check:
    verdict = Verdict.FINDINGS if findings else Verdict.CLEAR
    return Check(guideline=guideline.id, verdict=verdict, findings=findings, method=method, reason=reason)
