"""`copydesk datasets validate`: whether a labelled set is sound enough to judge by."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from agent.guideline import GuidelinePack
from evaluation.labels import LabelError, LabelledSet, MalformedLabels, label_files, read_labels
from evaluation.validation import MAX_EXAMPLES, Expectation, Level, Limits, Validation
from pipelines.agent_spec import pack_of
from pipelines.output.validation import print_validation, validation_page


def require_sound(labelled: LabelledSet, pack: GuidelinePack) -> None:
    """Raises LabelError for a set that must not judge a version of this pack."""
    from evaluation.expectations import validate

    if errors := validate(labelled, pack, warnings=False).errors:
        unmet = "; ".join(error.title for error in errors)
        raise LabelError(
            f"set {labelled.name!r} is not sound, and judges nothing; not met: {unmet}\n{errors[0].examples[0]}\n"
            "`copydesk datasets validate` shows all that is wrong"
        )


def validation_of(path: Path, pack: GuidelinePack, limits: Limits | None = None) -> Validation:
    """Raises LabelError for what can't be read; lines with mistakes are an expectation that isn't met."""
    try:
        labelled = read_labels(path)
    except MalformedLabels as error:
        return _malformed(path, pack, error.mistakes, limits or Limits())
    from evaluation.expectations import validate

    validation = validate(labelled, pack, limits)
    read = _well_formed(len(labelled.articles), ())
    return validation.model_copy(update={"expectations": (read, *validation.expectations)})


def run_validation(path: Path, pack: Path | None, console: Console, out: Path | None = None, log: bool = False) -> int:
    """Validates, shows and, where it is wanted, logs a set; returns the exit code."""
    started = datetime.now(UTC)
    with console.status("Validating the labelled set …"):
        validation = validation_of(path, pack_of(pack))
    page = validation_page(validation)
    if out:
        out.write_text(page, encoding="utf-8")
    print_validation(console, validation)
    if log:
        _log(validation, path, page, started, console)
    return 0 if validation.sound else 1


def _log(validation: Validation, path: Path, page: str, started: datetime, console: Console) -> None:
    from evaluation.validation_run import as_run
    from registry.connection import connect, without_password
    from registry.evaluations import VALIDATIONS, log_run
    from registry.settings import RegistrySettings

    with console.status("Logging to MLflow …"):
        registry = connect(RegistrySettings())
        run = as_run(validation, source=str(path), html=page, started=started, finished=datetime.now(UTC))
        run_id = log_run(registry, VALIDATIONS, run)
    console.print(f"MLflow run {run_id} in {without_password(registry.uri)}", style="dim", soft_wrap=True)


def _malformed(path: Path, pack: GuidelinePack, mistakes: tuple[str, ...], limits: Limits) -> Validation:
    """Of a set with such mistakes nothing else is known, not even its articles: its version is that of its bytes."""
    content = b"\n".join(file.read_bytes() for file in label_files(path))
    lines = sum(1 for line in content.split(b"\n") if line.strip())
    return Validation(
        set_name=path.name if path.is_dir() else path.stem,
        set_digest=hashlib.sha256(content).hexdigest(),
        pack=pack.name,
        splits=(),
        articles=0,
        words=0,
        labels=0,
        limits=limits,
        expectations=(_well_formed(lines, mistakes),),
    )


def _well_formed(lines: int, mistakes: tuple[str, ...]) -> Expectation:
    return Expectation(
        name="well-formed-lines",
        title="Lines are well-formed and agree",
        level=Level.ERROR,
        seen=lines,
        failed=len(mistakes),
        examples=mistakes[:MAX_EXAMPLES],
    )
