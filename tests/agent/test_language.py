import pytest

from agent.check import Verdict
from agent.graph import Agent
from agent.language import language_of
from agent.spec import AgentSpec
from tests.agent.build import article, guideline, pack


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The council votes on the budget for the new bridge on Tuesday.", "en"),
        ("Der Rat stimmt am Dienstag über den Haushalt für die neue Brücke ab.", "de"),
        ("El consejo vota el martes el presupuesto del nuevo puente.", "es"),
        ("Le conseil vote mardi le budget du nouveau pont.", "fr"),
        ("评议会星期二就新桥的预算进行表决，并且决定谁来负责这项工程。", "zh"),
        ("Yes.", "und"),
        ("12 34 56 78 90 12 34 56 78 90 12 34", "und"),
        ("", "und"),
    ],
)
def test_the_language_of_a_text(text: str, language: str):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language", "verdict"),
    [
        ("Der Rat stimmt am Dienstag über den Haushalt für die neue Brücke ab.", "", Verdict.NOT_APPLICABLE),
        ("Der Rat stimmt am Dienstag über den Haushalt für die neue Brücke ab.", "en", Verdict.CLEAR),
        ("The council votes on the budget for the new bridge on Tuesday.", "", Verdict.CLEAR),
        ("Yes.", "", Verdict.CLEAR),
    ],
)
async def test_a_guideline_checks_articles_of_its_languages(text: str, language: str, verdict: Verdict):
    agent = Agent(AgentSpec(pack=pack(guideline(languages=("en",)))))
    report = await agent.check(article(text, language=language))
    assert [outcome.verdict for outcome in report.outcomes] == [verdict]
    assert report.article.language == (language or language_of(text))
