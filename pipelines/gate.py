"""Compares two versions and decides by a policy; decisions are kept in MLflow."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from evaluation.comparison import compare
from evaluation.decision_record import DecisionRecord, as_run, record_of, statement_of
from evaluation.gate import decide
from evaluation.labels import LabelError
from evaluation.noise import noise_of
from evaluation.policy import Policy, read_policy
from evaluation.record import Evaluation
from pipelines.evaluate import choose, evaluation_of
from pipelines.output.comparison import comparison_page, print_comparison
from pipelines.output.decision import decision_markdown, decision_page, print_decision
from pipelines.person import person
from pipelines.refusal import EXIT_CODES
from registry.aliases import champion as named_champion
from registry.connection import Registry, without_password
from registry.decisions import write_statement
from registry.errors import NoSigningKey, NoTrustedKeys
from registry.evaluations import DECISIONS, LoggedRun, count_looks, log_run, read_evaluation
from registry.standing import standing
from registry.statement import NO_CHAMPION
from registry.versions import number_of

DEFAULT_POLICY = Path(__file__).parent.parent / "evaluation" / "policies" / "house.yaml"
_RUN_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Evidence:
    """An evaluation and the MLflow run it was read from."""

    evaluation: Evaluation
    run: str


def evidence_of(registry: Registry, ref: str, labels: Path | None, split: str, console: Console) -> Evidence:
    """The evaluation of a version (number or alias, with `labels`), or the one of a run id.

    A version that wasn't evaluated on this version of the set yet is evaluated now.
    """
    if _RUN_ID.fullmatch(ref):
        return Evidence(Evaluation.load(read_evaluation(registry, ref), f"run {ref}"), ref)
    if labels is None:
        raise LabelError(f"name a labelled set with --set to compare version {ref!r}, or name runs of evaluations")
    subject = choose(registry, ref, None, "", ())
    evaluation, run = evaluation_of(subject, labels, split=split, registry=registry, console=console)
    if subject.version:  # the same version may have been evaluated from files, before it had a number
        evaluation = evaluation.model_copy(update={"version": subject.version.stamp})
    return Evidence(evaluation, run)


def compare_versions(
    registry: Registry, a: str, b: str, labels: Path | None, split: str, console: Console, out: Path | None
) -> None:
    """Shows what changed from `a` to `b`."""
    before = evidence_of(registry, a, labels, split, console)
    after = evidence_of(registry, b, labels, split, console)
    comparison = compare(before.evaluation, after.evaluation)
    noise = noise_of(comparison)
    print_comparison(console, comparison, noise)
    if out:
        out.write_text(comparison_page(comparison, noise), encoding="utf-8")


def run_gate(
    registry: Registry,
    champion: str | None,
    challenger: str,
    policy: Policy,
    labels: Path | None,
    split: str,
    console: Console,
    *,
    markdown: Path | None = None,
    out: Path | None = None,
) -> int:
    """Decides, shows and keeps the decision; returns the exit code.

    Without `champion` it is the one that signed records name, and floors alone decide where there is none.
    """
    if champion is None:
        champion = _champion(registry, console)
    before = evidence_of(registry, champion, labels, split, console) if champion else None
    after = evidence_of(registry, challenger, labels, split, console)
    pair = (before.evaluation.version.digest if before else NO_CHAMPION, after.evaluation.version.digest)
    looks = count_looks(registry, after.evaluation.set_digest, besides=pair)
    with console.status("Weighing the evidence …"):
        decision = decide(before.evaluation if before else None, after.evaluation, policy, looks=looks)
    who = person()
    record = record_of(
        decision,
        champion_run=before.run if before else "",
        challenger_run=after.run,
        made=datetime.now(UTC),
        who=who.name,
        signed_in=who.signed_in,
    )
    as_markdown, page = decision_markdown(decision, record), decision_page(decision, record)
    logged = as_run(record, after.evaluation, source=str(labels or ""), markdown=as_markdown, html=page)
    run_id = log_run(registry, DECISIONS, logged)
    print_decision(console, decision)
    if markdown:
        markdown.write_text(as_markdown, encoding="utf-8")
    if out:
        out.write_text(page, encoding="utf-8")
    console.print(f"Decision {run_id} in {without_password(registry.uri)}", style="dim", soft_wrap=True)
    _sign(registry, record, logged, run_id, console)
    return EXIT_CODES[decision.outcome]


def _champion(registry: Registry, console: Console) -> str | None:
    try:
        there = standing(registry)
    except NoTrustedKeys as error:  # in a pull request nobody may have keys
        named = named_champion(registry)
        said = f"Held against version {named.number}, which the alias names" if named else "Held against no champion"
        console.print(Text(f"{said}, unverified: {error}", "yellow"), soft_wrap=True)
        return str(named.number) if named else None
    if there.refusal:
        console.print(Text(f"Workers refuse what the registry says: {there.refusal}", "yellow"), soft_wrap=True)
    return str(there.champion.version.number) if there.champion else None


def _sign(registry: Registry, record: DecisionRecord, logged: LoggedRun, run_id: str, console: Console) -> None:
    """Signs the decision, or says why nothing can be promoted by it."""
    number = number_of(registry, record.challenger.version.digest)
    if number is None:
        console.print("Not signed, as this version isn't registered: `copydesk register` it to promote it", style="dim")
        return
    try:
        signed = write_statement(registry, statement_of(record, logged, run=run_id, number=number))
    except NoSigningKey as error:  # a decision is worth having without one, such as in a pull request
        console.print(Text(f"Not signed, so no promotion can rest on it: {error}", "yellow"), soft_wrap=True)
        return
    console.print(f"Signed as record {signed.id} with key {signed.key}", style="dim", soft_wrap=True)


def policy_of(path: Path | None) -> Policy:
    """The policy of a file, or the one that comes with the pack `house`."""
    return read_policy(path or DEFAULT_POLICY)
