from pathlib import Path

import pytest
from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelAlias
from sqlalchemy import event
from sqlalchemy.orm import Session

from agent.spec import AgentSpec
from registry.alias_store import ALIAS_TAG, model_entry, set_alias
from registry.aliases import champion, promote, rollback
from registry.connection import Registry, connect
from registry.settings import RegistrySettings
from registry.standing import standing
from registry.version import MODEL_NAME
from registry.versions import describe, list_versions, register
from tests.agent.build import guideline, pack
from tests.registry.refusing_proxy import refusing_proxy

SPECS = [AgentSpec(pack=pack(guideline(title=title))) for title in ("One", "Two")]


@pytest.mark.parametrize(("status", "body"), [(404, "Not Found"), (501, "")])
def test_a_server_without_aliases_keeps_them_as_tags(
    server: Registry, server_uri: str, tmp_path: Path, status: int, body: str
) -> None:
    with refusing_proxy(server_uri, "registered-models/alias", status, body) as (url, refused):
        settings = server.settings.model_copy(update={"mlflow_tracking_uri": url})
        registry = connect(settings)
        for spec in SPECS:
            register(registry, spec)
        for number in (1, 2):
            promote(registry, number, force_reason="a test", who="ada")
        assert set(refused) == {"POST /api/2.0/mlflow/registered-models/alias"}
        tags = registry.client.get_registered_model(MODEL_NAME).tags
        assert (tags[f"{ALIAS_TAG}champion"], tags[f"{ALIAS_TAG}challenger"]) == ("2", "2")
        assert [version.aliases for version in list_versions(registry)] == [("challenger", "champion"), ()]
        assert describe(registry, "champion").number == 2
        rollback(registry, None, reason="alarms", who="ada")
        found, there = champion(registry), standing(registry)
        assert found is not None
        assert (found.number, there.champion and there.champion.version.number, there.refusal) == (1, 1, "")
        connect(RegistrySettings(home=tmp_path / "home", mlflow_tracking_uri=server_uri))  # the process points there


def test_where_there_are_aliases_no_tag_is_written(registry: Registry) -> None:
    register(registry, SPECS[0])
    set_alias(registry, "champion", 1)
    entry = model_entry(registry)
    assert (entry.aliases, [tag for tag in entry.tags if tag.startswith(ALIAS_TAG)]) == (
        {"challenger": 1, "champion": 1},
        [],
    )


@pytest.mark.parametrize("mine", [1, 2])
def test_two_processes_may_make_one_alias_at_once(embedded: Registry, mine: int) -> None:
    """The other's row comes between MLflow's own look for it and its insert."""
    for spec in SPECS:
        register(embedded, spec)
    theirs = connect(embedded.settings)  # a client of its own
    waiting = [lambda: theirs.client.set_registered_model_alias(MODEL_NAME, "champion", "1")]

    def other_first(session: Session, *_: object) -> None:
        if waiting and any(isinstance(row, SqlRegisteredModelAlias) for row in session.new):
            waiting.pop()()

    event.listen(Session, "before_flush", other_first)
    try:
        set_alias(embedded, "champion", mine)
    finally:
        event.remove(Session, "before_flush", other_first)
    assert (waiting, model_entry(embedded).aliases["champion"]) == ([], mine)
