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
    for column in ("Judged", "Failed", "Good (95 %)", "Score (95 %)", "Calibration"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in result.criteria:
        table.add_row(*_row(one))
    console.print(table)
    console.print()
    for one in result.criteria:
        console.print(f"{ASKED[one.criterion]}: {verdict(one.calibration)}.", soft_wrap=True)
    console.print(
        "Intervals are clustered by article group; what the judge failed at is in none of them. These are secondary "
        "figures: no gate reads them.",
        soft_wrap=True,
    )
    if result.model == evaluation.model:
        console.print("The judge is the model that wrote the findings: such a judge is lenient.", style="yellow")


def _row(one: CriterionFigures) -> tuple[str, ...]:
    return (
        one.criterion,
        f"{one.judged:,}",
        f"{one.failed:,}",
        interval(one.good),
        _score(one),
        _kappa(one),
    )


def _score(one: CriterionFigures) -> str:
    score = one.score
    if score.value is None:
        return "–"
    known = score.low is not None and score.high is not None
    return f"{score.value:.2f} ({score.low:.2f}–{score.high:.2f})" if known else f"{score.value:.2f}"


def _kappa(one: CriterionFigures) -> str:
    if one.calibration is None:
        return "uncalibrated"
    kappa = one.calibration.kappa
    agreed = interval(one.calibration.agreement)
    return f"{agreed} agree" if kappa is None else f"{agreed} agree, κ {kappa:.2f}"
