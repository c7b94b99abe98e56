"""What each link of the chain says, without its looks."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from agent.check import AnsweredBy, Usage
from agent.finding import Method
from agent.report import ComplianceReport
from agent.spec import ModelSpec
from pipelines.output.lineage import LOUD, MISSING, links, print_lineage
from pipelines.why import InMlflow
from registry.statement import Kind
from serving.evidence import Evidence, Expiry, Figure, GuidelineEvidence
from serving.feedback import Action, Decision, Entry, Reason
from serving.job import Job
from serving.lineage import Lineage, lineage_of
from serving.rulings import GateDecision, decision_of
from tests.agent.build import pack
from tests.serving.build import NOW, evidence, job, report, request, served, story
from tests.serving.decided import Fares, decision_json, evaluated

NAMES = ["words", "guideline", "method", "agent", "evaluation", "decision", "promotion", "MLflow", "editors"]
M1 = AnsweredBy(model="m-1", fingerprint="fp")
MLFLOW = InMlflow(run="r9", run_page="http://mlflow/#/r9", trace="tr-1", trace_page="http://mlflow/#/tr-1")
JOB = job(request=request(document_id="d"))
KNOWN = Figure(value=0.9, low=0.8, high=0.95)


def measured() -> Evidence:
    figures = GuidelineEvidence(guideline="attribution", labelled=40, recall=KNOWN, precision=KNOWN, false_alarms=KNOWN)
    return evidence().model_copy(update={"figures": (figures,), "evaluation": "e1", "answered_by": (M1,)})


def forced() -> Evidence:
    found = evidence()
    statement = found.statement.model_copy(
        update={"kind": Kind.FORCED, "run": "", "outcome": "", "reason": "first start"}
    )
    assert found.promotion
    promotion = found.promotion.model_copy(update={"kind": Kind.FORCED, "evidence": statement.evidence})
    return found.model_copy(update={"statement": statement, "promotion": promotion, "figures": ()})


def judged(made: ComplianceReport) -> ComplianceReport:
    """As if a model had found what patterns did."""
    usage = Usage(calls=1, answered_by=(M1,))
    outcomes = tuple(one.model_copy(update={"method": Method.MODEL, "usage": usage}) for one in made.outcomes)
    findings = tuple(one.model_copy(update={"method": Method.MODEL}) for one in made.findings)
    return made.model_copy(update={"outcomes": outcomes, "findings": findings})


async def lineage(
    found: Evidence | None = None,
    *,
    made: ComplianceReport | None = None,
    kept: bool = True,
    of: Job = JOB,
    decision: GateDecision | None = None,
) -> Lineage:
    made = made or await report()
    version = replace(
        served(),
        evidence=found,
        prompts={"attribution": "prompts:/test.attribution/3"},
        model=ModelSpec(deployment="m"),
    )
    finding = next(one for one in made.findings if one.guideline == "attribution")
    return lineage_of(
        of,
        made,
        finding,
        article=story() if kept else None,
        served=version if found else None,
        decision=decision,
        run="r9",
        entries=(),
    )


def said(chain: Lineage, name: str, logged: InMlflow = MLFLOW) -> str:
    link = next(link for link in links(chain, logged) if link.name == name)
    return "\n".join(line.plain for line in link.lines)


async def test_the_chain_goes_from_the_words_to_what_editors_said() -> None:
    chain = await lineage(measured(), made=judged(await report()))
    assert [link.name for link in links(chain, MLFLOW)] == NAMES
    assert said(chain, "words").startswith("Of course experts say so.\nWho says so?")
    assert "prompt test.attribution, version 3 · digest " in said(chain, "guideline")
    assert "deployment m · temperature 0.0, seed 7" in said(chain, "method")
    assert "answered by m-1 (fp)" in said(chain, "method")
    assert said(chain, "agent").startswith("version 1 of copydesk-agent\ndigest ")
    assert "precision 0.90 [0.80, 0.95], recall 0.90 [0.80, 0.95] on 40 labelled" in said(chain, "evaluation")
    assert "MLflow run e1" in said(chain, "evaluation")
    assert said(chain, "decision").startswith(
        "PROMOTE, the first champion, held to the floors\nby ada, approved by eve"
    )
    assert said(chain, "promotion").startswith("first, 2026-11-23 12:00 UTC by bob")
    assert said(chain, "MLflow").splitlines() == ["run r9", "http://mlflow/#/r9", "trace tr-1", "http://mlflow/#/tr-1"]
    assert (said(chain, "editors"), chain.gaps) == ("nothing yet", ())


async def test_force_is_loud_and_named_with_its_reason() -> None:
    chain = await lineage(forced())
    assert said(chain, "evaluation") == "none: forced by ada, 'first start'"
    assert said(chain, "decision") == "none: no gate said that it may serve"
    assert said(chain, "promotion").startswith("FORCED, 2026-11-23 12:00 UTC by bob, the first champion\nfirst start")
    styles = {link.name: link.style for link in links(chain, MLFLOW)}
    assert (styles["evaluation"], styles["promotion"]) == (MISSING, LOUD)


async def test_what_serves_a_share_shows_its_evaluation_and_decision_and_no_promotion() -> None:
    chain = await lineage(measured().model_copy(update={"promotion": None}))
    assert "MLflow run e1" in said(chain, "evaluation")
    assert said(chain, "decision").startswith("PROMOTE, the first champion")
    assert (chain.promoted, [gap for gap in chain.gaps if "promotion" in gap]) == (
        None,
        ["no promotion stands behind version 1: by its decision it serves a share of the articles, in a rollout"],
    )


async def test_the_decision_is_told_with_the_ruling_on_the_guideline() -> None:
    champion, challenger = (evaluated(n, pack(), {"attribution": Fares(m, 0, n)}) for n, m in (("1", 0), ("2", 40)))
    decision = decision_of(decision_json(champion, challenger))
    lines = said(await lineage(measured(), decision=decision), "decision").splitlines()
    assert re.fullmatch(
        r"attribution: recall worse, false alarms no worse "
        r"\(change of recall -0\.33 \[-0\.\d\d, -0\.\d\d\], margin 0\.1; "
        r"of false alarms 0\.00 \[-0\.\d\d, 0\.\d\d\], margin 0\.1\)",
        lines[1],
    )
    unchanged = decision_of(decision_json(champion, champion.model_copy(update={"version": challenger.version})))
    lines = said(await lineage(measured(), decision=unchanged), "decision").splitlines()
    assert lines[1] == "attribution: unchanged: judges as before"


async def test_after_going_back_what_was_decided_then_is_told() -> None:
    before = measured()
    back = before.model_copy(
        update={"statement": before.statement.model_copy(update={"kind": Kind.ROLLBACK, "champion": None})}
    )
    assert said(await lineage(back), "decision").splitlines()[0] == "PROMOTE"
    champion, challenger = (evaluated(n, pack(), {"attribution": Fares(m, 0, n)}) for n, m in (("1", 0), ("2", 40)))
    against = decision_of(decision_json(champion, challenger))
    assert said(await lineage(back, decision=against), "decision").startswith("PROMOTE, against version 1\n")
    first = decision_of(decision_json(None, champion))
    assert said(await lineage(back, decision=first), "decision").startswith("PROMOTE, the first champion, held to")


async def test_evidence_that_has_expired_is_loud() -> None:
    expiry = Expiry(since=NOW + timedelta(days=1), reason="m-2 answered")
    chain = await lineage(measured().model_copy(update={"expired": expiry, "noted": (AnsweredBy(model="m-2"),)}))
    assert "since then also by m-2\nEXPIRED since 2026-11-24 12:00 UTC: m-2 answered" in said(chain, "evaluation")


async def test_what_is_not_known_is_said() -> None:
    chain = await lineage(kept=False)
    assert "(the article is no longer kept)" in said(chain, "words")
    assert [said(chain, name) for name in ("evaluation", "decision")] == ["not known here"] * 2
    assert said(chain, "promotion") == "forced: a test"
    assert len(chain.gaps) == 3
    fault = said(chain, "MLflow", InMlflow(fault="MLflow at x can't be reached"))
    assert fault == "run r9\nMLflow at x can't be reached"


async def test_a_verdict_that_was_kept_says_that_nobody_knows_what_answered() -> None:
    made = judged(await report())
    outcomes = tuple(one.model_copy(update={"usage": Usage(), "kept": 2}) for one in made.outcomes)
    chain = await lineage(measured(), made=made.model_copy(update={"outcomes": outcomes}))
    assert "kept from an earlier check; what answered then was not" in said(chain, "method")


async def test_editors_are_told_one_after_the_other() -> None:
    decision = Decision("f", Action.DISMISS, Reason.QUOTATION, "The minister said so.")
    entry = Entry("ada", "id:d", "attribution", decision, "a", "1", NOW)
    made = await report()
    finding = next(one for one in made.findings if one.guideline == "attribution")
    chain = lineage_of(JOB, made, finding, article=None, served=None, decision=None, run="", entries=[entry])
    assert said(chain, "editors") == "dismissed, quotation by ada, 2026-11-23 12:00 UTC: The minister said so."


@pytest.mark.parametrize("width", [60, 120])
async def test_each_line_hangs_on_the_chain(width: int) -> None:
    console = Console(width=width, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as shown:
        print_lineage(console, await lineage(measured()), MLFLOW, [job("b")])
    lines = shown.get().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("● words"))
    end = next(number for number, line in enumerate(lines) if line.startswith("● editors"))
    assert all(line.startswith(("●", "│")) for line in lines[begin:end])
    assert max(map(len, lines)) <= width
    assert "the same finding stands in 1 other check" in " ".join(shown.get().split())
