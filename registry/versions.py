"""Versions of the agent: register, list, describe, load."""

import logging
from typing import NamedTuple

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.models_artifact_repo import ModelsArtifactRepository
from pydantic import ValidationError

from agent.check_cache import KeyValues
from agent.code_digest import code_digest
from agent.endpoint import Endpoint
from agent.graph import Agent
from agent.spec import AgentSpec
from registry.alias_store import model_entry, set_alias
from registry.artifacts import read
from registry.connection import ABSENT, ALREADY_THERE, Registry, without_password
from registry.copies import LocalCopies
from registry.errors import CodeMismatch, DigestMismatch, RegistryUnreachable, UnknownVersion
from registry.package import SPEC, log_agent, open_experiment
from registry.prompts import register_prompts
from registry.version import CHALLENGER, DIGEST_TAG, MODEL_NAME, RegisteredVersion, tags_of, version_of

logger = logging.getLogger(__name__)

_NOT_FOUND = frozenset({ABSENT, "INVALID_PARAMETER_VALUE"})  # the latter for a number that can't be one


class Registration(NamedTuple):
    """What registering came to."""

    version: RegisteredVersion
    new: bool  # False when this digest was registered before
    prompts: dict[str, str]  # guideline id -> prompt URI


def register(registry: Registry, spec: AgentSpec) -> Registration:
    """Registers a version under the alias `challenger`; a digest that is there already makes no new one.

    Raises CodeMismatch when the spec names other code than is installed.
    """
    _require_code(spec.code, "this spec")
    open_experiment(registry)
    prompts = register_prompts(registry, spec.pack)
    spec = spec.model_copy(update={"prompt_versions": prompts})
    with registry.answering():
        number = _number_of(registry, spec.digest)
        new = number is None
        if number is None:
            created = _create(registry, spec)
            number = _number_of(registry, spec.digest) or created
            if number != created:  # another process registered the same at the same time, and was first
                registry.client.delete_model_version(MODEL_NAME, str(created))
                new = False
    set_alias(registry, CHALLENGER, number)
    return Registration(describe(registry, str(number)), new, prompts)


def list_versions(registry: Registry) -> tuple[RegisteredVersion, ...]:
    """All versions, the newest first."""
    with registry.answering():
        aliases = model_entry(registry).aliases
        found = _search(registry, f"name = '{MODEL_NAME}'")
    versions = [_record(version, aliases) for version in found]
    return tuple(sorted(versions, key=lambda version: -version.number))


def describe(registry: Registry, ref: str) -> RegisteredVersion:
    """The version of a number ("3") or an alias ("champion"); raises UnknownVersion."""
    aliases = model_entry(registry).aliases
    number = int(ref) if ref.isdecimal() else aliases.get(ref)
    if number is None:
        raise _unknown(registry, ref)
    with registry.answering():
        try:
            return _record(registry.client.get_model_version(MODEL_NAME, str(number)), aliases)
        except MlflowException as error:
            if error.error_code in _NOT_FOUND:
                raise _unknown(registry, ref) from error
            raise


def number_of(registry: Registry, digest: str) -> int | None:
    """The number of the version with this digest; None when it isn't registered."""
    with registry.answering():
        return _number_of(registry, digest)


def load(registry: Registry, ref: str, *, endpoint: Endpoint | None = None, kept: KeyValues | None = None) -> Agent:
    """The version as an agent on the installed code.

    `endpoint` says where a declared model is reached, `kept` where finished checks are kept.

    While MLflow is down the copy from an earlier load serves. Raises UnknownVersion, CodeMismatch,
    DigestMismatch, and RegistryUnreachable where there is no copy.
    """
    copies = LocalCopies(registry.settings.copies, registry.uri)
    version = _describe_or_remember(registry, copies, ref)
    return load_version(registry, version, endpoint=endpoint, kept=kept)


def load_version(
    registry: Registry, version: RegisteredVersion, *, endpoint: Endpoint | None = None, kept: KeyValues | None = None
) -> Agent:
    """As `load`, for a version that was described before."""
    _require_code(version.code_digest, f"version {version.number}")
    return Agent(snapshot(registry, version), endpoint=endpoint, kept=kept, stamp=version.stamp)


def snapshot(registry: Registry, version: RegisteredVersion) -> AgentSpec:
    """All that a version is; kept on this machine from then on. Raises DigestMismatch."""
    copies = LocalCopies(registry.settings.copies, registry.uri)
    spec = copies.snapshot(version.digest)
    if spec is None:
        spec = _download(registry, version)
        copies.keep_snapshot(spec)
    return spec


def _create(registry: Registry, spec: AgentSpec) -> int:
    try:
        registry.client.create_registered_model(MODEL_NAME, description="Checks articles against a house's guidelines")
    except MlflowException as error:
        if error.error_code != ALREADY_THERE:
            raise
    model_id = log_agent(spec)
    version = registry.client.create_model_version(
        MODEL_NAME, source=f"models:/{model_id}", model_id=model_id, tags=tags_of(spec)
    )
    return int(version.version)


def _number_of(registry: Registry, digest: str) -> int | None:
    found = _search(registry, f"name = '{MODEL_NAME}' and tags.`{DIGEST_TAG}` = '{digest}'")
    return min((int(version.version) for version in found), default=None)


def _search(registry: Registry, query: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token: str | None = None
    while True:
        page = registry.client.search_model_versions(query, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _record(version: ModelVersion, aliases: dict[str, int]) -> RegisteredVersion:
    number = int(version.version)
    return version_of(
        number,
        version.tags,
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        created_ms=version.creation_timestamp,
        source=str(version.source),
    )


def _unknown(registry: Registry, ref: str) -> UnknownVersion:
    numbers = ", ".join(str(version.number) for version in list_versions(registry))
    if not numbers:
        return UnknownVersion(
            f"version {ref!r} is not there, nothing is registered yet: run `copydesk register` "
            f"(looked in {without_password(registry.uri)})"
        )
    aliases = ", ".join(f"{alias} ({number})" for alias, number in sorted(model_entry(registry).aliases.items()))
    return UnknownVersion(f"version {ref!r} is not registered: there are {numbers}, and as aliases {aliases or 'none'}")


def _describe_or_remember(registry: Registry, copies: LocalCopies, ref: str) -> RegisteredVersion:
    try:
        version = describe(registry, ref)
    except RegistryUnreachable as error:
        remembered = copies.reference(ref)
        if remembered is None:
            raise
        logger.warning("using the copy of version %s (%r): %s", remembered.number, ref, error)
        return remembered
    copies.keep_reference(ref, version)
    return version


def _download(registry: Registry, version: RegisteredVersion) -> AgentSpec:
    with registry.answering():
        snapshot = read(registry, _artifacts(registry, version), f"artifacts/{SPEC}.json")
    try:
        spec = AgentSpec.model_validate_json(snapshot)
    except ValidationError as error:
        raise DigestMismatch(
            f"the stored snapshot of version {version.number} can't be read: somebody changed it, so register the "
            f"pack anew ({error.errors()[0]['msg']})"
        ) from error
    if spec.digest != version.digest:
        raise DigestMismatch(
            f"version {version.number} was registered with digest {version.digest[:12]}, its stored snapshot "
            f"has {spec.digest[:12]}: somebody changed it, so register the pack anew"
        )
    return spec


def _artifacts(registry: Registry, version: RegisteredVersion) -> str:
    """Where they lie; MLflow may say so by way of a logged model."""
    uri = f"models:/{MODEL_NAME}/{version.number}"
    while uri.startswith("models:/"):
        uri = str(ModelsArtifactRepository.get_underlying_uri(uri))  # type: ignore[no-untyped-call]
    return uri


def _require_code(code: str, who: str) -> None:
    if code != code_digest():
        raise CodeMismatch(
            f"{who} was made with agent code {code[:12]}, installed is {code_digest()[:12]}: "
            "install the release it was registered with, or register it anew with this one"
        )
