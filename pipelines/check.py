"""Checks files from the command line, with a pack from files or a registered version."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agent.article import Article
from agent.endpoint import Endpoint
from agent.errors import CopydeskError, UnsupportedDocument
from agent.formats.reading import read_article
from agent.graph import Agent
from agent.graph import Progress as Done
from agent.recording import Recording
from agent.settings import ModelSettings
from pipelines.agent_spec import agent_spec, pack_of
from pipelines.output import RENDERERS, OutputFormat
from pipelines.output.sheet import Checked, Sheet, Unreadable
from pipelines.output.text import print_sheets

STDIN = "-"
RECORDING_SUFFIX = ".recording.json.gz"


def choose_agent(pack: Path | None, version: str | None, model: str = "", settings: Sequence[str] = ()) -> Agent:
    """A registered version where one is named, else the pack's files with this model, else the default pack."""
    endpoint = Endpoint(ModelSettings())
    if version is not None:
        return _registered(version, endpoint)
    return Agent(agent_spec(pack_of(pack), model, settings), endpoint=endpoint)


def _registered(version: str, endpoint: Endpoint) -> Agent:
    # MLflow takes seconds to import, and checking with files needs none of it.
    from registry.connection import connect
    from registry.settings import RegistrySettings
    from registry.versions import load

    return load(connect(RegistrySettings(), may_be_down=True), version, endpoint=endpoint)


@asynccontextmanager
async def _ready(agent: Agent) -> AsyncIterator[None]:
    """Finished checks are kept beside the service's; an agent that asks no model keeps none."""
    if not agent.asks_a_model:
        yield
        return
    from serving.adapters.database import open_database
    from serving.adapters.sql_check_cache import SqlKeyValues
    from serving.settings import ServingSettings

    database = await open_database(ServingSettings().database_url)
    try:
        agent.keep_checks_in(SqlKeyValues(database, lambda: datetime.now(UTC)))
        yield
    finally:
        await agent.close()
        await database.close()


def check_files(
    files: Sequence[str],
    agent: Agent,
    *,
    guidelines: tuple[str, ...] | None,
    language: str,
    stdin_name: str,
    progress: Console,
    record: Path | None = None,
) -> list[Sheet]:
    """Checks every file that can be read; one that can't is an `Unreadable` in its place.

    Standard input is read as the kind of file that `stdin_name` names. `record` is a folder for a recording a file.
    """
    agent.spec.pack.select(guidelines)
    if record is not None:
        record.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_check_all(files, agent, guidelines, language, stdin_name, progress, record))


async def _check_all(
    files: Sequence[str],
    agent: Agent,
    guidelines: tuple[str, ...] | None,
    language: str,
    stdin_name: str,
    console: Console,
    record: Path | None,
) -> list[Sheet]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("guidelines"))
    sheets: list[Sheet] = []
    async with _ready(agent):
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            total = len(agent.spec.pack.select(guidelines))
            for file in files:
                task = bar.add_task(Path(file).name, total=total)

                async def advance(done: Done, task: int = task) -> None:
                    bar.update(task, completed=done.done)  # type: ignore[arg-type]

                try:
                    article = _read(file, language, stdin_name)
                except CopydeskError as error:
                    sheets.append(Unreadable(file, error))
                else:
                    recording = Recording.begin(agent.spec, article, guidelines) if record else None
                    report = await agent.check(article, guidelines=guidelines, on_progress=advance, recording=recording)
                    if record and recording:
                        recording_file(record, file, article).write_bytes(recording.dump())
                    sheets.append(Checked(file, article, report, agent.spec.pack))
                bar.remove_task(task)
    return sheets


def recording_file(folder: Path, file: str, article: Article) -> Path:
    """Where the recording of a file's check goes; the same article of the same name overwrites it."""
    name = "standard-input" if file == STDIN else Path(file).name
    return folder / f"{name}-{article.content_hash[:12]}{RECORDING_SUFFIX}"


def _read(file: str, language: str, stdin_name: str) -> Article:
    if file == STDIN:
        return read_article(sys.stdin.buffer.read(), stdin_name, language=language)
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        hint = "name a file, or a pattern that your shell expands" if Path(file).is_dir() else "check the path"
        raise UnsupportedDocument(f"{file!r} can't be read ({error.strerror}): {hint}") from error
    return read_article(data, Path(file).name, language=language)


def write(sheets: list[Sheet], format: OutputFormat, out: Path | None) -> None:
    """Writes the sheets to a file, or to standard output."""
    if format is OutputFormat.TEXT:
        if out is None:
            print_sheets(Console(highlight=False), sheets)
            return
        with out.open("w", encoding="utf-8") as stream:
            print_sheets(Console(file=stream, width=100, highlight=False), sheets)
        return
    rendered = RENDERERS[format](sheets)
    if out is None:
        sys.stdout.write(rendered + "\n")
    else:
        out.write_text(rendered + "\n", encoding="utf-8")


def exit_code(sheets: Sequence[Sheet], fail_under: float) -> int:
    """2 when a file couldn't be read, 1 for a breach, a score under the line or nothing checked, else 0."""
    if any(isinstance(sheet, Unreadable) for sheet in sheets):
        return 2
    return 0 if all(isinstance(sheet, Checked) and sheet.passes(fail_under) for sheet in sheets) else 1
