"""The command line, by who uses it. Commands translate; the work is done in the module of a command's name.

Imports stand inside the commands where they are slow: MLflow alone takes seconds, and `--help` needs none of it.

Exit codes: 0 fine, 1 the answer is no, 2 usage or error.
"""

import logging
from importlib.metadata import version as package_version
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from rich.console import Console
from rich.markup import escape

from agent.errors import CopydeskError
from pipelines.articles import articles_app
from pipelines.challengers import challengers_app
from pipelines.champions import champions_app
from pipelines.datasets import datasets_app
from pipelines.guidelines import app as guidelines_app
from pipelines.jobs import jobs_app
from pipelines.keys import keys_app
from pipelines.monitor import monitor_app
from pipelines.rollouts import rollout_app
from pipelines.service import service_app
from pipelines.shadows import shadow_app
from pipelines.signing import signing_app
from pipelines.terminal import err
from serving.logs import LogSettings, set_up_logs

app = typer.Typer(
    name="copydesk",
    help="Checks articles against an editorial house's guidelines, by versions that change only with evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for commands in (articles_app, challengers_app, champions_app, service_app):
    app.add_typer(commands)
app.add_typer(guidelines_app, name="guidelines")
app.add_typer(datasets_app, name="datasets")
app.add_typer(jobs_app, name="jobs")
app.add_typer(keys_app, name="keys")
app.add_typer(monitor_app, name="monitor")
app.add_typer(signing_app, name="signing")
app.add_typer(rollout_app, name="rollout")
app.add_typer(shadow_app, name="shadow")

SERVICES = frozenset({"api", "worker", "tick"})  # what they log is collected, where no person watches


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
