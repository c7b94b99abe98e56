"""The champion: which version it is, how it became that, and who said so.

There is no gate yet. A promotion is forced, and every place that shows the version says so.
"""

from datetime import UTC, datetime
from typing import Literal

from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict, ValidationError

from registry.connection import ABSENT, Registry
from registry.errors import RegistryError, Ungated, UnknownVersion
from registry.version import CHAMPION, EVIDENCE_TAG, MODEL_NAME, RegisteredVersion
from registry.versions import describe

HISTORY_TAG = "copydesk.promotion."  # + the moment: a tag each, so that two promotions overwrite nothing
MAX_REASON_CHARACTERS = 500


class Promotion(BaseModel):
    """One move of the alias `champion`. It is written down before the alias moves."""

    model_config = ConfigDict(frozen=True)

    number: int  # the version that became champion
    previous: int | None  # the champion before; None for the first
    kind: Literal["forced"] = "forced"
    reason: str
    who: str
    at: datetime

    @property
    def evidence(self) -> str:
        """As the version carries it."""
        return f"{self.kind}: {self.reason}"

    def __str__(self) -> str:
        return f"version {self.number} is champion, ungated: forced, {self.reason}"


def champion(registry: Registry) -> RegisteredVersion | None:
    """The version that serves; None before the first promotion."""
    try:
        return describe(registry, CHAMPION)
    except UnknownVersion:
        return None


def promote(registry: Registry, number: int, *, force_reason: str, who: str) -> Promotion:
    """Makes a version the champion without a gate's decision.

    Raises UnknownVersion, and Ungated when the reason is missing or longer than MAX_REASON_CHARACTERS.
    """
    reason = " ".join(force_reason.split())
    if not reason:
        raise Ungated(
            f"version {number} has no gate decision: say why it should serve all the same, with --force REASON"
        )
    if len(reason) > MAX_REASON_CHARACTERS:
        raise Ungated(f"the reason has {len(reason)} characters: say it in at most {MAX_REASON_CHARACTERS}")
    version = describe(registry, str(number))
    before = champion(registry)
    promotion = Promotion(
        number=version.number,
        previous=before.number if before else None,
        reason=reason,
        who=who,
        at=datetime.now(UTC),
    )
    with registry.answering():
        key = f"{HISTORY_TAG}{promotion.at:%Y%m%dT%H%M%S.%fZ}"
        registry.client.set_registered_model_tag(MODEL_NAME, key, promotion.model_dump_json())
        registry.client.set_model_version_tag(MODEL_NAME, str(number), EVIDENCE_TAG, promotion.evidence)
        registry.client.set_registered_model_alias(MODEL_NAME, CHAMPION, str(number))
    return promotion


def history(registry: Registry) -> tuple[Promotion, ...]:
    """All promotions, the newest first."""
    with registry.answering():
        try:
            tags = registry.client.get_registered_model(MODEL_NAME).tags
        except MlflowException as error:
            if error.error_code == ABSENT:
                return ()
            raise
    keys = sorted((key for key in tags if key.startswith(HISTORY_TAG)), reverse=True)
    return tuple(_promotion(key, tags[key]) for key in keys)


def _promotion(key: str, text: str) -> Promotion:
    try:
        return Promotion.model_validate_json(text)
    except ValidationError as error:
        raise RegistryError(
            f"tag {key!r} of {MODEL_NAME} is no promotion: somebody changed it by hand, so remove it ({text[:80]!r})"
        ) from error
