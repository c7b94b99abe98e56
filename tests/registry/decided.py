"""Gate decisions as MLflow runs, for tests of what may be promoted by them."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from agent.spec import AgentSpec
from registry.aliases import promote
from registry.connection import Registry
from registry.decisions import Record, find_decision, write_statement
from registry.evaluations import DECISION_ARTIFACT, DECISIONS, LabelledData, LoggedRun, log_run
from registry.standing import standing
from registry.statement import NO_CHAMPION, Kind, Statement
from registry.versions import describe, register

SET, POLICY = "5" * 64, "9" * 64


def champion_by_force(registry: Registry, *specs: AgentSpec) -> None:
    """Registers them; the first one, version 1, becomes champion."""
    for spec in specs:
        register(registry, spec)
    promote(registry, 1, force_reason="a test", who="ada")


def decide(
    registry: Registry,
    number: int,
    outcome: str = "PROMOTE",
    *,
    policy: str = POLICY,
    said: Any = None,
    **fields: Any,
) -> Record:
    """A signed decision about a version, held against the champion that serves; `said` is more of decision.json."""
    version, champion, now = describe(registry, str(number)), standing(registry).champion, datetime.now(UTC)
    decision = {"outcome": outcome, "set_digest": SET, "policy_digest": policy, "figures": []}
    text = json.dumps(decision | (said or {}))
    run = log_run(
        registry,
        DECISIONS,
        LoggedRun(
            name=outcome,
            tags={},
            params={},
            metrics={},
            data=LabelledData(name="house", split="test", digest=SET, source="", articles=1, words=100),
            texts={DECISION_ARTIFACT: text},
            started=now,
            finished=now,
        ),
    )
    statement = Statement(
        kind=Kind.GATE if champion else Kind.FIRST,
        outcome=outcome,
        number=number,
        version_digest=version.digest,
        code_digest=version.code_digest,
        pack_digest=version.pack_digest,
        champion=champion.version.number if champion else None,
        champion_digest=champion.version.digest if champion else NO_CHAMPION,
        labelled_set="house, test",
        set_digest=SET,
        policy="house",
        policy_digest=policy,
        run=run,
        decision_digest=hashlib.sha256(text.encode()).hexdigest(),
        who="ada",
        made=now,
    )
    write_statement(registry, statement.model_copy(update=fields))
    return find_decision(registry, number, run)
