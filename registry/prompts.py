"""Guidelines as MLflow prompt versions: `<pack>.<guideline id>`, one version a text."""

import hashlib

from mlflow.exceptions import MlflowException

from agent.guideline import Guideline, GuidelinePack, Kind
from agent.prompts import guideline_part
from registry.connection import ABSENT, ALREADY_THERE, Registry

TEXT_TAG = "copydesk.text_sha256"  # MLflow keeps identical texts as new versions; this tells them apart
KIND_TAG = "copydesk.kind"
SEVERITY_TAG = "copydesk.severity"


def prompt_name(pack: str, guideline: str) -> str:
    return f"{pack}.{guideline}"


def register_prompts(registry: Registry, pack: GuidelinePack) -> dict[str, str]:
    """Guideline id -> prompt URI (`prompts:/name/version`) of every prompt guideline of the pack.

    A text that any version of its prompt already has makes no new version. Pattern guidelines have
    no prompt and are left out.
    """
    with registry.answering():
        return {g.id: _uri(registry, pack.name, g) for g in pack.guidelines if g.kind is Kind.PROMPT}


def _uri(registry: Registry, pack: str, guideline: Guideline) -> str:
    name, text = prompt_name(pack, guideline.id), guideline_part(guideline)
    digest = hashlib.sha256(text.encode()).hexdigest()
    version = _version_of(registry, name, digest)
    if version is None:
        version = _add(registry, name, text, guideline, digest)
    return f"prompts:/{name}/{version}"


def _add(registry: Registry, name: str, text: str, guideline: Guideline, digest: str) -> int:
    tags = {TEXT_TAG: digest, KIND_TAG: str(guideline.kind), SEVERITY_TAG: str(guideline.severity)}
    for attempt in (1, 2):
        try:
            added = registry.client.register_prompt(name, text, commit_message=guideline.title, tags=dict(tags))
        except MlflowException as error:
            if attempt == 2 or error.error_code != ALREADY_THERE:  # else another process made the prompt first
                raise
        else:
            return int(added.version)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _version_of(registry: Registry, name: str, digest: str) -> int | None:
    """The newest version with this text, or None."""
    token: str | None = None
    while True:
        try:
            page = registry.client.search_prompt_versions(name, page_token=token)
        except MlflowException as error:
            if error.error_code == ABSENT:
                return None
            raise
        for prompt in page:
            if prompt.tags.get(TEXT_TAG) == digest:
                return int(prompt.version)
        token = page.token
        if not token:
            return None
