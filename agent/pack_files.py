"""A guideline pack as a folder: one Markdown file a guideline, in the order of the file names."""

import re
from collections.abc import Mapping
from pathlib import Path

from agent.errors import PackError, PackProblem
from agent.front_matter import Mistake
from agent.guideline import ID_PATTERN, Guideline, GuidelinePack
from agent.guideline_file import GuidelineFile, Reading, read_guideline, write_guideline
from agent.pattern_mistakes import pattern_mistakes

DEFAULT_NAME = "house"
DEFAULT_FOLDER = Path(__file__).parent / "guidelines"
NOT_A_GUIDELINE = "readme.md"


def default_pack() -> GuidelinePack:
    """The pack `house` that comes with the product."""
    return load_pack(DEFAULT_FOLDER, name=DEFAULT_NAME)


def load_pack(folder: Path, *, name: str | None = None) -> GuidelinePack:
    """The pack in a folder, named after the folder unless `name` is given.

    Raises PackError with every mistake in every file; nothing is loaded half. README.md is left out.
    """
    files = read_pack_files(folder)
    name = name or _name(folder)
    if not re.fullmatch(ID_PATTERN, name):
        problem = f'the pack\'s name is "{name}": use letters and digits, joined by "-" or "."'
        raise _error(folder, [PackProblem(str(folder), 1, problem)])
    return GuidelinePack(name=name, guidelines=tuple(file.guideline for file in files))


def read_pack_files(folder: Path) -> tuple[GuidelineFile, ...]:
    """The guidelines of a folder with their lines, in the order of the file names; raises PackError."""
    if not folder.is_dir():
        raise _error(folder, [PackProblem(str(folder), 1, "there is no such folder: name one that holds .md files")])
    paths = sorted(path for path in folder.glob("*.md") if path.name.lower() != NOT_A_GUIDELINE and path.is_file())
    if not paths:
        raise _error(folder, [PackProblem(str(folder), 1, "the folder has no guideline: put a .md file in it")])
    readings = {path.name: _read(path) for path in paths}
    problems = [
        PackProblem(name, mistake.line, mistake.message)
        for name, reading in readings.items()
        for mistake in (reading.mistakes if reading.file is None else pattern_mistakes(reading.file))
    ]
    problems += _duplicates(readings)
    if problems:
        raise _error(folder, problems)
    return tuple(reading.file for reading in readings.values() if reading.file)


def write_pack(pack: GuidelinePack, folder: Path) -> None:
    """Writes a pack so that `load_pack(folder, name=pack.name)` gives it back exactly.

    Raises PackError, and writes nothing, where the folder already has guidelines, and ValueError for
    a guideline whose texts the format can't hold.
    """
    if folder.is_dir() and any(path.name.lower() != NOT_A_GUIDELINE for path in folder.glob("*.md")):
        raise _error(folder, [PackProblem(str(folder), 1, "the folder already has guidelines: name an empty one")])
    texts = [write_guideline(guideline) for guideline in pack.guidelines]
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(_file_names(pack.guidelines), texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _read(path: Path) -> Reading:
    try:
        return read_guideline(path.name, path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{error.object[error.start]:02X} is not UTF-8: save the file as UTF-8"
        return Reading(None, (Mistake(line, message),))


def _duplicates(readings: Mapping[str, Reading]) -> list[PackProblem]:
    first: dict[str, str] = {}
    problems = []
    for name, reading in readings.items():
        if reading.id in first:
            message = f'id "{reading.id}" is already that of {first[reading.id]}: give one of them another id'
            problems.append(PackProblem(name, reading.id_line, message))
        elif reading.id:
            first[reading.id] = f"{name}:{reading.id_line}"
    return problems


def _file_names(guidelines: tuple[Guideline, ...]) -> list[str]:
    """`ID.md`, numbered where the names alone wouldn't keep the order (or differ by case only, or one is README)."""
    names = [f"{guideline.id}.md" for guideline in guidelines]
    distinct = {name.lower() for name in names} - {NOT_A_GUIDELINE}
    if names == sorted(names) and len(distinct) == len(names):
        return names
    width = len(str(len(names)))
    return [f"{number:0{width}}-{name}" for number, name in enumerate(names, start=1)]


def _name(folder: Path) -> str:
    return "-".join(re.findall(r"[A-Za-z0-9]+", folder.resolve().name))[:64].rstrip("-") or "pack"


def _error(folder: Path, problems: list[PackProblem]) -> PackError:
    return PackError(str(folder), tuple(problems))
