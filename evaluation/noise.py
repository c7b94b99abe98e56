"""How much of a figure's spread comes from articles, from runs, and from chance within both.

Repeats of an evaluation form a table of articles by runs. A two-way random-effects analysis of variance splits it
(Brennan 2001, chapter 3: persons by items, one observation a cell). The noise floor is the difference that two runs of
the same version would stay under 95 % of the time.
"""

import math
from dataclasses import dataclass

import numpy as np

from evaluation.comparison import Comparison
from evaluation.estimates import Floats
from evaluation.matching import tally
from evaluation.record import Evaluation

Z = 1.959964


@dataclass(frozen=True)
class Noise:
    """Variance components of a mean over articles; None where an evaluation had no repeats."""

    article: float
    run: float
    residual: float
    articles: int
    repeats: int

    @property
    def floor(self) -> float:
        """The difference between two versions, each measured by `repeats` runs, that says nothing."""
        variance = (self.run + self.residual / self.articles) / self.repeats
        return Z * math.sqrt(2 * variance)


def components(table: Floats) -> Noise:
    """Of a table of articles (rows) by runs (columns), at least 2 by 2; negative components are 0."""
    articles, repeats = table.shape
    grand = table.mean()
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    mean_rows = repeats * ((rows - grand) ** 2).sum() / (articles - 1)
    mean_columns = articles * ((columns - grand) ** 2).sum() / (repeats - 1)
    rest = table - rows[:, None] - columns[None, :] + grand
    residual = (rest**2).sum() / ((articles - 1) * (repeats - 1))
    return Noise(
        article=max(0.0, float(mean_rows - residual) / repeats),
        run=max(0.0, float(mean_columns - residual) / articles),
        residual=float(residual),
        articles=articles,
        repeats=repeats,
    )


def recall_table(evaluation: Evaluation, guideline: str) -> Floats:
    """The recall of each article with a label (rows) in each repeat (columns); those with a failure are left out."""
    found: dict[str, list[float]] = {}
    for result in evaluation.results:
        gold = evaluation.labels[result.article].gold.get(guideline, ())
        seen = result.guidelines.get(guideline)
        if gold and seen is not None and seen.checked:
            one = tally(gold, seen.predicted)
            found.setdefault(result.article, []).append(one.found / one.gold)
    return np.array([values for values in found.values() if len(values) == evaluation.repeats])


def noise_of(comparison: Comparison) -> dict[str, float]:
    """The noise floor of each guideline's recall, the larger of the two versions'; only those with repeats."""
    floors: dict[str, float] = {}
    for change in comparison.guidelines:
        for evaluation in (comparison.champion, comparison.challenger):
            if evaluation.repeats < 2 or change.id not in evaluation.guidelines:
                continue
            table = recall_table(evaluation, change.id)
            if len(table) >= 2:
                floors[change.id] = max(floors.get(change.id, 0.0), components(table).floor)
    return floors
