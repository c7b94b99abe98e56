"""The command line, by who uses it. Commands translate; the work is done in the module of a command's name.

Imports stand inside the commands where they are slow: MLflow alone takes seconds, and `--help` needs none of it.

Exit codes: 0 fine, 1 the answer is no, 2 usage or error.
"""

import logging
import sys
from functools import cache
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from agent.errors import CopydeskError
from pipelines.service import service_app
from serving.logs import LogSettings, set_up_logs

if TYPE_CHECKING:
    from rich.console import Console

SERVICES = frozenset({"api", "worker", "tick"})  # what they log is collected, where no person watches


@cache
def whole() -> typer.Typer:
    """All commands."""
    from pipelines.articles import articles_app
    from pipelines.challengers import challengers_app
    from pipelines.champions import champions_app
    from pipelines.datasets import datasets_app
    from pipelines.guidelines import app as guidelines_app
    from pipelines.jobs import jobs_app
    from pipelines.keys import keys_app
    from pipelines.monitor import monitor_app
    from pipelines.rollouts import rollout_app
    from pipelines.shadows import shadow_app
    from pipelines.signing import signing_app

    return _with(
        articles_app,
        challengers_app,
        champions_app,
        service_app,
        guidelines=guidelines_app,
        datasets=datasets_app,
        jobs=jobs_app,
        keys=keys_app,
        monitor=monitor_app,
        signing=signing_app,
        rollout=rollout_app,
        shadow=shadow_app,
    )


@cache
def lean() -> typer.Typer:
    """For a process of the service, which keeps what it imports for as long as it runs: all commands are 6 MB more."""
    return _with(service_app)


def _with(*commands: typer.Typer, **groups: typer.Typer) -> typer.Typer:
    made = typer.Typer(
        name="copydesk",
        help="Checks articles against an editorial house's guidelines, by versions that change only with evidence.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    made.callback()(common)
    for each in commands:
        made.add_typer(each)
    for name, group in groups.items():
        made.add_typer(group, name=name)
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"copydesk {package_version('copydesk')}")
        raise typer.Exit


def common(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, to standard error.")] = False,
) -> None:
    """Checks articles against an editorial house's guidelines, by versions that change only with evidence."""
    level = logging.INFO if verbose else logging.WARNING
    watched = sys.stderr.isatty() or context.invoked_subcommand not in SERVICES
    set_up_logs(LogSettings().log_format or ("text" if watched else "json"), level, _console)


def _console() -> "Console":
    from pipelines.terminal import err

    return err


def main() -> None:
    """Runs the command line; an anticipated failure is one message on standard error and exit code 2."""
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        (lean if command in SERVICES else whole)()()
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
    "CanarySettings": "COPYDESK_CANARY_",
    "JudgeSettings": "COPYDESK_JUDGE_",
}


def _wrong_setting(prefix: str, details: ErrorDetails) -> str:
    name = str(details["loc"][0]) if details["loc"] else ""
    variable = name if name.isupper() else f"{prefix}{name.upper()}"
    return f"{variable} is {details['input']!r}: {details['msg'][0].lower()}{details['msg'][1:]}"


def _stop(message: str) -> NoReturn:
    from rich.markup import escape

    _console().print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise SystemExit(2) from None
