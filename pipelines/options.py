"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

PackOption = Annotated[
    Path | None, typer.Option("--pack", help="A folder of guideline files; the pack `house` without it.")
]
ModelOption = Annotated[
    str,
    typer.Option(
        help="Model or deployment that checks prompt guidelines, reached at COPYDESK_MODEL_URL; "
        "without it they use their patterns."
    ),
]
VersionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the version: temperature=0.2; can be given again."
    ),
]
LabelsOption = Annotated[
    Path | None, typer.Option("--set", help="A labelled set; not needed where runs of evaluations are named.")
]
SplitOption = Annotated[str, typer.Option(help="The split of the set.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        envvar="COPYDESK_POLICY", help="What is asked of a version, YAML; the policy of the pack `house` without it."
    ),
]
PageOption = Annotated[Path | None, typer.Option("--out", "-o", help="Write an HTML page, too.")]
DecisionOption = Annotated[str, typer.Option(help="The MLflow run of a decision; the newest of this version without.")]
DecidedOnOption = Annotated[Path | None, typer.Option("--set", help="The labelled set it must have been decided on.")]
