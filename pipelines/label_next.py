"""Which unlabelled articles to label next: those on which two versions disagree."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agent.endpoint import Endpoint
from agent.formats.reading import read_article
from agent.settings import ModelSettings
from evaluation.disagreement import Disagreement, disagreement, ranked
from pipelines.evaluate import Subject, choose
from registry.connection import Registry


def show_next(registry: Registry, a: str, b: str, files: Sequence[Path], top: int, console: Console) -> None:
    """Checks each file by both versions and prints the `top` files that teach most."""
    subjects = [choose(registry, ref, None, "", ()) for ref in (a, b)]
    with console.status("Checking by both versions …"):
        found = asyncio.run(_compare(subjects[0], subjects[1], files))
    wanted = ranked(found)
    if not wanted:
        console.print("The versions agree on every article.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Article", overflow="fold")
    table.add_column("Findings of one version", justify="right")
    table.add_column("Guidelines")
    for one in wanted[:top]:
        counts = sorted(one.by_guideline.items(), key=lambda item: -item[1])
        table.add_row(one.name, str(one.findings), ", ".join(f"{id} {count}" for id, count in counts))
    console.print(table)
    console.print(
        f"The versions differ on {len(wanted)} of {len(files)} articles. Label these for a split to develop on: "
        "in a test set they would make differences look more common than they are.",
        style="dim",
        soft_wrap=True,
    )


async def _compare(one: Subject, other: Subject, files: Sequence[Path]) -> list[Disagreement]:
    endpoint = Endpoint(ModelSettings())
    agents = [subject.agent(endpoint, None) for subject in (one, other)]
    try:
        found = []
        for file in files:
            article = read_article(file.read_bytes(), file.name)
            reports = await asyncio.gather(*(agent.check(article) for agent in agents))
            found.append(disagreement(str(file), reports[0], reports[1]))
        return found
    finally:
        await endpoint.close()
