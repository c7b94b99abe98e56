"""What became of a look at a champion's canaries, in the terminal."""

from rich.console import Console
from rich.text import Text

from evaluation.canary import Outcome
from pipelines.canary import Frozen, Looked, Scored

STYLES = {Outcome.SAME: "bold green", Outcome.CHANGED: "bold red", Outcome.UNCLEAR: "bold yellow"}
MOST_SHOWN = 10  # differences


def print_canaries(console: Console, looked: Looked) -> None:
    if not looked.asks:
        console.print(f"Version {looked.version} asks no model: patterns say the same each day, so nothing can drift.")
        return
    if looked.frozen:
        _print_frozen(console, looked.frozen)
    if looked.scored is None:
        console.print(
            f"Version {looked.version} was never evaluated: what it says today is what later days are held to."
        )
        return
    _print_scored(console, looked.scored)
    console.print(Text(looked.logged, "dim"), soft_wrap=True)
    if looked.scored.outcome is Outcome.CHANGED:
        said = "has expired" if looked.expired else "had expired before, or no worker has served it here yet"
        console.print(Text(f"The evidence of version {looked.version} {said}.", "red"))
        console.print(
            "Evaluate it anew, decide between the two evaluations, and promote it, or go back: docs/lineage.md"
        )


def _print_frozen(console: Console, frozen: Frozen) -> None:
    console.print(f"{frozen.articles} canaries frozen, digest {frozen.digest[:12]}, in run {frozen.run}", style="dim")


def _print_scored(console: Console, scored: Scored) -> None:
    found = scored.agreement
    console.print(Text(scored.outcome, STYLES[scored.outcome]))
    if found.value is None or found.interval is None:
        console.print(
            "Nothing was found, then or now: delete the run that froze the canaries, and take more with --articles"
        )
    else:
        low, high = found.interval
        console.print(
            f"{found.value:.0%} ({low:.0%}–{high:.0%}) of {found.findings} findings are the same as then: "
            f"{found.gone} gone, {found.new} new; {scored.line:.0%} must be",
            soft_wrap=True,
        )
    if found.failed:
        console.print(Text(f"{found.failed} of {found.checks} checks failed", "yellow"))
    if scored.change:
        console.print(Text(str(scored.change), "red" if scored.outcome is Outcome.CHANGED else "yellow"))
    for one in found.differences[:MOST_SHOWN]:
        console.print(Text(f"  {one.guideline} on {one.article}: {one.gone} gone, {one.new} new", "dim"))
    if len(found.differences) > MOST_SHOWN:
        console.print(Text(f"  and {len(found.differences) - MOST_SHOWN} more, in the run's differences.json", "dim"))
