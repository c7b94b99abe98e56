"""`copydesk guidelines`: list, show, validate and import packs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.errors import CopydeskError, PackError
from agent.example_proof import prove_examples
from agent.guideline import Guideline, GuidelinePack, Kind
from agent.pack_files import default_pack, load_pack, write_pack
from pipelines.options import PackOption
from pipelines.output.text import STYLES

app = typer.Typer(help="List, show, validate and import guidelines.", no_args_is_help=True)
console = Console(highlight=False)


class FolderNotEmpty(CopydeskError):
    """The folder to write a pack to holds something already."""

    type = "folder-not-empty"


def _pack(folder: Path | None) -> GuidelinePack:
    return load_pack(folder) if folder else default_pack()


@app.command("list")
def list_guidelines(pack: PackOption = None) -> None:
    """List the guidelines of a pack."""
    loaded = _pack(pack)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "severity", "kind", "title"):
        table.add_column(column, no_wrap=column != "title")
    for guideline in loaded.guidelines:
        severity = Text(guideline.severity, STYLES[guideline.severity])
        table.add_row(guideline.id, severity, guideline.kind, guideline.title)
    console.print(table)
    prompts = sum(guideline.kind is Kind.PROMPT for guideline in loaded.guidelines)
    total = len(loaded.guidelines)
    console.print(f"\nPack {loaded.name}: {total} guidelines, {prompts} prompts and {total - prompts} patterns")


@app.command()
def show(id: Annotated[str, typer.Argument(help="The guideline's id.")], pack: PackOption = None) -> None:
    """Show one guideline: what editors read, what a model is asked, and its examples."""
    (guideline,) = _pack(pack).select((id,))
    console.print(Text(guideline.title, "bold"))
    facts = f"{guideline.id} · {guideline.category} · {guideline.severity} · {guideline.scope}"
    console.print(Text(f"{facts} · {_checked_by(guideline)}\n", "dim"))
    console.print(Markdown(guideline.guidance))
    sections = (
        ("What a model is asked", (guideline.instruction,) if guideline.instruction else ()),
        ("Does not count", guideline.does_not_count),
        ("Breaks it", guideline.violations),
        ("Does not break it", guideline.compliant),
        ("Patterns", tuple(f"{rule.check}: {rule.message}" for rule in guideline.rules)),
    )
    for heading, lines in sections:
        if lines:
            console.print(Text(f"\n{heading}", "bold"))
            for line in lines:
                console.print(Padding(Text(" ".join(line.split())), (0, 0, 0, 2)))


@app.command()
def validate(folder: Annotated[Path, typer.Argument(help="A folder of guideline files.")]) -> None:
    """Check a pack: every mistake with its file and line, and every example against the patterns."""
    pack = load_pack(folder)
    if problems := prove_examples(folder):
        raise PackError(str(folder), problems)
    examples = sum(len(guideline.violations) + len(guideline.compliant) for guideline in pack.guidelines)
    console.print(f"Pack {pack.name}: {len(pack.guidelines)} guidelines, {examples} examples, no mistakes")


@app.command("import-vale")
def import_vale(
    folder: Annotated[Path, typer.Argument(help="A Vale style: a folder of .yml rules.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write the pack to.")],
) -> None:
    """Turn a style of the Vale linter into a pack; guideline ids are Style.Rule."""
    from agent.vale import import_vale as read_style

    if out.exists() and any(out.iterdir()):
        raise FolderNotEmpty(f"{str(out)!r} holds something already: name a new folder, or empty it first")
    style = read_style(folder)
    write_pack(style.pack, out)
    console.print(f"Wrote {len(style.pack.guidelines)} guidelines to {out}")
    for skipped in style.skipped:
        console.print(Text(f"! not imported: {skipped}", "yellow"))


def _checked_by(guideline: Guideline) -> str:
    if guideline.kind is Kind.PATTERN:
        return "patterns"
    return "model, or patterns" if guideline.rules else "model"
