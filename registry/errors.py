"""Every failure the registry anticipates.

RegistryError               MLflow refused, in its own words
├── RegistryUnreachable     the server or the database file can't be reached
│   └── ArtifactsUnreachable  MLflow answers, and the store of its artifacts doesn't
├── CredentialsRefused      MLflow doesn't know us, or not any more
├── ArtifactsRefused        that store lets us write nothing
├── NoRecording             a run that isn't there, or that nobody recorded
├── UnknownVersion          a number or alias the registry doesn't have
├── CodeMismatch            the version was registered with other code than is installed
├── DigestMismatch          what was downloaded is not what was registered
├── UnusableKey             a key that can't be read
├── NoSigningKey            nothing to sign a record with
├── NoTrustedKeys           nobody's signature would count
├── NotTrusted              a record that is unsigned, altered, or of another version
├── NotMoved                a promotion that is written down, and the champion or its alias is another
└── Ungated                 a promotion without the evidence it needs
    ├── DecidedAgainst      the gate did not say PROMOTE
    ├── StaleDecision       what was decided on is not what would change now
    └── NotApproved         too few people stand behind it
"""

from agent.errors import CopydeskError


class RegistryError(CopydeskError):
    """MLflow answered with a refusal."""

    type = "registry-error"
    status = 502


class RegistryUnreachable(RegistryError):
    """No MLflow answers at the tracking URI."""

    type = "registry-unreachable"
    status = 503
    outage = True


class CredentialsRefused(RegistryError):
    """MLflow doesn't know us, or not any more."""

    type = "credentials-refused"
    outage = True


class ArtifactsUnreachable(RegistryUnreachable):
    """MLflow answers, and the store of its artifacts doesn't, or can't be written."""

    type = "artifacts-unreachable"


class ArtifactsRefused(RegistryError):
    """The store of MLflow's artifacts lets us write nothing."""

    type = "artifacts-refused"
    outage = True


class UnknownVersion(RegistryError):
    """No version of the agent has this number or alias."""

    type = "unknown-version"
    status = 404


class NoRecording(RegistryError):
    """A run without a recording."""

    type = "no-recording"
    status = 404


class CodeMismatch(RegistryError):
    """Running this version here would run other code under its name."""

    type = "code-mismatch"
    status = 409


class DigestMismatch(RegistryError):
    """The stored snapshot of a version was changed after it was registered."""

    type = "digest-mismatch"


class UnusableKey(RegistryError):
    """A key that can't be read, or is of another kind."""

    type = "unusable-key"


class NoSigningKey(RegistryError):
    """There is nothing to sign a record with, or nobody would trust it."""

    type = "no-signing-key"


class NoTrustedKeys(RegistryError):
    """Nobody has said whose records count."""

    type = "no-trusted-keys"


class NotTrusted(RegistryError):
    """A record that is unsigned, altered, or of another version than it is used for."""

    type = "not-trusted"
    status = 409


class NotMoved(RegistryError):
    """A promotion is written down, and the champion, or its alias, is another."""

    type = "not-moved"
    status = 409


class Ungated(RegistryError):
    """A version may become champion by a passing gate decision or by force with a reason."""

    type = "ungated"
    status = 409


class DecidedAgainst(Ungated):
    """The gate was asked and did not say PROMOTE."""

    type = "decided-against"

    def __init__(self, message: str, *, outcome: str) -> None:
        self.outcome = outcome
        super().__init__(message)


class StaleDecision(Ungated):
    """The decision compared other things than those that would change now."""

    type = "stale-decision"


class NotApproved(Ungated):
    """Too few people stand behind the decision, or this one can't be counted."""

    type = "not-approved"


class UnknownEvaluation(RegistryError):
    """There is no such evaluation or decision."""

    type = "unknown-evaluation"
