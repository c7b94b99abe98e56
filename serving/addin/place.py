"""Where the pane lives and how its users sign in, as its pages, its scripts and Word are told."""

from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlsplit

from agent.errors import CopydeskError
from serving.access.settings import AccessSettings
from serving.settings import ServingSettings

OFFICE = "https://appsforoffice.microsoft.com"  # office.js may come from nowhere else


class NoPublicUrl(CopydeskError):
    """Word needs an address that nobody has told."""

    type = "no-public-url"
    status = 404


@dataclass(frozen=True, slots=True)
class SigningIn:
    """What the pane's script needs to know before it may ask for anything."""

    auth: Literal["none", "key", "entra"]
    client: str = ""  # the application's id in Entra
    authority: str = ""
    scope: str = ""
    msal: str = ""  # where Microsoft's library is loaded from


@dataclass(frozen=True, slots=True)
class Place:
    """The pane's address and who may show it."""

    public_url: str  # https, without a slash at the end; empty: not told
    frame_ancestors: tuple[str, ...]
    signing_in: SigningIn

    @property
    def url(self) -> str:
        """Raises NoPublicUrl."""
        if not self.public_url:
            raise NoPublicUrl(
                "Word loads add-ins over https from a fixed address: set PUBLIC_URL to this service's, "
                "such as https://copydesk.house.example"
            )
        return self.public_url

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def signs_in(self) -> bool:
        return self.signing_in.auth != "none"

    def page_policy(self) -> str:
        """The editor page's Content-Security-Policy."""
        return self._policy(scripts=(), styles=(), frames=("'none'",))

    def word_policy(self) -> str:
        """The task pane's: office.js writes styles, and Word shows the page in a frame."""
        return self._policy(scripts=(OFFICE,), styles=("'unsafe-inline'",), frames=self.frame_ancestors)

    def _policy(self, *, scripts: tuple[str, ...], styles: tuple[str, ...], frames: tuple[str, ...]) -> str:
        entra = self.signing_in.auth == "entra"
        libraries = (_origin(self.signing_in.msal),) if entra else ()
        authorities = (_origin(self.signing_in.authority),) if entra else ()
        rules = {
            "default-src": ("'none'",),
            "script-src": ("'self'", *scripts, *libraries),
            "style-src": ("'self'", *styles),
            "img-src": ("'self'", "data:"),
            "connect-src": ("'self'", *authorities),
            "base-uri": ("'none'",),
            "frame-ancestors": frames,
            "form-action": ("'none'",),
            **({"frame-src": authorities} if entra else {}),
        }
        return "; ".join(" ".join((name, *sources)) for name, sources in rules.items())

    def settings(self) -> dict[str, str]:
        return asdict(self.signing_in)


def place_of(serving: ServingSettings, access: AccessSettings) -> Place:
    return Place(serving.public_url, serving.frame_ancestors, _signing_in(access))


def _signing_in(access: AccessSettings) -> SigningIn:
    if not access.required:
        return SigningIn("none")
    if not (access.entra_client and access.msal_url):
        return SigningIn("key")
    return SigningIn(
        "entra",
        client=access.entra_client,
        authority=f"{access.entra_authority}/{access.entra_tenant}",
        scope=access.entra_scope,
        msal=access.msal_url,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "'self'"
