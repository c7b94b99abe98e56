"""Who may read metrics: the same for the API and for workers."""

import hmac

from serving.access.caller import NotSignedIn


def must_scrape(token: str, given: str, *, sign_in: bool) -> None:
    """Raises NotSignedIn. Without `token`, that of COPYDESK_METRICS_TOKEN, anybody may where nobody has to sign in."""
    if not token and not sign_in:
        return
    if not token or not hmac.compare_digest(token.encode(), given.encode()):
        raise NotSignedIn("metrics need the token of COPYDESK_METRICS_TOKEN: send it as `Authorization: Bearer ...`")
