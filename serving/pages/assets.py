"""The pages' static files, read once and addressed by their content."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
DIGEST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All static files, under one digest: modules import each other by relative paths, so they share a folder."""

    digest: str
    by_name: dict[str, Asset]

    def url(self, name: str) -> str:
        """The address of a file that may be kept for ever: another content has another address."""
        if name not in self.by_name:
            raise KeyError(f"there is no static file {name!r}: it has {', '.join(self.by_name)}")
        return f"/static/{self.digest}/{name}"


def read_assets(folder: Path) -> Assets:
    files = {path.name: path for path in sorted(folder.iterdir()) if path.suffix in MEDIA_TYPES}
    by_name = {name: Asset(path.read_bytes(), MEDIA_TYPES[path.suffix]) for name, path in files.items()}
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + asset.body for name, asset in by_name.items()))
    return Assets(digest.hexdigest()[:DIGEST_DIGITS], by_name)


@cache
def assets() -> Assets:
    return read_assets(FOLDER)
