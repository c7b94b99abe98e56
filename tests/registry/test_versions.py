import json
from datetime import UTC, datetime, timedelta

import pytest
from mlflow import MlflowClient

from agent.code_digest import code_digest
from agent.endpoint import Endpoint
from agent.settings import ModelSettings
from agent.spec import AgentSpec, ModelSpec
from registry.connection import Registry
from registry.errors import CodeMismatch, DigestMismatch, RegistryUnreachable, UnknownVersion
from registry.version import MODEL_NAME
from registry.versions import Registration, describe, list_versions, load, register
from tests.agent.build import article, guideline, pack, prompt_guideline
from tests.serving.service import free_port

SPEC = AgentSpec(pack=pack())
OTHER = AgentSpec(pack=pack(guideline(title="Say it plainly"), prompt_guideline()))


def test_a_version_is_registered_with_all_that_says_what_it_is(registry: Registry) -> None:
    version, new, prompts = register(registry, SPEC)
    assert (version.number, version.digest, version.code_digest) == (1, SPEC.digest, code_digest())
    assert (version.pack, version.pack_digest, version.model) == ("test", SPEC.pack.digest, "none")
    assert (version.aliases, version.evidence, new) == (("challenger",), "", True)
    assert abs(datetime.now(UTC) - version.registered) < timedelta(minutes=5)
    assert prompts == {"attribution": "prompts:/test.attribution/1"}


def test_the_model_names_its_prompts_requirements_signature_and_example(registry: Registry) -> None:
    version, _, prompts = register(registry, SPEC)
    logged = registry.client.get_logged_model(version.source.removeprefix("models:/"))
    assert json.loads(logged.tags["mlflow.linkedPrompts"]) == [{"name": "test.attribution", "version": "1"}]
    files = {item.path for item in registry.client.list_logged_model_artifacts(logged.model_id)}
    assert files >= {"MLmodel", "requirements.txt", "input_example.json", "served.py", "code", "artifacts"}
    assert set(prompts) == {"attribution"}


def test_the_same_version_again_is_the_version_that_is_there(registry: Registry) -> None:
    first = register(registry, SPEC)
    again = register(registry, AgentSpec.model_validate_json(SPEC.model_dump_json()))
    assert again == Registration(first.version, False, first.prompts)
    assert [version.number for version in list_versions(registry)] == [1]


def test_another_pack_is_another_version_and_the_challenger(registry: Registry) -> None:
    register(registry, SPEC)
    register(registry, OTHER)
    assert [(each.number, each.aliases) for each in list_versions(registry)] == [(2, ("challenger",)), (1, ())]
    assert describe(registry, "challenger").number == 2


def test_a_declared_model_is_named(embedded: Registry) -> None:
    version = register(embedded, AgentSpec(pack=SPEC.pack, model=ModelSpec(deployment="gpt-large"))).version
    assert version.model == "gpt-large"


async def test_a_loaded_version_checks_and_its_reports_name_it(registry: Registry) -> None:
    register(registry, SPEC)
    loaded = load(registry, "1")
    report = await loaded.check(article("Experts say we utilise it."))
    assert [finding.quote for finding in report.findings] == ["Experts say", "utilise"]
    assert report.version == describe(registry, "1").stamp
    assert (report.version.name, report.version.number) == (MODEL_NAME, "1")
    assert loaded.spec.prompt_versions == {"attribution": "prompts:/test.attribution/1"}


async def test_a_declared_model_without_an_endpoint_falls_back(embedded: Registry) -> None:
    register(embedded, AgentSpec(pack=SPEC.pack, model=ModelSpec(deployment="gpt-large")))
    report = await load(embedded, "challenger", endpoint=Endpoint(ModelSettings(url=""))).check(article("Experts say."))
    assert [outcome.method for outcome in report.outcomes] == ["pattern", "fallback"]


async def test_a_declared_model_is_reached_where_the_settings_say(embedded: Registry) -> None:
    register(embedded, AgentSpec(pack=SPEC.pack, model=ModelSpec(deployment="gpt-large")))
    nobody = ModelSettings(url=f"http://127.0.0.1:{free_port()}/v1/")
    report = await load(embedded, "1", endpoint=Endpoint(nobody)).check(article("Experts say."))
    assert nobody.url in report.outcomes[1].reason


def test_an_unknown_version_names_what_there_is(registry: Registry) -> None:
    with pytest.raises(UnknownVersion, match="nothing is registered yet: run `copydesk register`"):
        load(registry, "champion")
    register(registry, SPEC)
    with pytest.raises(UnknownVersion, match=r"version '7' is not registered: there are 1, and as aliases challenger"):
        load(registry, "7")
    with pytest.raises(UnknownVersion, match="version 'no such/thing' is not registered"):
        describe(registry, "no such/thing")


def test_other_code_is_not_run_under_a_version_s_name(embedded: Registry) -> None:
    foreign = SPEC.model_copy(update={"code": "f" * 64})
    with pytest.raises(CodeMismatch, match="this spec was made with agent code ffffffffffff, installed is"):
        register(embedded, foreign)
    register(embedded, SPEC)
    embedded.client.set_model_version_tag(MODEL_NAME, "1", "copydesk.code_digest", "f" * 64)
    with pytest.raises(CodeMismatch, match="version 1 was made with agent code ffffffffffff"):
        load(embedded, "1")


def test_a_changed_snapshot_is_not_served(embedded: Registry) -> None:
    register(embedded, SPEC)
    stored = next((embedded.settings.home / "mlartifacts").rglob("spec.json"))
    stored.write_text(stored.read_text(encoding="utf-8").replace("is heavy", "is lovely"), encoding="utf-8")
    with pytest.raises(DigestMismatch, match=r"version 1 was registered with digest .* its stored snapshot has"):
        load(embedded, "1")


def test_what_was_loaded_once_loads_while_mlflow_is_down(server: Registry) -> None:
    register(server, SPEC)
    first = load(server, "challenger")
    nobody = f"http://127.0.0.1:{free_port()}"
    down = Registry(server.settings, MlflowClient(nobody, nobody))
    again = load(down, "challenger")
    assert (again.spec, again.stamp) == (first.spec, first.stamp)
    with pytest.raises(RegistryUnreachable):
        load(down, "champion")


def test_a_damaged_copy_is_fetched_anew(embedded: Registry) -> None:
    register(embedded, SPEC)
    load(embedded, "1")
    copy = embedded.settings.copies / f"{SPEC.digest}.json"
    copy.write_text("{", encoding="utf-8")
    assert load(embedded, "1").spec.digest == SPEC.digest
    assert AgentSpec.model_validate_json(copy.read_bytes()).digest == SPEC.digest


def test_a_number_given_out_again_is_not_mistaken_for_the_old_version(embedded: Registry) -> None:
    register(embedded, SPEC)
    load(embedded, "1")
    embedded.client.delete_registered_model(MODEL_NAME)  # numbers begin again
    assert register(embedded, OTHER).version.number == 1
    assert load(embedded, "1").spec.digest == OTHER.digest


def test_a_deleted_version_is_not_served_from_its_copy(embedded: Registry) -> None:
    register(embedded, SPEC)
    load(embedded, "1")
    embedded.client.delete_model_version(MODEL_NAME, "1")
    with pytest.raises(UnknownVersion, match="version '1' is not there, nothing is registered yet"):
        load(embedded, "1")
