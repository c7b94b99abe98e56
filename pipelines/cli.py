"""The command line. Commands translate; the work is done in the module of the same name.

Imports stand inside the commands where they are slow: MLflow alone takes seconds, and `--help` needs none of it.

Exit codes: 0 fine, 1 the answer is no, 2 usage or error.
"""

import logging
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from agent.errors import CopydeskError
from pipelines.datasets import datasets_app
from pipelines.guidelines import app as guidelines_app
from pipelines.jobs import jobs_app
from pipelines.keys import keys_app
from pipelines.monitor import monitor_app
from pipelines.output import OutputFormat
from pipelines.rollouts import rollout_app
from pipelines.shadows import shadow_app
from pipelines.signing import signing_app
from serving.logs import LogSettings, set_up_logs

app = typer.Typer(
    name="copydesk",
    help="Checks articles against an editorial house's guidelines, by versions that change only with evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(guidelines_app, name="guidelines")
app.add_typer(datasets_app, name="datasets")
app.add_typer(jobs_app, name="jobs")
app.add_typer(keys_app, name="keys")
app.add_typer(monitor_app, name="monitor")
app.add_typer(signing_app, name="signing")
app.add_typer(rollout_app, name="rollout")
app.add_typer(shadow_app, name="shadow")

SERVICES = frozenset({"api", "worker", "tick"})  # what they log is collected, where no person watches

err = Console(stderr=True, highlight=False)

PackOption = Annotated[
    Path | None, typer.Option("--pack", help="A folder of guideline files; the pack `house` without it.")
]
ModelOption = Annotated[
    str,
    typer.Option(
        help="Model or deployment that checks prompt guidelines, reached at COPYDESK_MODEL_URL; "
        "without it they use their patterns."
    ),
]
VersionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the version: temperature=0.2; can be given again."
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        Console(highlight=False).print(f"copydesk {package_version('copydesk')}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, to standard error.")] = False,
) -> None:
    """Checks articles against an editorial house's guidelines, by versions that change only with evidence."""
    level = logging.INFO if verbose else logging.WARNING
    watched = err.is_terminal or context.invoked_subcommand not in SERVICES
    set_up_logs(LogSettings().log_format or ("text" if watched else "json"), level, err)


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Articles: .txt, .md, .html or .docx; - for standard input.")],
    pack: PackOption = None,
    version: Annotated[
        str | None, typer.Option(help="A registered version instead of files: its number, or champion.")
    ] = None,
    guideline: Annotated[
        list[str] | None, typer.Option("--guideline", "-g", help="Check only this guideline; can be given again.")
    ] = None,
    format: Annotated[OutputFormat, typer.Option(help="What to write.")] = OutputFormat.TEXT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to a file instead.")] = None,
    fail_under: Annotated[float, typer.Option(min=0, max=100, help="Exit with 1 under this score.")] = 0.0,
    stdin_name: Annotated[
        str, typer.Option(help="What standard input is, by a file name: post.md for Markdown.")
    ] = "standard-input.txt",
    language: Annotated[
        str, typer.Option(help="Language of the articles (BCP 47); without it, what they say or are found to be.")
    ] = "",
    model: ModelOption = "",
    settings: VersionOption = None,
    record: Annotated[
        Path | None, typer.Option(help="A folder for recordings, one an article, for `copydesk replay`.")
    ] = None,
) -> None:
    """Check articles: findings on exact words, a score, and what it is made of.

    Exit code 0: no breach, and the score is at the line or above. 1: a breach, a score under it, or nothing could be
    checked. 2: a file couldn't be read, or wrong usage.
    """
    from pipelines.check import check_files, choose_agent, exit_code, write

    if pack is not None and version is not None:
        raise typer.BadParameter("--pack and --version exclude each other: a version brings its own pack")
    if (model or settings) and version is not None:
        given = "--model" if model else "--option"
        raise typer.BadParameter(
            f"{given} and --version exclude each other: a version brings its own model and options"
        )
    sheets = check_files(
        files,
        choose_agent(pack, version, model, settings or ()),
        guidelines=tuple(guideline) if guideline else None,
        language=language,
        stdin_name=stdin_name,
        progress=err,
        record=record,
    )
    write(sheets, format, out)
    raise typer.Exit(exit_code(sheets, fail_under))


@app.command()
def replay(
    run: Annotated[str, typer.Argument(help="A file written by `check --record`, or the id of a recorded MLflow run.")],
    format: Annotated[OutputFormat, typer.Option(help="What to write of the report.")] = OutputFormat.TEXT,
) -> None:
    """Check a recorded article again, offline, by the recorded version and answers.

    Exit code 0: the same report. 1: another one. 2: the recording can't be replayed.
    """
    from pipelines.replay import replay_run

    raise typer.Exit(replay_run(run, format, Console(highlight=False)))


@app.command()
def register(
    pack: PackOption = None,
    model: ModelOption = "",
    settings: VersionOption = None,
) -> None:
    """Register the guidelines as MLflow prompts and the agent as a model version, alias challenger."""
    from pipelines.register import register_files

    register_files(pack, model, settings or (), Console(highlight=False))


@app.command()
def evaluate(
    labels: Annotated[Path, typer.Option("--set", help="A labelled set: a .jsonl file, or a folder of them.")],
    version: Annotated[
        str | None, typer.Option(help="A registered version: its number, champion or challenger; without it, files.")
    ] = None,
    pack: PackOption = None,
    model: ModelOption = "",
    options: VersionOption = None,
    split: Annotated[str, typer.Option(help="The split of the set.")] = "test",
    repeats: Annotated[int, typer.Option(min=1, help="How often each article is checked.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Articles under way together.")] = 8,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the HTML report here, too.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the table as Markdown.")] = None,
) -> None:
    """Evaluate a version on a labelled set: recall, false alarms and more, with intervals; logged to MLflow.

    One that was interrupted goes on where it was.
    """
    from pipelines.evaluate import choose, open_registry, run_evaluation

    if version is not None and (pack or model or options):
        raise typer.BadParameter("--version excludes --pack, --model and --option: a version brings its own")
    registry = open_registry()
    run_evaluation(
        choose(registry, version, pack, model, options or ()),
        labels,
        split=split,
        repeats=repeats,
        at_once=at_once,
        registry=registry,
        console=Console(highlight=False),
        out=out,
        markdown=markdown,
    )


LabelsOption = Annotated[
    Path | None, typer.Option("--set", help="A labelled set; not needed where runs of evaluations are named.")
]
SplitOption = Annotated[str, typer.Option(help="The split of the set.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        envvar="COPYDESK_POLICY", help="What is asked of a version, YAML; the policy of the pack `house` without it."
    ),
]
PageOption = Annotated[Path | None, typer.Option("--out", "-o", help="Write an HTML page, too.")]


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A version's number or alias, or the MLflow run of an evaluation.")],
    b: Annotated[str, typer.Argument(help="What it is compared with.")],
    labels: LabelsOption = None,
    split: SplitOption = "test",
    out: PageOption = None,
) -> None:
    """Compare two versions on the same labelled articles: what changed, by guideline."""
    from pipelines.evaluate import open_registry
    from pipelines.gate import compare_versions

    compare_versions(open_registry(), a, b, labels, split, Console(highlight=False), out)


@app.command()
def gate(
    challenger: Annotated[
        str, typer.Option(help="The version that wants to serve: number, alias, or run of an evaluation.")
    ] = "challenger",
    champion: Annotated[
        str | None, typer.Option(help="The version it is held against; without it the champion, if there is one.")
    ] = None,
    policy: PolicyOption = None,
    labels: LabelsOption = None,
    split: SplitOption = "test",
    markdown: Annotated[Path | None, typer.Option(help="Write the decision as Markdown, for a pull request.")] = None,
    out: PageOption = None,
) -> None:
    """Decide by a policy whether a challenger may serve; the decision is kept in MLflow.

    Exit code 0: PROMOTE. 1: BLOCK. 3: INCONCLUSIVE, not enough data. 2: wrong usage or an error.
    """
    from pipelines.evaluate import open_registry
    from pipelines.gate import policy_of, run_gate

    raise typer.Exit(
        run_gate(
            open_registry(),
            champion,
            challenger,
            policy_of(policy),
            labels,
            split,
            Console(highlight=False),
            markdown=markdown,
            out=out,
        )
    )


@app.command()
def judge(
    run: Annotated[str, typer.Option(help="The MLflow run of an evaluation of a version with a model.")],
    labels: Annotated[Path, typer.Option("--set", help="The labelled set it was evaluated on.")],
    pack: Annotated[
        Path | None, typer.Option(help="The folder of guidelines it was evaluated with; not needed when registered.")
    ] = None,
    size: Annotated[int, typer.Option("--sample", min=1, help="Findings to judge, drawn at random.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 7,
    calibration: Annotated[
        Path | None, typer.Option(help="Findings that a person has labelled good or bad, to hold the judge against.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the judged sample, JSON Lines.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the sample without the judge's verdicts, for a person to label.")
    ] = None,
) -> None:
    """Ask a judge, a language model at COPYDESK_JUDGE_URL, about a version's findings. No gate reads its figures."""
    from pipelines.evaluate import open_registry
    from pipelines.judge import run_judge

    run_judge(
        open_registry(),
        run,
        labels,
        Console(highlight=False),
        pack=pack,
        size=size,
        seed=seed,
        calibration=calibration,
        out=out,
        sheet=sheet,
    )


@app.command()
def versions() -> None:
    """List the registered versions, which one is champion, and with what evidence."""
    from pipelines.promote import print_versions

    print_versions(Console(highlight=False))


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The number of a registered version.")],
    decision: Annotated[
        str, typer.Option(help="The MLflow run of a decision; the newest of this version without.")
    ] = "",
    policy: PolicyOption = None,
    labels: Annotated[Path | None, typer.Option("--set", help="The labelled set it must have been decided on.")] = None,
    split: SplitOption = "test",
    force: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why it goes live without a gate's decision; shown with the version."),
    ] = None,
) -> None:
    """Make a version the champion, by a signed decision that says PROMOTE and still fits; or by force, and say why.

    Exit code 0: it is champion. 1: the decision says BLOCK. 3: INCONCLUSIVE. 2: no decision, a stale or altered one,
    too few approvals, wrong usage or an error.
    """
    from pipelines.gate import policy_of
    from pipelines.promote import promote_version

    if force is not None and decision:
        raise typer.BadParameter("--force and --decision exclude each other: what is forced rests on no decision")
    raise typer.Exit(
        promote_version(
            version,
            Console(highlight=False),
            force=force,
            decision=decision,
            policy=policy_of(policy),
            labels=labels,
            split=split,
        )
    )


@app.command()
def approve(
    decision: Annotated[str, typer.Argument(help="The MLflow run of a gate's decision.")],
) -> None:
    """Stand behind somebody else's decision, as the service at COPYDESK_URL knows you by COPYDESK_KEY."""
    from pipelines.promote import approve_decision

    approve_decision(decision, Console(highlight=False))


@app.command()
def promotions(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List who made which version the champion, when, from which, by which record and why; the newest first."""
    from pipelines.promote import print_promotions

    print_promotions(Console(highlight=False), as_json=as_json)


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="A version that was champion; the one before without it.")] = "",
    reason: Annotated[str, typer.Option(help="Why; shown with the version.")] = "no reason given",
) -> None:
    """Go back to a version that was champion, at once: it needs no new decision, because it has had one."""
    from pipelines.promote import roll_back

    roll_back(version, reason, Console(highlight=False))


@app.command()
def why(
    finding: Annotated[str, typer.Argument(help="A finding's fingerprint, JOB/FINGERPRINT, or a job to list its own.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show where a finding comes from: words, guideline, model, version, evaluation, decision, promotion, run, editors.

    It reads the service's database and the registry, and shows words of the article. Of a finding that several checks
    raise it shows the newest.
    """
    from pipelines.why import explain_finding

    explain_finding(finding, Console(highlight=False), as_json=as_json)


@app.command()
def serve(
    mlflow_port: Annotated[
        int, typer.Option(envvar="COPYDESK_MLFLOW_PORT", help="Port of the MLflow pages; 0 for none.")
    ] = 5400,
) -> None:
    """Run the API with its page, a worker and the MLflow pages until Ctrl-C. Settings: COPYDESK_HOST, COPYDESK_PORT."""
    from pipelines.serve import serve_all

    raise typer.Exit(serve_all(Console(highlight=False), mlflow_port=mlflow_port))


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service up until Ctrl-C.")] = False,
) -> None:
    """Register `house`, make it champion, start the service, check an article over HTTP and show its MLflow run."""
    from pipelines.demo import run_demo

    raise typer.Exit(run_demo(Console(highlight=False), keep=keep))


@app.command()
def api() -> None:
    """Run only the API."""
    from serving.access.settings import AccessSettings
    from serving.server import serve as serve_api
    from serving.settings import ServingSettings

    serve_api(ServingSettings(), AccessSettings())


@app.command()
def worker() -> None:
    """Run only a worker."""
    from serving.settings import ServingSettings
    from serving.worker import run

    run(ServingSettings())


@app.command()
def migrate() -> None:
    """Bring the database's tables to this release. Run it before the API and workers of a new release start."""
    import asyncio

    from serving.adapters.database import open_and_migrate
    from serving.settings import ServingSettings

    revision = asyncio.run(open_and_migrate(ServingSettings().database_url))
    Console(highlight=False).print(f"The database is at revision {revision}.")


@app.command()
def tick() -> None:
    """Do a round of the periodic work and stop: for a scheduler, beside workers or without."""
    from serving.settings import ServingSettings
    from serving.tick import tick as round_of

    done = round_of(ServingSettings())
    console = Console(highlight=False)
    console.print(f"{done.taken_back} jobs taken back from silent workers, {done.handed_out} handed out again.")
    console.print(f"{done.logged} runs logged to MLflow, and what was decided about {done.told} jobs.")
    console.print(f"{done.called} clients called whose jobs have ended.")
    console.print(f"Removed for their age: {done.purged}." if done.purged else "Nothing removed: it was done today.")


@app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what is old enough.")] = False,
) -> None:
    """Remove what is older than COPYDESK_ARTICLE_DAYS, COPYDESK_LOG_DAYS and COPYDESK_AUDIT_DAYS."""
    from serving.settings import ServingSettings
    from serving.tick import purge as purge_now
    from serving.tick import would_purge

    settings, console = ServingSettings(), Console(highlight=False)
    if dry_run:
        old = would_purge(settings)
        console.print(
            f"Old enough: {old.jobs} jobs with their reports and articles, the text of {old.runs} runs in MLflow, "
            f"{old.audit} audit entries. Nothing was removed."
        )
    else:
        console.print(f"Removed: {purge_now(settings)}.")


def main() -> None:
    """Runs the command line; an anticipated failure is one message on standard error and exit code 2."""
    try:
        app()
    except CopydeskError as error:
        _stop(str(error))
    except ValidationError as error:
        if error.title not in _PREFIXES:
            raise
        _stop("\n".join(_wrong_setting(_PREFIXES[error.title], details) for details in error.errors()))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _stop(f"{where}{error.strerror or error}")
    except SettingsError as error:
        _stop(f'{error}: its variable in the environment holds JSON, such as ["one", "two"]')


_PREFIXES = {
    "ServingSettings": "COPYDESK_",
    "AccessSettings": "COPYDESK_",
    "RegistrySettings": "COPYDESK_",
    "ServiceSettings": "COPYDESK_",
    "LogSettings": "COPYDESK_",
    "TracingSettings": "COPYDESK_",
    "ModelSettings": "COPYDESK_MODEL_",
    "JudgeSettings": "COPYDESK_JUDGE_",
}


def _wrong_setting(prefix: str, details: ErrorDetails) -> str:
    name = str(details["loc"][0]) if details["loc"] else ""
    variable = name if name.isupper() else f"{prefix}{name.upper()}"
    return f"{variable} is {details['input']!r}: {details['msg'][0].lower()}{details['msg'][1:]}"


def _stop(message: str) -> NoReturn:
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise SystemExit(2) from None
