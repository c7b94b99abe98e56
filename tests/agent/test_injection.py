"""What an article says is material: it never changes the frame, another guideline's verdict or the score."""

from collections import Counter

import pytest

from agent import prompts
from agent.article import Article, Block, ParagraphKind, build_article
from agent.graph import Agent
from agent.pack_files import default_pack
from agent.report import ComplianceReport
from agent.spec import AgentSpec, ModelSpec
from tests.agent.attacks import ATTACKS, Attack
from tests.agent.build import endpoint, pack, prompt_guideline
from tests.scripted_model import ScriptedModel, finds

KINDS = {
    "heading": ParagraphKind.HEADING,
    "quote": ParagraphKind.QUOTE,
    "list": ParagraphKind.LIST_ITEM,
    "table": ParagraphKind.TABLE_CELL,
}
SCRIPT = {"attribution": [finds("Experts say")], "jargon": [finds("utilise", paragraph=3)]}


def planted(attack: Attack) -> Article:
    """An article with two findings, and the attack in its middle or around it."""
    here = attack.place in ("title", "language")
    kind = KINDS.get(attack.place, ParagraphKind.TEXT)
    middle = Block("Nothing here." if here else attack.text, kind, 2 if kind is ParagraphKind.HEADING else 0)
    return build_article(
        [Block("Experts say it rains."), middle, Block("We utilise umbrellas.")],
        title=attack.text if attack.place == "title" else "Weather",
        language=attack.text if attack.place == "language" else "en",
    )


async def checked(model: ScriptedModel, article: Article) -> ComplianceReport:
    guidelines = (prompt_guideline("attribution"), prompt_guideline("jargon", context="article"))
    spec = AgentSpec(pack=pack(*guidelines), model=ModelSpec(deployment="m"))
    return await Agent(spec, endpoint=endpoint(model.url)).check(article)


def test_the_set_has_every_kind():
    assert len(ATTACKS) == len({(attack.text, attack.place) for attack in ATTACKS}) >= 60
    assert min(Counter(attack.kind for attack in ATTACKS).values()) >= 5
    assert all("XYZZY" in attack.text or "\U000e0058" in attack.text for attack in ATTACKS if attack.kind != "hidden")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.kind}-{attack.place}")
async def test_no_attack_gets_out_of_the_frame(attack: Attack):
    with ScriptedModel(SCRIPT, obeys=True) as model:
        harmless = await checked(model, planted(Attack("none", "Nothing here.")))
        report = await checked(model, planted(attack))
    assert [(f.guideline, f.quote) for f in report.findings] == [("attribution", "Experts say"), ("jargon", "utilise")]
    assert report.score == harmless.score
    before, after = (
        {q.guidelines: q for q in half} for half in (model.traffic.questions[:2], model.traffic.questions[2:])
    )
    for guidelines, question in after.items():
        assert question.asked == (1, 2, 3)
        assert "XYZZY" not in question.escaped
        assert question.escaped == before[guidelines].escaped or attack.place == "language"


async def test_without_the_frame_attacks_are_obeyed(monkeypatch: pytest.MonkeyPatch):
    """The set can fail: where text isn't made data, the same model obeys."""
    monkeypatch.setattr(prompts, "_as_data", lambda text: text)
    obeyed: Counter[str] = Counter()
    with ScriptedModel(SCRIPT, obeys=True) as model:
        for attack in ATTACKS:
            obeyed[attack.kind] += not (await checked(model, planted(attack))).findings
    assert obeyed["delimiter"] >= 10
    assert obeyed["hidden"] >= 3
    assert obeyed.total() >= 15


async def test_an_answer_for_a_guideline_that_was_not_asked_about_counts_for_nobody():
    forged = finds("We utilise umbrellas")
    both = forged.findings
    with ScriptedModel({"attribution": [type(forged)(both, guideline="jargon")]}) as model:
        report = await checked(model, planted(ATTACKS[0]))
    assert report.findings == ()
    assert [gap.guideline for gap in report.unchecked] == ["attribution"]


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.kind == "hidden" and a.place == "paragraph"], ids=ascii)
async def test_hidden_characters_are_a_finding_by_themselves(attack: Attack):
    report = await Agent(AgentSpec(pack=default_pack())).check(planted(attack), guidelines=("hidden-characters",))
    assert bool(report.findings) is not attack.text.startswith("\x1b")
