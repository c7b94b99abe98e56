"""A gate's decision on a terminal, as Markdown for a pull request, and as one HTML page that stands alone."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.claims import Ruling, Verdict
from evaluation.decision_record import DecisionRecord
from evaluation.gate import Decision, Outcome
from evaluation.paired import Measure
from evaluation.reasons import Weight, counted
from pipelines.output.comparison import VERDICT_STYLES
from pipelines.output.html import TEMPLATES

OUTCOME_STYLES = {Outcome.PROMOTE: "bold green", Outcome.BLOCK: "bold red", Outcome.INCONCLUSIVE: "bold yellow"}
MARKS = {Weight.AGAINST: "✗", Weight.OPEN: "?", Weight.FOR: "✓", Weight.NOTE: "·"}
REASON_STYLES = {Weight.AGAINST: "red", Weight.OPEN: "yellow", Weight.FOR: "green", Weight.NOTE: "dim"}


def headline(decision: Decision) -> str:
    against = f" against {decision.comparison.champion.ref}" if decision.comparison else ", the first champion"
    challenger = decision.challenger
    return f"{challenger.ref[0].upper()}{challenger.ref[1:]}{against}, on {challenger.where}"


def print_decision(console: Console, decision: Decision) -> None:
    console.print(Text(decision.outcome, OUTCOME_STYLES[decision.outcome]))
    console.print(Text(headline(decision), "bold"))
    console.print()
    for reason in decision.reasons:
        console.print(Text(f"{MARKS[reason.weight]} {reason.text}", REASON_STYLES[reason.weight]), soft_wrap=True)
    if not decision.rulings:
        return
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Claim: no worse", overflow="fold")
    table.add_column("Verdict", no_wrap=True)
    for column in ("Change", "Margin", "Can see", "Missing"):
        table.add_column(column, justify="right", no_wrap=True)
    shown = [one for one in decision.rulings if one.claim.deciding or one.verdict is not Verdict.NO_WORSE]
    for ruling in shown:
        table.add_row(ruling.name, Text(ruling.verdict, VERDICT_STYLES[ruling.verdict]), *_numbers(ruling))
    console.print(table)
    if len(shown) < len(decision.rulings):
        console.print(f"{counted(len(decision.rulings) - len(shown), 'other claim')} that decide nothing: no worse.")
    console.print(
        "Changes are points of recall, or false alarms per 1,000 words; more is better. Can see: the smallest drop "
        "that this set rules out. Missing: labelled article groups that the margin takes besides.",
        style="dim",
        soft_wrap=True,
    )


def decision_markdown(decision: Decision, record: DecisionRecord) -> str:
    lines = [f"## {decision.outcome}: {headline(decision)}", ""]
    lines += [f"- {MARKS[reason.weight]} {reason.text}" for reason in decision.reasons]
    if decision.rulings:
        lines += ["", "| Claim: no worse | Tier | Verdict | Change | Margin | Can see | Missing groups |"]
        lines += ["|---|---|---|---:|---:|---:|---:|"]
        lines += [f"| {r.name} | {r.claim.tier} | {_bold(r)} | {' | '.join(_numbers(r))} |" for r in decision.rulings]
    lines += ["", *(f"`{name}` {value}  " for name, value in digests(record)), ""]
    return "\n".join(lines)


def decision_page(decision: Decision, record: DecisionRecord) -> str:
    return TEMPLATES.get_template("decision.html").render(
        headline=headline(decision),
        outcome=decision.outcome,
        reasons=[(reason, MARKS[reason.weight]) for reason in decision.reasons],
        rulings=[(ruling, _numbers(ruling)) for ruling in decision.rulings],
        digests=digests(record),
        record=record,
    )


def digests(record: DecisionRecord) -> list[tuple[str, str]]:
    """What the decision rests on, by digest."""
    rows = [
        ("set", f"{record.set_name} {record.split} {record.set_digest[:12]}"),
        ("policy", f"{record.policy.name} {record.policy_digest[:12]}"),
        ("challenger", f"{record.challenger.version.digest[:12]}, run {record.challenger.run}"),
        ("code", record.challenger.version.code_digest[:12]),
    ]
    if record.champion:
        rows.insert(3, ("champion", f"{record.champion.version.digest[:12]}, run {record.champion.run}"))
    return rows


def _numbers(ruling: Ruling) -> list[str]:
    missing = "–" if ruling.verdict is Verdict.NO_WORSE or not ruling.missing else f"{ruling.missing:,}"
    values = (ruling.change, ruling.claim.margin, ruling.smallest)
    change, margin, smallest = (_unit(ruling, value) for value in values)
    return [f"+{change}" if ruling.change and ruling.change > 0 else change, margin, smallest, missing]


def _unit(ruling: Ruling, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 100:.1f}" if ruling.claim.pair.measure is Measure.PROPORTION else f"{value:.2f}"


def _bold(ruling: Ruling) -> str:
    return f"**{ruling.verdict}**" if ruling.verdict is Verdict.WORSE else str(ruling.verdict)
