"""Two versions side by side, on a terminal and as one HTML page that stands alone."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.claims import Verdict
from evaluation.comparison import Comparison, GuidelineChange, Status
from evaluation.estimates import Estimate
from evaluation.paired import Measure, Paired
from pipelines.output.evaluation import percent
from pipelines.output.html import TEMPLATES

Z = 1.959964
VERDICT_STYLES = {
    Verdict.NO_WORSE: "green",
    Verdict.WORSE: "bold red",
    Verdict.DROP: "yellow",
    Verdict.NOT_ENOUGH: "yellow",
}


@dataclass(frozen=True, slots=True)
class Shift:
    """A change with its 95 % interval, for showing; more is better."""

    change: float | None
    low: float | None
    high: float | None
    measure: Measure
    is_noise: bool

    @property
    def text(self) -> str:
        if self.change is None or self.low is None or self.high is None:
            return "–"
        if self.measure is Measure.PROPORTION:
            shown = f"{self.change * 100:+.1f} ({self.low * 100:+.1f} to {self.high * 100:+.1f})"
        else:
            shown = f"{0 - self.change:+.2f} ({0 - self.high:+.2f} to {0 - self.low:+.2f})"
        return f"{shown} ≈" if self.is_noise else shown


def shift(pair: Paired | None, floor: float = 0.0) -> Shift:
    """The change of a pair, marked as noise where it stays under the floor of the repeats."""
    if pair is None or pair.change is None:
        return Shift(None, None, None, Measure.PROPORTION, False)
    low, high = pair.bounds(Z)
    is_noise = floor > 0 and pair.change != 0 and abs(pair.change) < floor
    return Shift(pair.change, low, high, pair.measure, is_noise)


def headline(comparison: Comparison) -> str:
    champion, challenger = comparison.champion, comparison.challenger
    return f"{challenger.ref[0].upper()}{challenger.ref[1:]} against {champion.ref}, on {champion.where}"


def summary(comparison: Comparison, noise: dict[str, float]) -> list[str]:
    before, after = comparison.before, comparison.after
    counts = {status: sum(c.status is status for c in comparison.guidelines) for status in Status}
    lines = [
        ", ".join(f"{count} {status}" for status, count in counts.items() if count) + " guidelines.",
        f"Recall {_from_to(before.overall.recall, after.overall.recall)}, "
        f"precision {_from_to(before.overall.precision, after.overall.precision)}, "
        f"false alarms per 1,000 words {_number(before.overall.false_alarms)} → {_number(after.overall.false_alarms)}.",
    ]
    verdicts = f"Only the first gets the colour of {comparison.verdicts_lost} articles right, only the second of "
    verdicts += f"{comparison.verdicts_won}"
    lines.append(f"{verdicts} (McNemar, p = {comparison.mcnemar_p:.3f})." if comparison.mcnemar_p else f"{verdicts}.")
    if noise:
        lines.append("≈ marks a change that two runs of one version would show as well.")
    if before.cost or after.cost:
        lines.append(f"Cost {_money(before.cost)} → {_money(after.cost)}.")
    return lines


def print_comparison(console: Console, comparison: Comparison, noise: dict[str, float]) -> None:
    console.print(Text(headline(comparison), "bold"))
    for line in summary(comparison, noise):
        console.print(line, soft_wrap=True)
    console.print()
    changed = [c for c in comparison.guidelines if c.status is not Status.UNCHANGED]
    if not changed:
        console.print("Every guideline judges as before.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Guideline", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Recall, points (95 %)", justify="right", no_wrap=True)
    table.add_column("False alarms (95 %)", justify="right", no_wrap=True)
    for change in changed:
        table.add_row(*_row(change, noise))
    console.print(table)


def comparison_page(comparison: Comparison, noise: dict[str, float]) -> str:
    return TEMPLATES.get_template("comparison.html").render(
        headline=headline(comparison),
        summary=summary(comparison, noise),
        rows=[
            (change, shift(change.recall, noise.get(change.id, 0.0)), shift(change.false_alarms))
            for change in comparison.guidelines
        ],
    )


def _row(change: GuidelineChange, noise: dict[str, float]) -> list[str | Text]:
    recall = shift(change.recall, noise.get(change.id, 0.0))
    status = "" if change.status is Status.CHANGED else str(change.status)
    return [change.id, Text(status, "dim"), _coloured(recall), _coloured(shift(change.false_alarms))]


def _coloured(shown: Shift) -> Text:
    if shown.low is None or shown.high is None or shown.is_noise:
        return Text(shown.text, "dim")
    style = "green" if shown.low > 0 else "red" if shown.high < 0 else ""
    return Text(shown.text, style)


def _from_to(before: Estimate, after: Estimate) -> str:
    return f"{percent(before.value)} → {percent(after.value)}"


def _number(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.2f}"


def _money(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
