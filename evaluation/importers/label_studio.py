"""Label Studio, JSON (not JSON-MIN): tasks with annotations of their text. Offsets count UTF-16 code units."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from evaluation.importers.export import Export, Part, RawDocument, RawSpan, Reason
from evaluation.importers.records import Record, files_of, source_text, valid
from evaluation.labels import LabelError


class _Task(Record):
    id: int | str
    data: dict[str, Any]
    annotations: list[Any]
    predictions: list[Any] = Field(default_factory=list)


class _Annotation(Record):
    result: list[Any]
    completed_by: int | str | dict[str, Any] | None = None
    was_cancelled: bool = False


class _Words(Record):
    start: int
    end: int
    labels: list[str] = Field(min_length=1)
    text: str | None = None


def read_label_studio(source: Path, _texts: Path | None) -> Export:
    """Raises LabelError. The place of a label is its task's number in the file, from 1."""
    export = Export()
    for file in files_of(source, ".json"):
        for number, value in enumerate(_tasks(file), start=1):
            place = f"{file.name} task {number}"
            if task := valid(_Task, value, place, export):
                _take(task, place, export)
    return export


def _tasks(file: Path) -> list[object]:
    try:
        tasks = json.loads(source_text(file))
    except ValueError as error:
        raise LabelError(f"{str(file)!r} is no JSON: {error}") from error
    if not isinstance(tasks, list):
        raise LabelError(f"{str(file)!r} is no list of tasks: export the project as JSON")
    return tasks


def _take(task: _Task, place: str, export: Export) -> None:
    if task.predictions:
        export.left_out["predictions of a model"] += len(task.predictions)
    text = _text(task)
    if text is None:
        said = f"none of its data ({', '.join(task.data)}) is the text: name it `text`; labels go with it"
        export.reject(place, Reason.NO_TEXT, said)
        return
    answers = [one for one in (valid(_Annotation, value, place, export) for value in task.annotations) if one]
    read = [answer for answer in answers if not answer.was_cancelled]
    for answer in answers:
        if answer.was_cancelled:
            said = f"annotator {_name(answer)} skipped it, results: {len(answer.result)}"
            export.reject(place, Reason.NOT_ACCEPTED, said)
    if read:
        spans = [span for answer in read for span in _spans(answer, place, export)]
        readers = tuple(_name(answer) for answer in read)
        export.documents.append(RawDocument(place, str(task.id), text, tuple(spans), readers))
    elif not task.annotations:
        export.left_out["tasks that nobody annotated"] += 1


def _text(task: _Task) -> str | None:
    """The field `text`, or the only one that holds text."""
    texts = {name: value for name, value in task.data.items() if isinstance(value, str)}
    if "text" in texts or len(texts) != 1:
        return texts.get("text")
    return next(iter(texts.values()))


def _spans(answer: _Annotation, place: str, export: Export) -> list[RawSpan]:
    spans: list[RawSpan] = []
    for number, result in enumerate(answer.result, start=1):
        kind = result.get("type") if isinstance(result, dict) else None
        if kind not in ("labels", "hypertextlabels", None):
            export.left_out[f"results of type {kind!r}"] += 1
        elif words := valid(_Words, _value(result), f"{place} result {number}", export):
            part = Part(words.start, words.end)
            spans += (
                RawSpan(f"{place} result {number}", label, (part,), words.text, _name(answer)) for label in words.labels
            )
    return spans


def _value(result: object) -> object:
    return result.get("value") if isinstance(result, dict) else result


def _name(answer: _Annotation) -> str:
    """Who made it: the e-mail address, or the number of the user."""
    who = answer.completed_by
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return "" if who is None else str(who)
