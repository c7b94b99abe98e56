"""How two versions agree on articles."""

import pytest

from agent.check import Usage
from agent.finding import Finding
from agent.graph import Agent
from agent.meter import Meter
from agent.report import ComplianceReport
from agent.rules import Existence
from agent.spec import AgentSpec
from serving.shadow import Bill, Compared, Pair, Place, Shadow, Spent, bill, compare, tally
from tests.agent.build import guideline, pack
from tests.serving.build import NOW, story


async def checked(*patterns: str) -> ComplianceReport:
    words = Existence(message="'%s'", tokens=patterns, ignorecase=True)
    return await Agent(AgentSpec(pack=pack(guideline(rules=(words,))))).check(
        story("We utilise experts. We leverage them.")
    )


def shadow(**fields: object) -> Shadow:
    known: dict[str, object] = {
        "id": "s",
        "version": "2",
        "champion": "1",
        "share": 0.1,
        "who": "ada",
        "started": NOW,
        "checks_a_day": 5,
    }
    return Shadow(**(known | fields))  # type: ignore[arg-type]


def place(finding: Finding) -> Place:
    return Place(finding.fingerprint, finding.start, finding.end, finding.paragraph)


def places(*fingerprints: str) -> tuple[Place, ...]:
    return tuple(Place(fingerprint, 3, 7) for fingerprint in fingerprints)


async def test_findings_are_the_same_where_their_words_overlap() -> None:
    champion, challenger = await checked("utilise", "leverage"), await checked("utilise experts", "them")
    (found,) = compare(champion, challenger)
    lost, new = champion.findings[1], challenger.findings[1]
    assert found == Compared("plain-words", 1, (place(lost),), (place(new),))
    assert found.difference == 0


async def test_only_what_both_have_checked_is_compared() -> None:
    other = await Agent(AgentSpec(pack=pack(guideline(id="another")))).check(story())
    assert compare(await checked("utilise"), other) == ()


def test_the_tally_counts_findings_and_articles() -> None:
    pairs = [
        Pair("a", (Compared("g", 2, places("1")), Compared("h", 0, (), places("2")))),
        Pair("b", (Compared("g", 1, places("3", "4"), places("5")),)),
    ]
    found = tally(pairs)
    of_g, of_h = found.guidelines
    assert (of_g.guideline, of_g.articles, of_g.both, of_g.only_champion, of_g.only_challenger) == ("g", 2, 3, 3, 1)
    assert (of_g.evidence.less, of_g.evidence.more, of_h.evidence.more) == (2, 0, 1)
    assert (found.articles, found.overall.less, found.overall.more) == (2, 1, 0)  # on a it found as much


def test_a_cap_is_in_articles_or_in_money() -> None:
    assert not Spent(4, 900, 99.0).reaches_cap(shadow())
    assert Spent(5, 0, 0.0).reaches_cap(shadow())
    paid = shadow(checks_a_day=None, budget=5.0)
    assert not Spent(900, 900, 4.99).reaches_cap(paid)
    assert Spent(1, 1, 5.0).reaches_cap(paid)


@pytest.mark.parametrize(
    ("meter", "made"),
    [
        (Meter(Usage(calls=2, cost=1.0)), Bill(2, 1.0)),
        (Meter(Usage(calls=2, cost=1.0), unanswered=3), Bill(5, 2.5)),
        (Meter(Usage(), unanswered=3), Bill(3, 0.75)),
        (Meter(Usage(calls=1, cost=None), unanswered=1), Bill(2, 0.0, known=False)),
    ],
)
def test_a_call_without_its_answer_costs_as_much_as_the_others(meter: Meter, made: Bill) -> None:
    assert bill(meter, Spent(1, 4, 1.0)) == made


def test_no_price_is_made_up() -> None:
    assert bill(Meter(Usage(), unanswered=3), Spent(0, 0, 0.0)) == Bill(3, 0.0)


def test_a_document_is_sampled_or_not_whoever_asks() -> None:
    taken = [shadow().takes(f"d{number}") for number in range(10_000)]
    assert 900 < sum(taken) < 1100
    assert [shadow().takes(f"d{number}") for number in range(10_000)] == taken
