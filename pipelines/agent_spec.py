"""The version that a command's arguments describe: a pack, a model, and options by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from agent.guideline import GuidelinePack
from agent.pack_files import default_pack, load_pack
from agent.spec import AgentOptions, AgentSpec, ModelSpec

MODEL_NAME = "deployment"  # given by --model
NOTHING = ("", "none")
Value = TypeVar("Value", bound=BaseModel)


def pack_of(folder: Path | None) -> GuidelinePack:
    """The pack in a folder; the one that comes with Copydesk for None, or for its name where no folder is called so."""
    house = default_pack()
    if folder is None or (str(folder) == house.name and not folder.exists()):
        return house
    return load_pack(folder)


def agent_spec(pack: GuidelinePack, model: str, settings: Sequence[str] = ()) -> AgentSpec:
    """A version of `pack`; `settings` are "name=value" of `ModelSpec` and `AgentOptions`. Raises typer.BadParameter."""
    values = dict(_pair(setting) for setting in settings)
    of_model = {name: values.pop(name) for name in list(values) if name in ModelSpec.model_fields}
    if unknown := [name for name in values if name not in AgentOptions.model_fields]:
        known = sorted((ModelSpec.model_fields.keys() - {MODEL_NAME}) | AgentOptions.model_fields.keys())
        raise typer.BadParameter(f"--option {unknown[0]}: there is no such option, there are {', '.join(known)}")
    if of_model and not model:
        raise typer.BadParameter(f"--option {next(iter(of_model))} is about a model: name one with --model")
    return AgentSpec(
        pack=pack,
        model=_valid(ModelSpec, of_model | {MODEL_NAME: model}) if model else None,
        options=_valid(AgentOptions, values),
    )


def _pair(setting: str) -> tuple[str, str | None]:
    name, equals, value = setting.partition("=")
    if not equals or name == MODEL_NAME:
        raise typer.BadParameter(f"--option {setting}: write NAME=VALUE, such as temperature=0.2")
    return name.strip(), None if value.strip().lower() in NOTHING else value.strip()


def _valid(kind: type[Value], values: dict[str, Any]) -> Value:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(f"--option {first['loc'][0]}={first['input']}: {first['msg']}") from error
