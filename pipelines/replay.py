"""Replays a recorded check and says whether it came out the same."""

import asyncio
import difflib
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.text import Text

from agent.recording import Recording, without_seconds
from agent.replay import replay
from pipelines.check import write
from pipelines.output import OutputFormat
from pipelines.output.sheet import Checked

SHOWN_LINES = 20  # of what differs


def replay_run(run: str, format: OutputFormat, console: Console) -> int:
    """0 for the same report, 1 for another one; raises RecordingError and NoRecording."""
    recording = Recording.load(_stored(run), run)
    report = asyncio.run(replay(recording))
    write([Checked(run, recording.stored_article, report, recording.spec.pack)], format, None)
    if recording.report is None:  # `replay` refuses it
        raise AssertionError("unreachable: an unfinished recording was replayed")
    before, after = without_seconds(recording.report), without_seconds(report)
    if format is not OutputFormat.TEXT:
        return 0 if before == after else 1
    if before == after:
        console.print(Text(f"The same report as recorded, from {len(recording.exchanges)} recorded answers.", "green"))
        return 0
    console.print(Text("Another report than was recorded:", "red"))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "recorded", "replayed", n=1, lineterm="")
    for line in islice(lines, SHOWN_LINES):
        console.print(Text(line))
    return 1


def _stored(run: str) -> bytes:
    path = Path(run)
    if path.is_file():
        return path.read_bytes()
    # MLflow takes seconds to import, and a file needs none of it.
    from registry.connection import connect
    from registry.runs import read_recording
    from registry.settings import RegistrySettings

    return read_recording(connect(RegistrySettings()), run)
