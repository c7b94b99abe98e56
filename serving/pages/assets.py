"""Static files of the pages and of the pane, read once and addressed by their content."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SERVING = Path(__file__).parents[1]
FOLDERS = (SERVING / "pages" / "static", SERVING / "addin" / "static")
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
DIGEST_DIGITS = 12
# A third of what would be sent: comments, types within lines, and indentation. No literal here spans lines or holds
# `/**`; a comment after code goes where no quotation mark or slash follows, which would be the end of a literal.
_COMMENTS = re.compile(
    rb"""^[ \t]*(?:/\*(?:(?!\*/).)*\*/[ \t]*\n|//[^\n]*\n|\n)|^[ \t]+|/\*\*[^\n]*?\*/ ?|[ \t]+// [^'"`/\n]*$""",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    gzipped: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All static files, under one digest: modules import each other by relative paths, so they share an address."""

    digest: str
    by_name: dict[str, Asset]

    def url(self, name: str) -> str:
        """The address of a file that may be kept for ever: another content has another address."""
        if name not in self.by_name:
            raise KeyError(f"there is no static file {name!r}: it has {', '.join(self.by_name)}")
        return f"/static/{self.digest}/{name}"


def read_assets(*folders: Path) -> Assets:
    """The files of all folders as one; raises ValueError where two have the same name."""
    by_name: dict[str, Asset] = {}
    for path in sorted(path for folder in folders for path in folder.iterdir() if path.suffix in MEDIA_TYPES):
        if path.name in by_name:
            raise ValueError(f"there are two static files {path.name!r}: give {path} another name")
        by_name[path.name] = _read(path)
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + asset.body for name, asset in by_name.items()))
    return Assets(digest.hexdigest()[:DIGEST_DIGITS], by_name)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    if path.suffix in (".css", ".js"):
        body = _COMMENTS.sub(b"", body)
    return Asset(body, gzip.compress(body, 9, mtime=0), MEDIA_TYPES[path.suffix])


@cache
def assets() -> Assets:
    return read_assets(*FOLDERS)
