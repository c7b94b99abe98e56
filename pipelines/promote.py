"""Makes a version the champion, goes back to one, lists versions and their promotions."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.code_digest import code_digest
from agent.errors import CopydeskError
from evaluation.labels import read_labels
from evaluation.policy import Policy
from pipelines.person import approver, person
from pipelines.refusal import refused
from registry.aliases import Move, history, promote, rollback
from registry.connection import Registry, connect, without_password
from registry.decisions import decision_of_run, write_approval
from registry.errors import DecidedAgainst, UnknownVersion
from registry.settings import RegistrySettings
from registry.standing import Standing, standing
from registry.statement import Approval, Promotion
from registry.trust import trusted_keys
from registry.version import CHAMPION, RegisteredVersion
from registry.versions import describe, list_versions
from serving.adapters.database import open_database
from serving.adapters.sql_evidence import SqlEvidence
from serving.evidence import Expiry
from serving.settings import ServingSettings

CLOCK_TOLERANCE = timedelta(minutes=2)


def promote_version(
    ref: str, console: Console, *, force: str | None, decision: str, policy: Policy, labels: Path | None, split: str
) -> int:
    """Makes a version the champion by a decision or by force; returns the exit code.

    Raises UnknownVersion, NotTrusted, NoSigningKey, StaleDecision, NotApproved and NotMoved.
    """
    registry = connect(RegistrySettings())
    number, who = _number(registry, ref), person()
    try:
        promotion = promote(
            registry,
            number,
            who=who.name,
            signed_in=who.signed_in,
            force_reason=force,
            decision=decision,
            policy_digest=policy.digest,
            set_digest=read_labels(labels).of_split(split).digest if labels else "",
        )
    except DecidedAgainst as error:
        return refused(error, console)
    _print_promotion(registry, promotion, console)
    return 0


def roll_back(ref: str, reason: str, console: Console) -> None:
    """Makes a version that was champion the champion again."""
    registry = connect(RegistrySettings())
    who = person()
    number = _number(registry, ref) if ref else None
    promotion = rollback(registry, number, reason=reason, who=who.name, signed_in=who.signed_in)
    _print_promotion(registry, promotion, console)


def approve_decision(run: str, console: Console) -> None:
    """Signs that somebody else stands behind a decision; raises NotKnown and NotApproved."""
    registry, who = connect(RegistrySettings()), approver()
    record = decision_of_run(registry, run)
    approval = Approval(record=record.signed.digest, who=who.name, signed_in=who.signed_in, made=datetime.now(UTC))
    write_approval(registry, record, approval)
    number = record.statement.number
    console.print(f"[bold]{who.name}[/] approves decision {run}: version {number} may be promoted with it")


def print_versions(console: Console) -> None:
    registry = connect(RegistrySettings())
    versions = list_versions(registry)
    if not versions:
        console.print(
            f"Nothing is registered in {without_password(registry.uri)} yet: run `copydesk register`", soft_wrap=True
        )
        return
    there, trusted, moves = standing(registry), trusted_keys(registry.settings), history(registry)
    expired, unknown = _expired()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("version", "alias", "pack", "model", "digest", "registered", "evidence", "signer"):
        table.add_column(name, overflow="fold")
    for version in versions:
        move = next((one for one in moves if _promotes(one, version.number)), None)
        table.add_row(
            str(version.number),
            Text(", ".join(version.aliases), _alias_style(version, there)),
            version.pack,
            version.model,
            version.digest[:8],
            f"{version.registered:%Y-%m-%d %H:%M}",
            _with_expiry(_evidence(move), expired.get(str(version.number))),
            trusted.name_of(move.signer) if move else "",
        )
    console.print(table)
    if unknown:
        console.print(Text(f"Whether evidence has expired is not known: {unknown}", "yellow"), soft_wrap=True)
    if there.refusal:
        console.print(Text(f"Workers refuse what the registry says: {there.refusal}", "bold red"), soft_wrap=True)


def print_promotions(console: Console, *, as_json: bool) -> None:
    registry = connect(RegistrySettings())
    moves = history(registry)
    if as_json:
        print(json.dumps([_as_json(move) for move in moves], indent=1, ensure_ascii=False))  # noqa: T201 - for a pipe
        return
    if not moves:
        console.print("No version was promoted yet: `copydesk gate`, then `copydesk promote NUMBER`")
        return
    trusted = trusted_keys(registry.settings)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("when", "from", "to", "who", "kind", "record", "evidence", "signer"):
        table.add_column(name, overflow="fold")
    for move in moves:
        promotion = move.promotion
        if promotion is None or move.fault:
            at, to = (move.at, "") if promotion is None else (_second(promotion.at), str(promotion.number))
            who = promotion.who if promotion else ""
            table.add_row(at, "", to, Text(who), Text("refused", "red"), "", Text(move.fault, "red"), move.signer)
            continue
        table.add_row(
            _second(promotion.at),
            str(promotion.previous or "none"),
            str(promotion.number),
            Text(promotion.who),
            str(promotion.kind),
            promotion.record[:16],
            _evidence(move),
            trusted.name_of(move.signer),
        )
    console.print(table)


def _number(registry: Registry, ref: str) -> int:
    if ref.isdecimal():
        return int(ref)
    there = ", ".join(str(version.number) for version in list_versions(registry)) or "none: run `copydesk register`"
    raise UnknownVersion(f"a version is named by its number, got {ref!r}: there are {there}")


def _print_promotion(registry: Registry, promotion: Promotion, console: Console) -> None:
    before = f"; before it was version {promotion.previous}" if promotion.previous else ""
    console.print(f"[bold]Version {promotion.number}[/] is champion{before}")
    if promotion.is_ungated:
        console.print(Text(f"  ungated: no evaluation stands behind it. {promotion.evidence}", "yellow"))
    else:
        console.print(Text(f"  {promotion.evidence}", "green"))
    console.print(f"  record {promotion.record[:16]}, promoted by {promotion.who}", style="dim")
    if ahead := _ahead(promotion):
        console.print(Text(ahead, "yellow"), soft_wrap=True)
    made_with = describe(registry, str(promotion.number)).code_digest
    if made_with != code_digest():
        other = f"  made with agent code {made_with[:12]}, here is {code_digest()[:12]}"
        console.print(Text(f"{other}: only workers of that release serve it", "yellow"))


def _promotes(move: Move, number: int) -> bool:
    return move.promotion is not None and not move.fault and move.promotion.number == number


def _ahead(promotion: Promotion) -> str:
    """What is to be said of a promotion that this machine's clock has not reached; empty where it has."""
    ahead = promotion.at - datetime.now(UTC)
    if ahead < CLOCK_TOLERANCE:
        return ""
    return (
        f"  dated {_second(promotion.at)}, {ahead.total_seconds() / 60:.0f} minutes ahead of this machine's clock, "
        "because the promotion before is: this clock, or that of whoever made it, is wrong"
    )


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _alias_style(version: RegisteredVersion, there: Standing) -> str:
    if CHAMPION not in version.aliases:
        return ""
    served = there.champion.version.number if there.champion else None
    return "bold green" if served == version.number else "bold red"


def _evidence(move: Move | None) -> Text:
    if move is None or move.promotion is None:
        return Text("never promoted", "dim")
    return Text(move.promotion.evidence, "yellow" if move.promotion.is_ungated else "green")


def _expired() -> tuple[dict[str, Expiry], str]:
    """Version -> since when and why its evidence doesn't hold, as the service's database says; and what hinders it."""
    settings = ServingSettings()
    if not settings.db_connection_string and not settings.database_file.exists():
        return {}, ""  # no service has run here
    try:
        return asyncio.run(_expiries(settings)), ""
    except CopydeskError as error:
        return {}, str(error)


async def _expiries(settings: ServingSettings) -> dict[str, Expiry]:
    database = await open_database(settings.database_url)
    try:
        return await SqlEvidence(database).expired()
    finally:
        await database.close()


def _with_expiry(evidence: Text, expiry: Expiry | None) -> Text:
    if expiry is None:
        return evidence
    return evidence + Text(f"\nEXPIRED since {expiry.since:%Y-%m-%d %H:%M}: {expiry.reason}", "bold red")


def _as_json(move: Move) -> dict[str, object]:
    told: dict[str, object] = {"at": move.at}
    if move.promotion:
        told = move.promotion.model_dump(mode="json", exclude={"document"})
    return told | {"signer": move.signer, "fault": move.fault}
