"""Whether a labelled set is sound, by Great Expectations: the only module that imports it, and only when asked.

It takes seconds and 200 MB to import. Its context lives in memory, without data docs, which load from elsewhere.
"""

import logging
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from agent.errors import CopydeskError
from agent.guideline import GuidelinePack
from evaluation.label_checks import Check, checks_of
from evaluation.label_tables import SPANS, tables_of
from evaluation.labels import LabelError, LabelledSet
from evaluation.validation import MAX_EXAMPLES, Expectation, Level, Limits, Validation


class ExpectationBroken(CopydeskError):
    """Great Expectations failed at one, so nobody knows whether it is met."""

    type = "expectation-broken"


def validate(
    labelled: LabelledSet, pack: GuidelinePack, limits: Limits | None = None, *, warnings: bool = True
) -> Validation:
    """All expectations, or only those that are errors; what leaks between splits where there are several.

    Raises LabelError without Great Expectations.
    """
    limits = limits or Limits()
    splits = tuple(sorted({article.split for article in labelled.articles}))
    checks = checks_of(pack, limits, several_splits=len(splits) > 1, warnings=warnings)
    tables = tables_of(labelled, limits.shared_words)
    return Validation(
        set_name=labelled.name,
        set_digest=labelled.digest,
        pack=pack.name,
        splits=splits,
        articles=len(labelled.articles),
        words=sum(article.article.words for article in labelled.articles),
        labels=len(tables[SPANS]),
        limits=limits,
        expectations=run_checks(tables, checks),
    )


def run_checks(tables: Mapping[str, pd.DataFrame], checks: Sequence[Check]) -> tuple[Expectation, ...]:
    """What became of each check, in their order; raises ExpectationBroken for one that couldn't be looked at."""
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("labels")
    failed: dict[str, set[int]] = {}
    for name, table in tables.items():
        expected = [one for check in checks if check.table == name for one in _expected(gx, check)]
        asset = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
        batch = asset.get_batch({"dataframe": table})
        suite = gx.ExpectationSuite(name=name, expectations=expected)
        for outcome in batch.validate(suite, result_format={"result_format": "COMPLETE"}).results:
            check_name = outcome.expectation_config.meta["check"]
            _require_run(check_name, outcome.exception_info)
            if not outcome.success:
                rows = outcome.result.get("unexpected_index_list", ())  # one on the whole table has no rows
                failed.setdefault(check_name, set()).update(rows)
    return tuple(_expectation(check, tables[check.table], failed.get(check.name)) for check in checks)


def _great_expectations() -> Any:  # noqa: ANN401 - what it makes is built at run time
    shown = python_warnings.showwarning
    try:
        import great_expectations as gx
    except ModuleNotFoundError as error:
        if error.name != "great_expectations":
            raise
        raise LabelError(
            "labelled sets are validated by Great Expectations, which isn't installed: "
            "pip install 'copydesk[evaluation]'"
        ) from error
    if python_warnings.showwarning is not shown:  # its import has warnings of the whole process logged
        logging.captureWarnings(False)
    logging.getLogger("great_expectations").setLevel(logging.ERROR)  # it tells of every table and context
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)  # it sets its own
    return gx


def _expected(gx: Any, check: Check) -> list[Any]:  # noqa: ANN401 - the module
    severity = "critical" if check.level is Level.ERROR else "warning"
    return [
        getattr(gx.expectations, kind)(**arguments, meta={"check": check.name}, severity=severity)
        for kind, arguments in check.expected
    ]


def _require_run(name: str, info: Mapping[str, Any]) -> None:
    """An exception is in the result itself, or in one of each figure that it needed."""
    for one in (info,) if "raised_exception" in info else info.values():
        if one["raised_exception"]:
            raise ExpectationBroken(f"expectation {name!r} couldn't be looked at: {one['exception_message']}")


def _expectation(check: Check, table: pd.DataFrame, rows: set[int] | None) -> Expectation:
    """`rows` is none where the check is met, and empty where the whole table fails it."""
    examples: list[str] = []
    if rows is not None:
        wrong = table.loc[sorted(rows)[:MAX_EXAMPLES]].to_dict("records")
        examples = [check.say(row) for row in wrong] or [check.say({})]
    return Expectation(
        name=check.name,
        title=check.title,
        level=check.level,
        seen=len(table),
        failed=0 if rows is None else max(len(rows), 1),
        examples=tuple(examples),
    )
