"""What a judge's opinions come to: secondary figures, which no gate reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.calibration import Calibration, Pair, calibrate
from evaluation.estimates import Estimate, mean, proportion, with_student
from evaluation.judged import Criterion, JudgedFinding
from registry.evaluations import numbers

PREFIX = "judge/"  # of every metric


@dataclass(frozen=True, slots=True)
class CriterionFigures:
    """One criterion over a sample of findings; intervals are clustered by article group."""

    criterion: Criterion
    judged: int
    failed: int  # times the judge gave no opinion; left out of every figure
    good: Estimate
    score: Estimate
    calibration: Calibration | None  # None: nobody has labelled findings by it


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judge says of a version's findings."""

    model: str  # of the judge
    findings: int  # in the sample
    written: int  # that it was drawn from
    criteria: tuple[CriterionFigures, ...]

    @property
    def opinions(self) -> int:
        return sum(one.judged for one in self.criteria)


def judgement(
    model: str, judged: Sequence[JudgedFinding], calibrating: Sequence[JudgedFinding], *, written: int
) -> Judgement:
    """The figures of a sample; `calibrating` are findings that both a person and the judge have an opinion of."""
    return Judgement(
        model=model,
        findings=len(judged),
        written=written,
        criteria=tuple(_figures(criterion, judged, pairs_of(criterion, calibrating)) for criterion in Criterion),
    )


def pairs_of(criterion: Criterion, judged: Sequence[JudgedFinding]) -> list[Pair]:
    """The findings on which both have a verdict."""
    pairs = []
    for one in judged:
        opinion, human = one.judge.get(criterion), one.human.get(criterion, "")
        if opinion is not None and opinion.good is not None and human:
            pairs.append(Pair(one.group, human == "good", opinion.good))
    return pairs


def metrics(result: Judgement) -> dict[str, float]:
    """By name as MLflow has them; what is undefined is left out."""
    values: dict[str, float | None] = {f"{PREFIX}findings": result.findings}
    for one in result.criteria:
        name = f"{PREFIX}{one.criterion}"
        values |= {
            f"{name}_good": one.good.value,
            f"{name}_good_low": one.good.low,
            f"{name}_good_high": one.good.high,
            f"{name}_score": one.score.value,
            f"{name}_judged": one.judged,
            f"{name}_failed": one.failed,
            # Always there: an uncalibrated judge must not stand beside the trust that an earlier one has earned.
            f"{name}_calibrated_on": one.calibration.pairs if one.calibration else 0,
            f"{name}_trusted": one.calibration is not None and one.calibration.trusted,
        }
        if one.calibration is not None:
            values |= {
                f"{name}_agreement": one.calibration.agreement.value,
                f"{name}_kappa": one.calibration.kappa,
                f"{name}_kappa_low": one.calibration.low,
                f"{name}_kappa_high": one.calibration.high,
            }
    return numbers(values)


def _figures(criterion: Criterion, judged: Sequence[JudgedFinding], pairs: Sequence[Pair]) -> CriterionFigures:
    opinions = [(one.group, one.judge[criterion]) for one in judged if criterion in one.judge]
    known = [(group, opinion) for group, opinion in opinions if opinion.good is not None]
    groups = [group for group, _ in known]
    names, rows = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    good = np.bincount(rows, [bool(opinion.good) for _, opinion in known], len(names))
    return CriterionFigures(
        criterion=criterion,
        judged=len(known),
        failed=len(opinions) - len(known),
        good=proportion(good, np.bincount(rows, minlength=len(names))),
        score=with_student(mean([opinion.score or 0.0 for _, opinion in known], groups)),
        calibration=calibrate(pairs) if pairs else None,
    )
