"""What Word is given to install the add-in: the XML every Word reads, and the unified manifest of Microsoft 365.

Only the XML reaches Office without a subscription and the iPad; only the unified one can be part of an app of
Microsoft 365.
"""

import io
import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from serving.addin.place import Place
from serving.pages.rendering import render

ICONS = Path(__file__).parent / "icons"
SIZES = (16, 32, 64, 80, 128, 192)
ADDIN_ID = "7c1a5f52-9d0e-4b7b-8f57-5a6a0c2d4e31"  # for ever: Word tells add-ins apart by it
SCHEMA = "https://developer.microsoft.com/json-schemas/teams/v1.30/MicrosoftTeams.schema.json"
WORD_API = "1.3"
NAME = "Copydesk"
PROVIDER = "Copydesk"
DESCRIPTION = "Checks an article against the house's guidelines."
LONG_DESCRIPTION = (
    "Checks an article against the house's guidelines: a score, and each finding at its exact words, "
    "with the rule behind it and what to write instead."
)
BUTTON = "Check article"
TIP = "Check this article against the house's guidelines."
ZIPPED_AT = (2026, 1, 1, 0, 0, 0)  # equal content, equal bytes


@dataclass(frozen=True, slots=True)
class Listing:
    """What differs between installations and releases."""

    url: str
    host: str
    version: str  # of three numbers

    def icon(self, size: int) -> str:
        return f"{self.url}/addin/icons/icon-{size}.png"


def listing(place: Place, version: str) -> Listing:
    """Raises NoPublicUrl."""
    return Listing(place.url, place.host, version)


def xml_manifest(listing: Listing) -> str:
    """The add-in-only manifest."""
    return render(
        "manifest.xml",
        listing=listing,
        id=ADDIN_ID,
        name=NAME,
        provider=PROVIDER,
        description=DESCRIPTION,
        button=BUTTON,
        tip=TIP,
        word_api=WORD_API,
    )


def json_manifest(listing: Listing) -> dict[str, object]:
    """The unified manifest, of the schema it names."""
    icons = [{"size": size, "url": listing.icon(size)} for size in (16, 32, 80)]
    pane = f"{listing.url}/addin/taskpane.html"
    button = {
        "id": "CheckButton",
        "type": "button",
        "label": BUTTON,
        "icons": icons,
        "supertip": {"title": BUTTON, "description": TIP},
        "actionId": "ShowPane",
    }
    group = {"id": "CheckGroup", "label": NAME, "icons": icons, "controls": [button]}
    runtime = {
        "id": "PaneRuntime",
        "type": "general",
        "lifetime": "long",
        "code": {"page": pane},
        "actions": [{"id": "ShowPane", "type": "openPage", "view": "pane"}],
    }
    extension = {
        "requirements": {"scopes": ["document"], "capabilities": [{"name": "WordApi", "minVersion": WORD_API}]},
        "runtimes": [runtime],
        "ribbons": [{"contexts": ["default"], "tabs": [{"builtInTabId": "TabReviewWord", "groups": [group]}]}],
        # Who has both gets this one only.
        "alternates": [{"hide": {"customOfficeAddin": {"officeAddinId": ADDIN_ID}}}],
    }
    return {
        "$schema": SCHEMA,
        "manifestVersion": "1.30",
        "version": listing.version,
        "id": ADDIN_ID,
        "localizationInfo": {"defaultLanguageTag": "en-gb"},
        "developer": {
            "name": PROVIDER,
            "websiteUrl": listing.url,
            "privacyUrl": f"{listing.url}/addin/help.html",
            "termsOfUseUrl": f"{listing.url}/addin/help.html",
        },
        "name": {"short": NAME, "full": NAME},
        "description": {"short": DESCRIPTION, "full": LONG_DESCRIPTION},
        "icons": {"outline": "outline.png", "color": "icon-192.png"},
        "accentColor": "#0F6CBD",
        "validDomains": [listing.host],
        "authorization": {
            "permissions": {"resourceSpecific": [{"name": "Document.ReadWrite.User", "type": "Delegated"}]}
        },
        "extensions": [extension],
    }


def packaged(listing: Listing) -> bytes:
    """The unified manifest with its two icons, as the admin centre takes it."""
    files = {
        "manifest.json": json.dumps(json_manifest(listing), indent=1).encode(),
        "icon-192.png": icons()["icon-192.png"],
        "outline.png": icons()["outline.png"],
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, body in files.items():
            zipped.writestr(zipfile.ZipInfo(name, ZIPPED_AT), body)
    return archive.getvalue()


@cache
def icons() -> dict[str, bytes]:
    """The pictures by name."""
    return {path.name: path.read_bytes() for path in sorted(ICONS.glob("*.png"))}
