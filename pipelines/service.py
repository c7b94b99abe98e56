"""Commands of whoever runs the service: all of it or a process of it, and its periodic work.

Imports stand inside the commands, because they take seconds.
"""

from typing import Annotated

import typer

service_app = typer.Typer()


@service_app.command()
def serve(
    mlflow_port: Annotated[
        int, typer.Option(envvar="COPYDESK_MLFLOW_PORT", help="Port of the MLflow pages; 0 for none.")
    ] = 5400,
) -> None:
    """Run the API with its page, a worker and the MLflow pages until Ctrl-C. Settings: COPYDESK_HOST, COPYDESK_PORT."""
    from rich.console import Console

    from pipelines.serve import serve_all

    raise typer.Exit(serve_all(Console(highlight=False), mlflow_port=mlflow_port))


@service_app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the service up until Ctrl-C.")] = False,
) -> None:
    """Register `house`, make it champion, start the service, check an article over HTTP and show its MLflow run."""
    from rich.console import Console

    from pipelines.demo import run_demo

    raise typer.Exit(run_demo(Console(highlight=False), keep=keep))


@service_app.command()
def api() -> None:
    """Run only the API."""
    from serving.access.settings import AccessSettings
    from serving.server import serve as serve_api
    from serving.settings import ServingSettings

    serve_api(ServingSettings(), AccessSettings())


@service_app.command()
def worker() -> None:
    """Run only a worker."""
    from pipelines.canary_monitor import monitors
    from pipelines.canary_settings import CanarySettings
    from serving.access.settings import AccessSettings
    from serving.settings import ServingSettings
    from serving.worker import run

    run(ServingSettings(), AccessSettings(), monitors(CanarySettings()))


@service_app.command()
def migrate() -> None:
    """Bring the database's tables to this release. Run it before the API and workers of a new release start."""
    import asyncio

    from rich.console import Console

    from serving.adapters.database import open_and_migrate
    from serving.settings import ServingSettings

    revision = asyncio.run(open_and_migrate(ServingSettings().database_url))
    Console(highlight=False).print(f"The database is at revision {revision}.")


@service_app.command()
def tick() -> None:
    """Do a round of the periodic work and stop: for a scheduler, beside workers or without.

    Exit code 0: done; what was refused by itself is named and tried again. 1: something was put off because MLflow or
    a client didn't answer, or nothing gets through to them, or the champion's model says something else than when it
    was evaluated. 2: the round could not be done, as without the database.
    """
    from rich.console import Console

    from pipelines.canary_monitor import monitors
    from pipelines.canary_settings import CanarySettings
    from pipelines.tick import looked, put_off
    from serving.settings import ServingSettings
    from serving.tick import tick as round_of
    from serving.usecases.purge import Purged

    done = round_of(ServingSettings(), monitors(CanarySettings()))
    console = Console(highlight=False)
    console.print(f"{done.taken_back} jobs taken back from silent workers, {done.handed_out} handed out again.")
    console.print(f"{done.logged.done} runs logged to MLflow, and what was decided about {done.told.done} jobs.")
    console.print(f"{done.called.done} clients called whose jobs have ended.")
    if isinstance(done.purged, Purged):
        console.print(f"Removed for their age: {done.purged}.")
    elif done.purged is None:
        console.print("Nothing removed: it was done today.")
    for line in (*looked(done), *put_off(done)):
        console.print(line, markup=False, soft_wrap=True)
    raise typer.Exit(1 if done.blocked or done.alarms else 0)


@service_app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what is old enough.")] = False,
) -> None:
    """Remove what is older than COPYDESK_ARTICLE_DAYS, COPYDESK_LOG_DAYS and COPYDESK_AUDIT_DAYS."""
    from rich.console import Console

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
