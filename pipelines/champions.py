"""Commands of whoever answers for what is served: which version it is, with what evidence, and how to go back.

Imports stand inside the commands, because they take seconds.
"""

from typing import Annotated

import typer
from rich.console import Console

from pipelines.options import DecidedOnOption, DecisionOption, PolicyOption, SplitOption

champions_app = typer.Typer()


@champions_app.command()
def versions() -> None:
    """List the registered versions, which one is champion, and with what evidence."""
    from pipelines.promote import print_versions

    print_versions(Console(highlight=False))


@champions_app.command()
def promote(
    version: Annotated[str, typer.Argument(help="The number of a registered version.")],
    decision: DecisionOption = "",
    policy: PolicyOption = None,
    labels: DecidedOnOption = None,
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


@champions_app.command()
def approve(
    decision: Annotated[str, typer.Argument(help="The MLflow run of a gate's decision.")],
) -> None:
    """Stand behind somebody else's decision, as the service at COPYDESK_URL knows you by COPYDESK_KEY."""
    from pipelines.promote import approve_decision

    approve_decision(decision, Console(highlight=False))


@champions_app.command()
def promotions(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List who made which version the champion, when, from which, by which record and why; the newest first."""
    from pipelines.promote import print_promotions

    print_promotions(Console(highlight=False), as_json=as_json)


@champions_app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="A version that was champion; the one before without it.")] = "",
    reason: Annotated[str, typer.Option(help="Why; shown with the version.")] = "no reason given",
) -> None:
    """Go back to a version that was champion, at once: it needs no new decision, because it has had one."""
    from pipelines.promote import roll_back

    roll_back(version, reason, Console(highlight=False))


@champions_app.command()
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
