"""`python -m tests.bench [name]`: runs every benchmark, or one."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench import (  # noqa: F401 - they list themselves
    checks,
    drills,
    evaluations,
    gate_simulation,
    kills,
    memory,
    pane,
    patterns,
    peers,
    prefixes,
    requests,
    rollouts,
    swaps,
)
from tests.bench.measure import BENCHMARKS, PARTS, Measurement

console = Console(width=None if sys.stdout.isatty() else 110)


def main() -> int:
    only = [PARTS.get(name, name) for name in sys.argv[1:]]
    if unknown := [name for name in only if name not in BENCHMARKS]:
        console.print(f"there is no benchmark {unknown[0]!r}: there are {', '.join([*BENCHMARKS, *PARTS])}")
        return 2
    measured: list[Measurement] = []
    for name, run in BENCHMARKS.items():
        if not only or name in only:
            with console.status(name):
                measured += run()
    _keep(measured)
    console.print(_table(measured))
    for m in measured:
        if m.note:
            console.print(Text.assemble("\n", (m.name, "bold"), f": {m.note}"))
    return 1 if any(m.ok is False for m in measured) else 0


def _keep(measured: list[Measurement]) -> None:
    """What another run measured stays."""
    file = Path("bench.json")
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    kept = {one["name"]: one for one in known} | {m.name: asdict(m) for m in measured}
    file.write_text(json.dumps(list(kept.values()), indent=1) + "\n", encoding="utf-8")


def _table(measured: list[Measurement]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for name in ("benchmark", "value", "target", "", "baseline", "ratio"):
        table.add_column(name, justify="right" if name in ("value", "ratio") else "left", no_wrap=True)
    marks = {True: Text("reached", "green"), False: Text("missed", "red"), None: Text("not measured", "yellow")}
    for m in measured:
        value = "" if m.value is None else f"{m.value:.3g} {m.unit}"
        ratio = "" if m.ratio is None else f"{m.ratio:.2f}"
        table.add_row(m.name, value, m.target, marks[m.ok], m.baseline, ratio)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
