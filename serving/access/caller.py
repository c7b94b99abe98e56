"""Who asks, and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from agent.errors import CopydeskError
from serving.access.audit import Actor


class Permission(StrEnum):
    """What a role or a key may do. Keys and tokens name them as scopes."""

    CHECK = "check"  # have articles checked, follow one's own jobs, decide about their findings
    INBOX = "inbox"  # have files checked that other programs put into the blob store, whosever they are
    FIGURES = "figures"  # figures over everybody's articles
    APPROVE = "approve"  # say whether an editor's dismissal counts, stand behind a decision to promote
    ADMINISTER = "administer"


class Role(StrEnum):
    EDITOR = "editor"
    GUIDELINE_OWNER = "guideline-owner"
    ML_ENGINEER = "ml-engineer"
    ANALYST = "analyst"
    ADMIN = "admin"


ROLES: dict[Role, frozenset[Permission]] = {
    Role.EDITOR: frozenset({Permission.CHECK}),
    Role.GUIDELINE_OWNER: frozenset({Permission.CHECK, Permission.FIGURES, Permission.APPROVE}),
    Role.ML_ENGINEER: frozenset({Permission.CHECK, Permission.FIGURES}),
    Role.ANALYST: frozenset({Permission.FIGURES}),
    Role.ADMIN: frozenset(Permission),
}


class NotSignedIn(CopydeskError):
    """No credential, or none that is good any more."""

    type = "not-signed-in"
    status = 401
    headers: ClassVar = {"WWW-Authenticate": 'Bearer realm="copydesk"'}


class NotAllowed(CopydeskError):
    """Whoever asks is known, and may not do this."""

    type = "not-allowed"
    status = 403


@dataclass(frozen=True, slots=True)
class Session:
    """A session by which somebody asks."""

    id: str
    began: datetime  # when they signed in; refreshing doesn't change it
    until: datetime
    source: str  # entra, or key:ID
    chain: str  # of all sessions that go back to one sign-in


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may ask, with what they may do."""

    user: str
    permissions: frozenset[Permission]
    via: str  # none, entra, or key:ID: what they signed in with
    session: Session | None = None

    @property
    def actor(self) -> Actor:
        return Actor(self.user, self.via)

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed."""
        if permission not in self.permissions:
            held = ", ".join(sorted(self.permissions)) or "nothing"
            raise NotAllowed(
                f"this needs the permission {permission.value!r}, and {self.user} has {held}: "
                "ask an administrator for a role or key that has it"
            )


LOCAL = Caller("local", frozenset(Permission), via="none")  # without sign-in, whoever reaches the loopback address


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Those of all the roles; names that aren't roles give none."""
    known = {role.value: role for role in Role}
    return frozenset().union(*(ROLES[known[name]] for name in roles if name in known))
