"""A validation as an MLflow run: what is a tag, a parameter, a metric."""

from datetime import datetime

from evaluation.validation import Validation
from registry.evaluations import OUTCOME, PACK, SET, SET_DIGEST, LabelledData, LoggedRun

PAGE = "validation.html"


def as_run(validation: Validation, *, source: str, html: str, started: datetime, finished: datetime) -> LoggedRun:
    """`source` is the set's path. `passed/NAME` of an expectation is 1 or 0, `failed/NAME` how many rows failed it."""
    outcomes = {f"passed/{e.name}": float(e.met) for e in validation.expectations}
    failures = {f"failed/{e.name}": float(e.failed) for e in validation.expectations}
    return LoggedRun(
        name=f"{validation.set_name} for {validation.pack}",
        tags={
            SET: validation.set_name,
            SET_DIGEST: validation.set_digest,
            OUTCOME: "sound" if validation.sound else "not sound",
        },
        params={
            PACK: validation.pack,
            "splits": ",".join(validation.splits) or "none",
            "articles": str(validation.articles),
            "labels": str(validation.labels),
            **{f"limit_{name}": str(value) for name, value in validation.limits.model_dump().items()},
        },
        metrics={
            "sound": float(validation.sound),
            "errors": len(validation.errors),
            "warnings": len(validation.warnings),
            **outcomes,
            **failures,
        },
        data=LabelledData(
            name=validation.set_name,
            split="+".join(validation.splits) or "unread",
            digest=validation.set_digest,
            source=source,
            articles=validation.articles,
            words=validation.words,
            use="validation",
        ),
        texts={PAGE: html},
        started=started,
        finished=finished,
    )
