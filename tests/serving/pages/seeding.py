"""Checked articles in a database, put there by the stores' own code."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from agent.article import Article, Block, build_article
from agent.check import Check, Usage, Verdict
from agent.finding import Finding, Method, make_finding
from agent.guideline import Guideline, GuidelinePack
from agent.pack_files import default_pack
from agent.report import ComplianceReport, build_report
from agent.spec import AgentSpec, ModelSpec
from registry.statement import Kind, Promotion, Statement
from serving.access.api_keys import new_key
from serving.access.audit import Actor
from serving.access.caller import ROLES, Role
from serving.adapters.sql_api_keys import SqlApiKeys
from serving.adapters.sql_audit import SqlAudit
from serving.adapters.sql_outbox import SqlOutbox
from serving.adapters.sql_versions import SqlServedVersions
from serving.adapters.stores import Stores
from serving.evidence import Evidence, GuidelineEvidence, measured_of
from serving.feedback import Action, Decision, Dismissals, Reason, Saying
from serving.job import Job, JobStatus, Request
from serving.ports.jobs import Submission
from serving.ports.versions import ServedVersion
from serving.rulings import decision_of
from tests.serving.decided import weighed

LEASE = timedelta(minutes=1)
SENTENCE = "the council said on Monday that work at the harbour would begin before winter and cost less than was feared"
WORDS = SENTENCE.split()
DESKS = ("politics", "city", "science", "sport", "culture")
HEADLINES = (
    "Harbour works to begin before winter",
    "Council votes on the night bus",
    "Hospital opens a second ward",
    "What the new school law changes",
    "Rivers run low for the third year",
    "Theatre finds its director at last",
    "Why the tram is late again",
    "Second try for the stadium roof",
)


def text_of(words: int) -> Article:
    """So many words in paragraphs of sixty."""
    every = [WORDS[place % len(WORDS)] for place in range(words)]
    blocks = [Block(" ".join(every[start : start + 60])) for start in range(0, words, 60)]
    return build_article(blocks, language="en")


def reported(
    article: Article,
    pack: GuidelinePack,
    counts: Mapping[str, int],
    *,
    version: str,
    seconds: float = 1.0,
    usage: Usage = Usage(),  # noqa: B008 - frozen
    failed: str = "",
    shift: int = 0,
) -> ComplianceReport:
    """A report with so many findings of each guideline, each on words of its own; `shift` takes others."""
    checks = []
    for place, guideline in enumerate(pack.guidelines):
        at = shift + 5 * place
        found = [_finding(article, guideline, at + number) for number in range(counts.get(guideline.id, 0))]
        verdict = Verdict.FAILED if guideline.id == failed else Verdict.FINDINGS if found else Verdict.CLEAR
        method = Method.MODEL if guideline.kind == "prompt" else Method.PATTERN
        checks.append(Check(guideline=guideline.id, verdict=verdict, method=method, findings=tuple(found)))
    checks[0] = checks[0].model_copy(update={"usage": usage})
    stamp = AgentSpec(pack=pack).stamp(name="copydesk-agent", number=version, evidence="gate: PROMOTE")
    return build_report(article, pack.guidelines, checks, version=stamp, seconds=seconds)


def _finding(article: Article, guideline: Guideline, place: int) -> Finding:
    starts = [0, *[i + 1 for i, character in enumerate(article.text) if character in " \n"]]
    start = next(s for s in starts[(place * 7) % (len(starts) - 1) :] if article.text[s : s + 1].strip())
    end = start + len(article.text[start:].split(None, 1)[0])
    return make_finding(
        article, start, end, guideline=guideline.id, severity=guideline.severity, message="m", method=Method.PATTERN
    )


@dataclass
class Seed:
    """Writes to one database."""

    stores: Stores
    pack: GuidelinePack
    now: datetime
    model: ModelSpec | None = field(default_factory=lambda: ModelSpec(deployment="gpt-test"))  # of versions served
    numbers: Any = field(default_factory=lambda: iter(range(1_000_000)))

    async def job(self, *, at: datetime, version: str = "1", blob: str = "", **request: Any) -> Job:
        """Submitted and taken by a worker a moment later."""
        id = sha256(str(next(self.numbers)).encode()).hexdigest()[:32]
        asked = {"user": "ada", "channel": "word", "document_id": "", "title": "", "language": "en", "guidelines": None}
        job = Job(
            id=id, request=Request(**(asked | request)), version=version, code_digest="c", blob=blob, submitted=at
        )
        await self.stores.jobs.add(Submission(job, queue_limit=1_000_000))
        claimed = await self.stores.leases.claim(id, 1, at + timedelta(seconds=0.2), LEASE)
        assert claimed
        return claimed

    async def checked(
        self,
        counts: Mapping[str, int],
        *,
        at: datetime,
        words: int = 1000,
        version: str = "1",
        run: str = "",
        seconds: float = 1.0,
        usage: Usage = Usage(),  # noqa: B008 - frozen
        failed: str = "",
        shift: int = 0,
        **request: Any,
    ) -> Job:
        """A job that ended with such a report."""
        article = text_of(words)
        report = reported(
            article, self.pack, counts, version=version, seconds=seconds, usage=usage, failed=failed, shift=shift
        )
        job = await self.job(at=at, version=version, blob=article.content_hash, **request)
        status = JobStatus.PARTIAL if failed else JobStatus.COMPLETED
        ended = await self.stores.leases.finish(job.ended_as(status, at + timedelta(seconds=seconds + 0.3)), report)
        assert ended
        if run:
            await self._log(run, at)
        return ended

    async def _log(self, run: str, at: datetime) -> None:
        outbox = SqlOutbox(self.stores.database)
        entry = await outbox.claim(at + timedelta(days=1), LEASE)
        assert entry
        await outbox.began(entry, run)
        await outbox.logged(entry, run)

    async def served(
        self, number: int, *, champion: bool = False, evidence: Evidence | None = None, decision: str = ""
    ) -> None:
        """`decision` is the gate's, as JSON."""
        told = evidence.statement.evidence if evidence else ""
        stamp = AgentSpec(pack=self.pack).stamp(name="copydesk-agent", number=str(number), evidence=told)
        version = ServedVersion(
            stamp,
            self.pack,
            champion=champion,
            served=self.now,
            evidence=evidence,
            model=self.model,
            decision=decision_of(decision),
        )
        await SqlServedVersions(self.stores.database).put(version)

    async def decided(self, job: Job, said: Mapping[str, tuple[Action, Reason | None]], at: datetime) -> None:
        found = await self.stores.feedback.findings(job.id)
        decisions = [Decision(finding, action, reason) for finding, (action, reason) in said.items()]
        await self.stores.feedback.decide(Saying(job, found, decisions, at, Dismissals.AT_ONCE))


def evidence(
    number: int,
    *,
    kind: Kind = Kind.GATE,
    previous: int | None = None,
    at: datetime,
    reason: str = "",
    who: str = "bea.lindt",
    figures: tuple[GuidelineEvidence, ...] = (),
    restored: str = "",
) -> Evidence:
    gated = kind in (Kind.GATE, Kind.FIRST)
    statement = Statement(
        kind=kind,
        outcome="PROMOTE" if gated else "",
        number=number,
        version_digest=f"{number}" * 64,
        code_digest="c" * 64,
        pack_digest="p" * 64,
        champion=previous,
        labelled_set="house, test" if gated else "",
        policy="house" if gated else "",
        run=f"{number}f3a9c0e17d24b58" if gated else "",
        reason=reason,
        restored_evidence=restored,
        who=who,
        made=at - timedelta(hours=2),
    )
    promotion = Promotion(
        number=number,
        previous=previous,
        kind=kind,
        record=sha256(str(number).encode()).hexdigest(),
        evidence=statement.evidence,
        reason=reason,
        who=who,
        at=at,
    )
    approvers = ("tom.okafor",) if gated else ()
    record = promotion.record[:16]
    return Evidence(
        record=record, signer="k7d1", statement=statement, promotion=promotion, approvers=approvers, figures=figures
    )


async def fill(stores: Stores, now: datetime | None = None, *, documents: int = 60) -> Seed:
    """A house's month: two versions over the same articles, decisions, keys, the audit, jobs given up."""
    chance, now = random.Random(7), now or datetime.now(UTC)
    pack = default_pack()
    seed = Seed(stores, pack, now)
    rates = {one.id: chance.choice([0.02, 0.04, 0.08, 0.15, 0.3]) for one in pack.guidelines}
    factors = {"plain-words": 0.35, "needless-words": 0.4, "attribution-verbs": 2.8, "hedging": 2.2, "acronyms": 0.5}
    rates |= {"plain-words": 2.1, "needless-words": 1.6, "attribution-verbs": 0.5, "hedging": 0.6, "acronyms": 0.9}
    await _versions(seed)
    for place in range(documents):
        desk, headline = DESKS[place % len(DESKS)], HEADLINES[place % len(HEADLINES)]
        user = "local" if place % 6 == 0 else chance.choice(["ada", "ben", "cleo", "dan"])
        facts = {
            "user": user,
            "document_id": f"{desk}/{1000 + place}",
            "title": headline,
            "channel": chance.choice(["word", "word", "word", "page", "batch"]),
        }
        words, shift = 280 + 13 * (place * 5 % 61), chance.randrange(50)
        before = _drawn(chance, rates, words, {})
        after = dict(before)
        for id, factor in factors.items():
            after[id] = _poisson(chance, rates[id] * factor * words / 1000)
        at = now - timedelta(days=26 - place * 11 / documents, hours=chance.random() * 8)
        for version, counts, moment in (("3", before, at), ("4", after, at + timedelta(days=13))):
            slow = chance.lognormvariate(0.5 if version == "3" else 0.2, 0.35)
            usage = Usage(calls=18, input_tokens=words * 31, output_tokens=420, cost=0.004 + words * 4e-6)
            run = sha256(f"{place}{version}".encode()).hexdigest()[:32]
            job = await seed.checked(
                counts,
                at=moment,
                words=words,
                version=version,
                run=run,
                seconds=slow,
                usage=usage,
                shift=shift,
                **facts,
            )
            await _decide(seed, job, chance, moment)
    await _today(seed, chance)
    await _house(seed)
    return seed


async def _versions(seed: Seed) -> None:
    async def gated(number: int, at: datetime, previous: int | None, *, champion: bool = False) -> None:
        kind, made = Kind.GATE if previous else Kind.FIRST, at - timedelta(hours=2)
        decision = weighed(seed.pack, number=str(number), against=str(previous), first=previous is None, made=made)
        found = evidence(number, kind=kind, previous=previous, at=at, figures=measured_of(decision).figures)
        await seed.served(number, evidence=found, decision=decision, champion=champion)

    now = seed.now
    await gated(1, now - timedelta(days=64), None)
    forced = "the old version flagged every quotation on election night"
    await seed.served(
        2,
        evidence=evidence(
            2, kind=Kind.FORCED, previous=1, at=now - timedelta(days=51), reason=forced, who="ivo.brandt"
        ),
    )
    await gated(3, now - timedelta(days=33), 2)
    await gated(4, now - timedelta(days=14), 3, champion=True)


async def _decide(seed: Seed, job: Job, chance: random.Random, at: datetime) -> None:
    said: dict[str, tuple[Action, Reason | None]] = {}
    for finding in await seed.stores.feedback.findings(job.id):
        drawn = chance.random()
        if drawn < 0.5:
            said[finding] = (Action.ACCEPT, None)
        elif drawn < 0.75:
            said[finding] = (Action.DISMISS, chance.choice([*Reason, Reason.FALSE_ALARM, Reason.QUOTATION]))
    if said:
        await seed.decided(job, said, at + timedelta(minutes=5))


async def _today(seed: Seed, chance: random.Random) -> None:
    for place in range(40):
        at = seed.now - timedelta(hours=23.5 * chance.random() ** 0.7)
        failed = "hedging" if place in (3, 17) else ""
        counts = {"plain-words": chance.randrange(3)}
        await seed.checked(
            counts, at=at, words=400, version="4", failed=failed, seconds=1 + chance.random(), user="eli"
        )
    for reason in ("the model’s endpoint answered 503 three times", "its worker went silent"):
        job = await seed.job(at=seed.now - timedelta(hours=5), version="4", document_id="city/1042", user="cleo")
        await seed.stores.leases.retry(job, seed.now - timedelta(hours=4), reason, pause=timedelta(0), max_attempts=1)
    waiting = Job(
        id="f" * 32,
        request=Request("ben", "word", "", "", "en", None),
        version="4",
        code_digest="c",
        blob="b",
        submitted=seed.now - timedelta(seconds=4),
    )
    await seed.stores.jobs.add(Submission(waiting))


async def _house(seed: Seed) -> None:
    keys, audit, now = SqlApiKeys(seed.stores.database), SqlAudit(seed.stores.database), seed.now
    for place, (name, user, role) in enumerate(
        [
            ("nightly-import", "import", Role.EDITOR),
            ("notebooks", "noor", Role.ANALYST),
            ("on-call", "ivo.brandt", Role.ADMIN),
        ]
    ):
        made = now - timedelta(days=40 - place)
        key, _ = new_key(
            user=user, name=name, scopes=ROLES[role], by="ivo.brandt", now=made, expires=made + timedelta(days=90)
        )
        await keys.add(key, Actor("ivo.brandt", "command"))
    for place in range(30):
        at = now - timedelta(days=30 - place)
        await audit.note(Actor("ivo.brandt", "entra"), "job.requeue", f"{place:032x}", now=at)


def _drawn(
    chance: random.Random, rates: Mapping[str, float], words: int, factors: Mapping[str, float]
) -> dict[str, int]:
    return {id: _poisson(chance, rate * factors.get(id, 1) * words / 1000) for id, rate in rates.items()}


def _poisson(chance: random.Random, mean: float) -> int:
    """By the gaps between arrivals."""
    count, waited = -1, 0.0
    while waited < mean:
        waited += chance.expovariate(1)
        count += 1
    return max(count, 0)
