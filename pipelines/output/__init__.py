"""A checked article as text for a terminal, JSON, HTML or SARIF."""

from collections.abc import Callable
from enum import StrEnum

from pipelines.output.html import render_html
from pipelines.output.json import render_json
from pipelines.output.sarif import render_sarif
from pipelines.output.sheet import Sheet


class OutputFormat(StrEnum):
    """What `copydesk check` writes."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    SARIF = "sarif"


RENDERERS: dict[OutputFormat, Callable[[list[Sheet]], str]] = {
    OutputFormat.JSON: render_json,
    OutputFormat.HTML: render_html,
    OutputFormat.SARIF: render_sarif,
}
