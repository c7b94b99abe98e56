"""Asks a judge about the findings of an evaluation, shows the figures and adds them to its MLflow run."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.errors import CopydeskError
from agent.guideline import GuidelinePack
from evaluation.judged import (
    JudgedFinding,
    WrittenFinding,
    judged_lines,
    read_judged,
    sample,
    write_judged,
    written_findings,
)
from evaluation.judgement import judgement, metrics
from evaluation.judges import Case, Judge, JudgeSettings
from evaluation.labels import LabelError, LabelledSet, read_labels
from evaluation.record import Evaluation
from pipelines.agent_spec import pack_of
from pipelines.output.judgement import print_judgement
from registry.connection import Registry, without_password
from registry.evaluations import add_to_run, read_evaluation
from registry.versions import load

JUDGED_ARTIFACT = "judged.jsonl"
JUDGE_MODEL = "judge_model"


class JudgeFailed(CopydeskError):
    """The judge gave no opinion on anything."""

    type = "judge-failed"


class GuidelinesMissing(CopydeskError):
    """The guidelines that an evaluation was made with are not at hand."""

    type = "guidelines-missing"


def run_judge(
    registry: Registry,
    run_id: str,
    path: Path,
    console: Console,
    *,
    pack: Path | None,
    size: int,
    seed: int,
    calibration: Path | None,
    out: Path | None,
    sheet: Path | None,
) -> None:
    """Judges a sample; everything that can be wrong with what is given is found before the judge is asked."""
    evaluation = Evaluation.load(read_evaluation(registry, run_id), f"run {run_id}")
    whole = read_labels(path)
    written = written_findings(evaluation, _evaluated(whole, evaluation))
    drawn = sample(written, size, seed)
    labelled = read_judged(calibration, whole) if calibration else ()
    guidelines = _guidelines(registry, evaluation, pack)
    asked = {one.id: one for one in (*labelled, *drawn)}
    cases = _cases(tuple(asked.values()), whole, guidelines)
    settings = JudgeSettings()
    judged = {one.id: one for one in asyncio.run(_judge(settings, cases, console))}
    of_sample = [judged[one.id] for one in drawn]
    calibrating = [judged[one.id].model_copy(update={"human": one.human}) for one in labelled]
    result = judgement(settings.model, of_sample, calibrating, written=len(written))
    if not result.opinions:
        first = next(opinion.reason for one in of_sample for opinion in one.judge.values())
        raise JudgeFailed(f"the judge gave no opinion on any of {len(of_sample)} findings; the first: {first}")
    lines = judged_lines(of_sample)
    add_to_run(
        registry,
        run_id,
        metrics=metrics(result),
        tags={JUDGE_MODEL: settings.model},
        texts={JUDGED_ARTIFACT: lines},
    )
    if out:
        write_judged(of_sample, out)
    if sheet:
        write_judged(of_sample, sheet, blind=True)
    print_judgement(console, evaluation, result)
    console.print(f"Added to MLflow run {run_id} in {without_password(registry.uri)}", style="dim", soft_wrap=True)


async def _judge(settings: JudgeSettings, cases: Sequence[Case], console: Console) -> list[JudgedFinding]:
    with console.status("Starting the judge …"):
        judge = Judge(settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("Judging findings", total=len(cases))
            return await judge.judge(cases, on_case=lambda: bar.advance(task))
    finally:
        await judge.close()


def _evaluated(whole: LabelledSet, evaluation: Evaluation) -> LabelledSet:
    labelled = whole.of_split(evaluation.split)
    if labelled.digest != evaluation.set_digest:
        raise LabelError(
            f"split {evaluation.split!r} of set {whole.name!r} is {labelled.digest[:12]}, and the evaluation was made "
            f"on {evaluation.set_digest[:12]}: name the set it was made on, or evaluate anew"
        )
    return labelled


def _guidelines(registry: Registry, evaluation: Evaluation, folder: Path | None) -> GuidelinePack:
    """The pack of the registered version, else of the folder, if it is the one that was evaluated."""
    stamp = evaluation.version
    pack = load(registry, stamp.number).spec.pack if stamp.number and folder is None else pack_of(folder)
    if pack.digest != stamp.pack_digest:
        raise GuidelinesMissing(
            f"pack {pack.name!r} is {pack.digest[:12]}, and the evaluation was made with {stamp.pack!r}, "
            f"{stamp.pack_digest[:12]}: name its folder with --pack, or evaluate anew"
        )
    return pack


def _cases(findings: Sequence[WrittenFinding], labelled: LabelledSet, pack: GuidelinePack) -> list[Case]:
    """Raises UnknownGuideline for a finding of another pack."""
    pack.select(tuple(one.guideline for one in findings))
    articles = {article.id: article for article in labelled.articles}
    return [Case(one, articles[one.article], pack.by_id[one.guideline]) for one in findings]
