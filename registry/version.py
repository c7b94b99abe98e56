"""A registered version of the agent, as MLflow's tags tell it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from agent.report import VersionStamp
from agent.spec import AgentSpec

MODEL_NAME = "copydesk-agent"
CHAMPION = "champion"  # the alias of the version that serves
CHALLENGER = "challenger"  # the alias of the version registered last

DIGEST_TAG = "copydesk.digest"
CODE_TAG = "copydesk.code_digest"
PACK_TAG = "copydesk.pack"
PACK_DIGEST_TAG = "copydesk.pack_digest"
MODEL_TAG = "copydesk.model"
EVIDENCE_TAG = "copydesk.evidence"  # for whoever reads MLflow's pages; what counts is the signed record
RECORD_TAG = "copydesk.record"  # id of that record
NO_MODEL = "none"


class RegisteredVersion(BaseModel):
    """What the registry knows of a version without opening it."""

    model_config = ConfigDict(frozen=True)

    name: str = MODEL_NAME
    number: int
    digest: str  # of the whole version
    code_digest: str
    pack: str
    pack_digest: str
    model: str  # the deployment it declares, or "none"
    evidence: str = ""  # what it was promoted with: "forced: reason"; empty when it never was
    record: str = ""  # id of the signed record of that
    aliases: tuple[str, ...] = ()
    registered: datetime
    source: str  # the MLflow address of its files

    @property
    def stamp(self) -> VersionStamp:
        """The version as reports name it."""
        return VersionStamp(
            name=self.name,
            number=str(self.number),
            digest=self.digest,
            code_digest=self.code_digest,
            pack=self.pack,
            pack_digest=self.pack_digest,
            evidence=self.evidence,
            record=self.record,
        )


def tags_of(spec: AgentSpec) -> dict[str, str]:
    return {
        DIGEST_TAG: spec.digest,
        CODE_TAG: spec.code,
        PACK_TAG: spec.pack.name,
        PACK_DIGEST_TAG: spec.pack.digest,
        MODEL_TAG: spec.model.deployment if spec.model else NO_MODEL,
    }


def version_of(
    number: int, tags: Mapping[str, str], *, aliases: tuple[str, ...], created_ms: int, source: str
) -> RegisteredVersion:
    return RegisteredVersion(
        number=number,
        digest=tags.get(DIGEST_TAG, ""),
        code_digest=tags.get(CODE_TAG, ""),
        pack=tags.get(PACK_TAG, ""),
        pack_digest=tags.get(PACK_DIGEST_TAG, ""),
        model=tags.get(MODEL_TAG, NO_MODEL),
        evidence=tags.get(EVIDENCE_TAG, ""),
        record=tags.get(RECORD_TAG, ""),
        aliases=aliases,
        registered=datetime.fromtimestamp(created_ms / 1000, UTC),
        source=source,
    )
