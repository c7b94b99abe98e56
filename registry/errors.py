"""Every failure the registry anticipates.

RegistryError               MLflow refused, in its own words
├── RegistryUnreachable     the server or the database file can't be reached
├── NoRecording             a run that isn't there, or that nobody recorded
├── UnknownVersion          a number or alias the registry doesn't have
├── CodeMismatch            the version was registered with other code than is installed
├── DigestMismatch          what was downloaded is not what was registered
└── Ungated                 a promotion without the evidence it needs
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


class Ungated(RegistryError):
    """A version may become champion by a passing gate decision or by force with a reason."""

    type = "ungated"
    status = 409


class UnknownEvaluation(RegistryError):
    """There is no such evaluation or decision."""

    type = "unknown-evaluation"
