from agent.graph import Agent
from agent.rules import Existence
from agent.spec import AgentSpec
from evaluation.disagreement import disagreement, ranked
from tests.agent.build import article, guideline, pack


def finds(word: str) -> tuple[Existence, ...]:
    return (Existence(message="'%s'", tokens=(word,)),)


async def test_articles_are_ranked_by_what_only_one_version_finds():
    one = Agent(AgentSpec(pack=pack(guideline("a", rules=finds("red")), guideline("b", rules=finds("blue")))))
    other = Agent(AgentSpec(pack=pack(guideline("a", rules=finds("green")), guideline("b", rules=finds("blue")))))
    found = []
    for name, text in (("same", "It is blue."), ("two", "It is red, green and blue."), ("one", "It is red.")):
        report, again = await one.check(article(text)), await other.check(article(text))
        found.append(disagreement(name, report, again))
        assert disagreement(name, again, report) == found[-1]
    assert [(d.name, d.by_guideline) for d in ranked(found)] == [("two", {"a": 2}), ("one", {"a": 1})]
