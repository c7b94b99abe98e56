"""A labelled set's validation on a terminal and as one HTML page that stands alone."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evaluation.validation import Expectation, Level, Validation
from pipelines.output.html import TEMPLATES

_SHOWN = {Level.ERROR: 20, Level.WARNING: 5}  # examples on a terminal


def print_validation(console: Console, validation: Validation) -> None:
    console.print(Text(headline(validation), "bold"))
    console.print(Text(facts(validation), "dim"), soft_wrap=True)
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Expectation")
    table.add_column("Seen", justify="right", no_wrap=True)
    table.add_column("Result", no_wrap=True)
    for expectation in validation.expectations:
        table.add_row(expectation.title, f"{expectation.seen:,}", Text(result(expectation), _style(expectation)))
    console.print(table)
    for expectation in (*validation.errors, *validation.warnings):
        console.print(Text(f"\n{expectation.title}", _style(expectation)))
        shown = expectation.examples[: _SHOWN[expectation.level]]
        rest = expectation.failed - len(shown)
        for line in (*shown, *([f"and {rest:,} more"] if rest > 0 else [])):
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))
    console.print(f"\n{verdict(validation)}", soft_wrap=True)


def headline(validation: Validation) -> str:
    return f"Validation of {validation.set_name} for the pack {validation.pack}"


def facts(validation: Validation) -> str:
    if not validation.splits:
        return f"Nothing was read; its bytes {validation.set_digest[:12]}"
    splits = "split" if len(validation.splits) == 1 else "splits"
    return (
        f"{validation.articles:,} articles, {validation.words:,} words, {validation.labels:,} labels; "
        f"{splits} {', '.join(validation.splits)}; set {validation.set_digest[:12]}"
    )


def verdict(validation: Validation) -> str:
    warnings = _counted(len(validation.warnings), "warning")
    if validation.sound:
        return f"Sound, with {warnings}." if validation.warnings else "Sound."
    errors = _counted(len(validation.errors), "error")
    return f"Not sound: {errors} and {warnings}. No evaluation runs on it."


def result(expectation: Expectation) -> str:
    """A sign, and how many rows failed; the sign differs by more than its colour."""
    if expectation.met:
        return "✓"
    return f"{'✗' if expectation.level is Level.ERROR else '!'} {expectation.failed:,}"


def validation_page(validation: Validation) -> str:
    return TEMPLATES.get_template("validation.html").render(
        headline=headline(validation),
        facts=facts(validation),
        verdict=verdict(validation),
        validation=validation,
        result=result,
    )


def _style(expectation: Expectation) -> str:
    if expectation.met:
        return "green"
    return "bold red" if expectation.level is Level.ERROR else "yellow"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
