"""A judge's figures on a terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation.calibration import verdict
from evaluation.judged import Criterion
from evaluation.judgement import CriterionFigures, Judgement
from evaluation.record import Evaluation
from pipelines.output.evaluation import interval

ASKED = {
    Criterion.FAITHFULNESS: "Messages say what is in the article",
    Criterion.SUGGESTION: "Suggestions keep the meaning, mend, read well",
    Criterion.QUOTE: "Quotes show what breaks the guideline",
}


def print_judgement(console: Console, evaluation: Evaluation, result: Judgement) -> None:
    subject = f"{evaluation.ref[0].upper()}{evaluation.ref[1:]} on {evaluation.where}"
    console.print(Text(f"{subject}, judged by {result.model}", "bold"))
    console.print(Text(f"{result.findings:,} of {result.written:,} findings that a model wrote", "dim"))
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Criterion", no_wrap=True)
    for column in ("Judged", "Failed", "Good, %", "Score", "Kappa"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in result.criteria:
        table.add_row(*_row(one))
    console.print(table)
    console.print()
    for one in result.criteria:
        console.print(_trust(one), soft_wrap=True)
    console.print(
        "Intervals are of 95 %, clustered by article group; what the judge failed at is in none of them. These are "
        "secondary figures: no gate reads them.",
        soft_wrap=True,
    )
    if result.model == evaluation.model:
        console.print("The judge is the model that wrote the findings: it may well be lenient.", style="yellow")


def _row(one: CriterionFigures) -> tuple[str, ...]:
    kappa = "uncalibrated"
    if one.calibration is not None:
        kappa = _bounded(one.calibration.kappa, one.calibration.low, one.calibration.high)
    good = interval(one.good).replace(" %", "")
    score = _bounded(one.score.value, one.score.low, one.score.high)
    return str(one.criterion), f"{one.judged:,}", f"{one.failed:,}", good, score, kappa


def _bounded(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f}–{high:.2f})"


def _trust(one: CriterionFigures) -> str:
    agreed = f", agrees with the person on {interval(one.calibration.agreement)}" if one.calibration else ""
    return f"{ASKED[one.criterion]}: {verdict(one.calibration)}{agreed}."
