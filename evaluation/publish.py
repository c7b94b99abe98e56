"""An evaluation as an MLflow run: what is a tag, a parameter, a metric, a table."""

from typing import Any

from evaluation.estimates import Estimate
from evaluation.metrics import EvaluationFigures, Figures, confusion
from evaluation.record import Evaluation
from registry.evaluations import (
    CODE_DIGEST,
    EVALUATION_ID,
    PACK,
    RECORD_ARTIFACT,
    SET,
    SET_DIGEST,
    SPLIT,
    VERSION,
    VERSION_DIGEST,
    LabelledData,
    LoggedRun,
    numbers,
)

ARTICLES_TABLE = "articles.json"
GUIDELINES_TABLE = "guidelines.json"
CONFUSION = "confusion.json"
REPORT = "report.html"


def as_run(
    evaluation: Evaluation,
    figures: EvaluationFigures,
    *,
    source: str,
    model_source: str,
    prompts: dict[str, str],
    html: str,
) -> LoggedRun:
    """`source` is the set's path, `model_source` the registered model's address, `prompts` guideline id -> URI."""
    version = evaluation.version
    params = {
        VERSION: version.number or "unregistered",
        PACK: version.pack,
        "model": evaluation.model or "none",
        "repeats": str(evaluation.repeats),
        "articles": str(figures.articles),
        "guidelines": str(len(evaluation.guidelines)),
        **({"prompts": ",".join(prompts.values())} if prompts else {}),
        **({"answered_by": _answered_by(evaluation)} if evaluation.answered_by else {}),
    }
    return LoggedRun(
        name=f"{evaluation.ref} on {evaluation.where}",
        tags=identity(evaluation),
        params=params,
        metrics=metrics(figures),
        data=data_of(evaluation, source),
        model_source=model_source,
        texts={REPORT: html},
        tables={
            ARTICLES_TABLE: article_table(evaluation),
            GUIDELINES_TABLE: guideline_table(figures),
            CONFUSION: _confusion_table(evaluation),
        },
        files={RECORD_ARTIFACT: evaluation.dump()},
        started=evaluation.started,
        finished=evaluation.finished,
    )


def identity(evaluation: Evaluation) -> dict[str, str]:
    """Tags that tell an evaluation from others."""
    return {
        EVALUATION_ID: evaluation.id,
        VERSION_DIGEST: evaluation.version.digest,
        CODE_DIGEST: evaluation.version.code_digest,
        SET: evaluation.set_name,
        SPLIT: evaluation.split,
        SET_DIGEST: evaluation.set_digest,
    }


def data_of(evaluation: Evaluation, source: str) -> LabelledData:
    return LabelledData(
        name=evaluation.set_name,
        split=evaluation.split,
        digest=evaluation.set_digest,
        source=source,
        articles=len(evaluation.articles),
        words=sum(article.words for article in evaluation.articles),
    )


def metrics(figures: EvaluationFigures) -> dict[str, float]:
    """Overall figures by name, those of a guideline as `recall/ID`; what is undefined is left out."""
    values: dict[str, float | None] = {
        **_figures(figures.overall, ""),
        "macro_f1": figures.macro_f1,
        "macro_recall": figures.macro_recall,
        **_bounds("verdict_accuracy", figures.verdict_accuracy),
        **_bounds("score_error", figures.score_error),
        "unanchored_rate": figures.unanchored,
        "checks": figures.checks,
        "checks_failed": figures.failed,
        "reports_incomplete": figures.incomplete,
        "cost": figures.cost,
        "model_calls": figures.calls,
        "input_tokens": figures.input_tokens,
        "output_tokens": figures.output_tokens,
        "seconds_p50": figures.seconds_p50,
        "seconds_p95": figures.seconds_p95,
    }
    for guideline in figures.guidelines:
        one = guideline.figures
        values |= {
            f"recall/{guideline.id}": one.recall.value,
            f"false_alarms_per_1000_words/{guideline.id}": one.false_alarms.value,
            f"precision/{guideline.id}": one.precision.value,
            f"f1/{guideline.id}": one.f1.value,
        }
    return numbers(values)


def guideline_table(figures: EvaluationFigures) -> dict[str, list[Any]]:
    """One row a guideline, each figure with the ends of its 95 % interval."""
    rows = []
    for guideline in figures.guidelines:
        one = guideline.figures
        row: dict[str, Any] = {
            "guideline": guideline.id,
            "category": guideline.category,
            "severity": str(guideline.severity),
            "violations": one.gold,
            "hard_negatives": one.negatives,
        }
        for name, estimate in (
            ("recall", one.recall),
            ("false_alarms_per_1000_words", one.false_alarms),
            ("precision", one.precision),
            ("f1", one.f1),
            ("exact_recall", one.exact_recall),
            ("hard_negatives_hit", one.negatives_hit),
        ):
            row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
        row |= {"partial_overlap_f1": one.partial.f1, "checks_failed": one.failed}
        rows.append(row)
    return _columns(rows)


def article_table(evaluation: Evaluation) -> dict[str, list[Any]]:
    """One row an article and repeat."""
    rows = []
    for result in evaluation.results:
        labels = evaluation.labels[result.article]
        rows.append(
            {
                "article": result.article,
                "group": labels.group,
                "repeat": result.repeat,
                "status": str(result.status),
                "score": result.score,
                "labelled_score": labels.score,
                "band": str(result.band) if result.band else None,
                "labelled_band": str(labels.band),
                "violations": sum(map(len, labels.gold.values())),
                "findings": sum(len(one.predicted) for one in result.guidelines.values()),
                "seconds": result.seconds,
                "cost": result.usage.cost,
            }
        )
    return _columns(rows)


def _answered_by(evaluation: Evaluation) -> str:
    return ", ".join(f"{each.model} {each.fingerprint}".strip() for each in evaluation.answered_by)


def _confusion_table(evaluation: Evaluation) -> dict[str, list[Any]]:
    rows = [
        {"labelled": labelled, "marked_by": marked, "times": times}
        for labelled, marks in confusion(evaluation).items()
        for marked, times in marks.items()
    ]
    return _columns(rows)


def _figures(figures: Figures, suffix: str) -> dict[str, float | None]:
    return {
        **_bounds(f"recall{suffix}", figures.recall),
        **_bounds(f"false_alarms_per_1000_words{suffix}", figures.false_alarms),
        **_bounds(f"precision{suffix}", figures.precision),
        **_bounds(f"f1{suffix}", figures.f1),
        f"exact_recall{suffix}": figures.exact_recall.value,
        f"hard_negatives_hit{suffix}": figures.negatives_hit.value,
        f"partial_overlap_f1{suffix}": figures.partial.f1,
    }


def _bounds(name: str, estimate: Estimate) -> dict[str, float | None]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
