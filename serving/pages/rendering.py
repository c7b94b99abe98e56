"""Templates, and the headers every page has."""

import hashlib

from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from serving.pages import wording
from serving.pages.assets import SERVING, assets

STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ASK_EACH_TIME = "no-cache"

_templates = Environment(
    loader=FileSystemLoader([SERVING / "pages" / "templates", SERVING / "addin" / "templates"]),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals |= {"asset": lambda name: assets().url(name), "say": wording}


def render(template: str, **values: object) -> str:
    """In every template `asset(name)` is the address of a static file, and `say` has the words for figures."""
    return _templates.get_template(template).render(**values)


def answered(body: str, *, policy: str, if_none_match: str, media_type: str = "text/html") -> Response:
    """The page, or 304 for who has it already; `policy` is its Content-Security-Policy."""
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
    headers = {**HEADERS, "Content-Security-Policy": policy, "Cache-Control": ASK_EACH_TIME, "ETag": etag}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
