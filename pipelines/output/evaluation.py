"""An evaluation's figures on a terminal, as Markdown and as one HTML page that stands alone."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.finding import Severity
from evaluation.estimates import Estimate
from evaluation.metrics import EvaluationFigures, Figures, GuidelineFigures
from evaluation.record import Evaluation
from pipelines.output.html import TEMPLATES
from pipelines.output.text import STYLES


def print_evaluation(console: Console, evaluation: Evaluation, figures: EvaluationFigures) -> None:
    console.print(Text(headline(evaluation), "bold"))
    console.print(Text(facts(evaluation, figures), "dim"))
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Guideline", no_wrap=True, min_width=22)
    for column in ("Labels", "Recall (95 %)", "Alarms", "Prec.", "F1", "Neg."):
        table.add_column(column, justify="right", no_wrap=True)
    for guideline in figures.guidelines:
        table.add_row(*_row(guideline))
    table.add_section()
    table.add_row(Text("All", "bold"), *_cells(figures.overall))
    console.print(table)
    console.print()
    for line in summary(evaluation, figures):
        console.print(line, soft_wrap=True)


def headline(evaluation: Evaluation) -> str:
    with_model = f", model {evaluation.model}" if evaluation.model else ", without a model"
    return f"{evaluation.ref[0].upper()}{evaluation.ref[1:]}{with_model}, on {evaluation.where}"


def facts(evaluation: Evaluation, figures: EvaluationFigures) -> str:
    repeats = f", {evaluation.repeats} times" if evaluation.repeats > 1 else ""
    return (
        f"{figures.articles:,} articles of {figures.groups:,} groups, {figures.words:,} words, "
        f"{figures.overall.gold:,.0f} labelled violations{repeats}; set {evaluation.set_digest[:12]}, "
        f"version {evaluation.version.digest[:12]}"
    )


def summary(evaluation: Evaluation, figures: EvaluationFigures) -> list[str]:
    """What the table has no column for."""
    lines = [
        f"Macro F1 {percent(figures.macro_f1)}, macro recall {percent(figures.macro_recall)}, "
        f"partial-overlap F1 {percent(figures.overall.partial.f1)}. "
        "Alarms are false ones per 1,000 words; Neg. is the part of the hard negatives that is marked; intervals are "
        "clustered by article group.",
        f"Right colour for {interval(figures.verdict_accuracy)} of the articles; the score is off by "
        f"{_points(figures.score_error)} of 100 on average.",
    ]
    if figures.unanchored is not None and evaluation.model:
        lines.append(f"{figures.unanchored:.1%} of the quotes given are not in the article.")
    if figures.failed or figures.incomplete:
        lines.append(
            f"{figures.failed:,} of {figures.checks:,} checks failed or fell back, in {figures.incomplete:,} articles: "
            "they are left out of every figure."
        )
    if figures.calls:
        cost = "cost unknown" if figures.cost is None else f"cost {figures.cost:.2f}"
        lines.append(
            f"{figures.calls:,} calls, {figures.input_tokens:,} tokens in, {figures.output_tokens:,} out, {cost}; "
            f"an article takes {figures.seconds_p50:.1f} s, p95 {figures.seconds_p95:.1f} s."
        )
    return lines


def evaluation_page(evaluation: Evaluation, figures: EvaluationFigures) -> str:
    return TEMPLATES.get_template("evaluation.html").render(
        headline=headline(evaluation),
        facts=facts(evaluation, figures),
        summary=summary(evaluation, figures),
        figures=figures,
        interval=interval,
        percent=percent,
        alarms=alarms,
    )


def evaluation_markdown(evaluation: Evaluation, figures: EvaluationFigures) -> str:
    lines = [f"**{headline(evaluation)}.** {facts(evaluation, figures)}.", ""]
    lines += ["| guideline | severity | labels | recall, % (95 %) | false alarms | precision | F1 | negatives hit |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---:|"]
    lines += [
        f"| {guideline.id} | {guideline.severity} | {' | '.join(_cells(guideline.figures))} |"
        for guideline in figures.guidelines
    ]
    lines += [f"| **all** | | {' | '.join(_cells(figures.overall))} |", "", *summary(evaluation, figures)]
    return "\n".join(lines) + "\n"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f} %"


def interval(estimate: Estimate) -> str:
    """A proportion with its interval, in per cent."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return percent(estimate.value)
    return f"{estimate.value * 100:.0f} % ({estimate.low * 100:.0f}–{estimate.high * 100:.0f})"


def alarms(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.2f}"


def _row(guideline: GuidelineFigures) -> list[str | Text]:
    style = STYLES[guideline.severity] if guideline.severity is not Severity.ADVICE else ""
    return [Text(guideline.id, style), *_cells(guideline.figures)]


def _cells(figures: Figures) -> list[str]:
    return [
        f"{figures.gold:,.0f}",
        _short(figures.recall),
        alarms(figures.false_alarms),
        _whole(figures.precision.value),
        _whole(figures.f1.value),
        _whole(figures.negatives_hit.value),
    ]


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.0f}"


def _short(estimate: Estimate) -> str:
    return interval(estimate).replace(" %", "")


def _points(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.1f}"
