from dataclasses import replace

import httpx

from serving.adapters.database import Database
from serving.adapters.sql_versions import SqlServedVersions
from tests.agent.build import guideline, pack
from tests.serving.build import NOW, SPEC, evidence, served


async def test_the_champions_guidelines_are_listed(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/v1/guidelines")).json()
    assert (listed["pack"], listed["version"]) == ("test", "1")
    assert listed["guidelines"][0] == {
        "id": "plain-words",
        "title": "Use plain words",
        "category": "clarity",
        "severity": "advice",
        "kind": "pattern",
        "guidance": "Short words first.",
        "link": "",
        "violations": [],
        "compliant": [],
    }


async def test_versions_name_what_they_were_promoted_with(client: httpx.AsyncClient, database: Database) -> None:
    await SqlServedVersions(database).put(served("2", of=pack(guideline()), champion=False, at=NOW))
    first, second = (await client.get("/api/v1/versions")).json()
    assert (first["champion"], first["version"]["number"], first["guidelines"]) == (True, "1", 2)
    assert (first["version"]["evidence"], first["version"]["digest"]) == ("forced: a test", SPEC.digest)
    assert (second["champion"], second["version"]["number"], second["served"]) == (False, "2", "2026-11-23T12:00:00Z")


async def test_without_a_champion_there_are_no_guidelines(empty: httpx.AsyncClient) -> None:
    assert (await empty.get("/api/v1/guidelines")).json()["type"] == "no-champion"
    assert (await empty.get("/api/v1/versions")).json() == []


async def test_versions_tell_what_stands_behind_them(client: httpx.AsyncClient, database: Database) -> None:
    assert (await client.get("/api/v1/versions")).json()[0]["evidence"] is None
    await SqlServedVersions(database).put(replace(served(), evidence=evidence()))
    (version,) = (await client.get("/api/v1/versions")).json()
    figures = version["evidence"].pop("figures")
    assert version["evidence"] == {
        "kind": "first",
        "ungated": False,
        "outcome": "PROMOTE",
        "record": "d" * 16,
        "signer": "k1",
        "decision": "r1",
        "labelled_set": "house, test",
        "policy": "house",
        "decided_by": "ada",
        "decided": "2026-11-23T12:00:00Z",
        "approved_by": ["eve"],
        "promoted_by": "bob",
        "promoted": "2026-11-23T12:00:00Z",
        "previous": None,
        "reason": "",
        "evaluation": "",
        "answered_by": [],
        "noted": [],
        "expired": None,
    }
    assert [(one["guideline"], one["recall"]) for one in figures] == [
        ("plain-words", {"value": 0.9, "low": 0.8, "high": 0.95})
    ]


async def test_a_challenger_tells_of_its_decision_and_that_nobody_promoted_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    tried = evidence(2).model_copy(update={"promotion": None})
    challenger = served("2", of=pack(guideline()), champion=False)
    await SqlServedVersions(database).put(replace(challenger, evidence=tried))
    _, version = (await client.get("/api/v1/versions")).json()
    told = version["evidence"]
    assert (told["outcome"], told["decision"], told["decided_by"], told["ungated"]) == ("PROMOTE", "r1", "ada", False)
    assert (told["promoted_by"], told["promoted"], told["previous"]) == (None, None, None)
