"""A re-check after edits gives what a full check gives, and asks about what changed only."""

import hashlib
import random
from collections.abc import Callable

import pytest

from agent.article import Article, Block, ParagraphKind, build_article
from agent.check_cache import MemoryKeyValues
from agent.graph import Agent
from agent.guideline import Context, Guideline
from agent.report import ComplianceReport
from agent.spec import AgentOptions, AgentSpec, ModelSpec
from tests.agent.build import endpoint, pack, prompt_guideline
from tests.scripted_model import Question, Scripted, ScriptedModel, finds

WORDS = "river council budget bridge garden teacher winter market letter station island doctor window harbour".split()
GUIDELINES = tuple(
    prompt_guideline(context.value, title=context.value, context=context, scope=scope)
    for context, scope in zip(Context, ("sentence", "paragraph", "paragraph", "article"), strict=True)
)


def seen_with(question: Question, number: int, context: Context) -> str:
    """The declared context of a paragraph, from nothing but what the question shows."""
    shown = question.paragraphs
    first = last = number
    if context is Context.NEIGHBOURS:
        return "\n".join(shown.get(near, "") for near in (number - 1, number, number + 1))
    if context is Context.SECTION:
        while not shown[first].startswith("# ") and first - 1 in shown:
            first -= 1
        while last + 1 in shown and not shown[last + 1].startswith("# "):
            last += 1
    if context is Context.ARTICLE:
        return f"{question.title}\n{question.text}"
    return "\n".join(shown[near] for near in range(first, last + 1))


def verdict_by(context: Context) -> Callable[[Question], Scripted]:
    """Finds the first word of a paragraph in one context of three, by what the whole context says."""

    def rule(question: Question) -> Scripted:
        found = []
        for number in question.asked:
            digest = hashlib.sha256(seen_with(question, number, context).encode()).digest()
            if digest[0] % 3 == 0:
                quote = question.paragraphs[number].removeprefix("# ").split()[0]
                found.append({"quote": quote, "paragraph": number, "explanation": context.value, "suggestion": ""})
        return Scripted(tuple(found))

    return rule


SCRIPT = {context.value: verdict_by(context) for context in Context}


def paragraph(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(4, 12))).capitalize() + "."


def edited(paragraphs: list[str], chance: random.Random) -> list[str]:
    """One edit that an author makes: change, insert, delete, move, merge, split off a section."""
    paragraphs = list(paragraphs)
    at = chance.randrange(len(paragraphs))
    kind = chance.choice(("change", "insert", "delete", "move", "merge", "heading"))
    if kind == "change":
        paragraphs[at] = paragraph(chance)
    elif kind == "insert":
        paragraphs.insert(at, paragraph(chance))
    elif kind == "heading":
        paragraphs.insert(at, "# " + chance.choice(WORDS))
    elif len(paragraphs) < 20:
        paragraphs += [paragraph(chance) for _ in range(3)]
    elif kind == "move":
        paragraphs.insert(chance.randrange(len(paragraphs)), paragraphs.pop(at))
    elif kind == "merge" and at + 1 < len(paragraphs):
        paragraphs[at : at + 2] = [f"{paragraphs[at]} {paragraphs[at + 1].removeprefix('# ')}"]
    else:
        del paragraphs[at]
    return paragraphs


def article_of(paragraphs: list[str]) -> Article:
    return build_article(
        (
            Block(text.removeprefix("# "), ParagraphKind.HEADING, 1) if text.startswith("# ") else Block(text)
            for text in paragraphs
        ),
        title="News",
        language="en",
    )


def agent(url: str, *guidelines: Guideline, kept: MemoryKeyValues | None = None, **options: int) -> Agent:
    spec = AgentSpec(
        pack=pack(*(guidelines or GUIDELINES)),
        model=ModelSpec(deployment="m"),
        options=AgentOptions.model_validate(options),
    )
    return Agent(spec, endpoint=endpoint(url), kept=kept)


def places(report: ComplianceReport) -> list[tuple[str, int, int, str, str]]:
    assert not report.unchecked
    return [(f.guideline, f.start, f.end, f.quote, f.message) for f in report.findings]


async def test_after_two_hundred_edits_every_recheck_found_what_a_full_check_finds():
    chance = random.Random(20)
    paragraphs = [("# " if index % 12 == 0 else "") + paragraph(chance) for index in range(60)]
    with ScriptedModel(SCRIPT) as model:
        rechecks, full = agent(model.url, kept=MemoryKeyValues()), agent(model.url)
        found = 0
        for _ in range(200):
            article = article_of(paragraphs)
            again, fresh = await rechecks.check(article), await full.check(article)
            assert places(again) == places(fresh)
            found += len(fresh.findings)
            paragraphs = edited(paragraphs, chance)
    assert found > 1000


async def test_an_unchanged_article_asks_nothing():
    article = article_of(["# One", "Two two.", "Three three."])
    with ScriptedModel(SCRIPT) as model:
        kept = MemoryKeyValues()
        first = await agent(model.url, kept=kept).check(article)
        calls = len(model.calls)
        second = await agent(model.url, kept=kept).check(article)
    assert (calls, len(model.calls)) == (4, 4)
    assert places(second) == places(first)
    assert second.usage.calls == 0
    assert [outcome.kept for outcome in second.outcomes] == [3, 3, 3, 3]


async def test_paragraphs_that_are_alike_keep_their_own_verdicts():
    article = article_of(["It rains.", "It rains.", "It rains.", "It rains."])

    def rule(question: Question) -> Scripted:  # a model that isn't sure
        return finds("It rains", paragraph=3)

    with ScriptedModel({"g": rule}) as model:
        checked = agent(model.url, prompt_guideline("g", context="paragraph"), kept=MemoryKeyValues())
        first, second = await checked.check(article), await checked.check(article)
        assert len(model.calls) == 1
    assert places(second) == places(first)
    assert [finding.start for finding in second.findings] == [article.paragraphs[2].start]


async def test_a_recheck_asks_about_changed_paragraphs_and_those_that_see_them():
    paragraphs = ["# One", *(f"Number {n} stands here." for n in range(2, 9)), "# Nine", "Ten ten ten."]
    with ScriptedModel() as model:
        checked = agent(model.url, kept=MemoryKeyValues())
        await checked.check(article_of(paragraphs))
        model.traffic.questions.clear()
        paragraphs[4] = "Another text."
        await checked.check(article_of(paragraphs))
    asked = {question.guidelines: question.asked for question in model.traffic.questions}
    assert asked == {
        ("paragraph",): (5,),
        ("neighbours",): (4, 5, 6),
        ("section",): (1, 2, 3, 4, 5, 6, 7, 8),
        ("article",): tuple(range(1, 11)),
    }
    shown = {question.guidelines: tuple(question.paragraphs) for question in model.traffic.questions}
    assert shown[("neighbours",)] == (3, 4, 5, 6, 7)
    assert shown[("section",)] == tuple(range(1, 9))


async def test_guidelines_that_ask_about_the_same_paragraphs_share_a_call():
    guidelines = [prompt_guideline(f"g{n}") for n in range(5)]
    paragraphs = [f"Number {n} stands here." for n in range(9)]
    with ScriptedModel() as model:
        checked = agent(model.url, *guidelines, kept=MemoryKeyValues(), recheck_checks_per_call=3)
        await checked.check(article_of(paragraphs))
        assert [len(question.guidelines) for question in model.traffic.questions] == [1] * 5
        paragraphs[4] = "Another text."
        report = await checked.check(article_of(paragraphs))
    assert sorted(len(question.guidelines) for question in model.traffic.questions[5:]) == [2, 3]
    assert report.usage.calls == 2
    assert report.usage.input_tokens == sum(model.traffic.input_tokens[5:])


@pytest.mark.parametrize("change", ["guideline", "model", "title of the article"])
async def test_a_verdict_is_kept_for_what_it_depends_on_only(change: str):
    article = article_of(["One one.", "Two two."])
    one, other = prompt_guideline("one"), prompt_guideline("other", context="article")
    with ScriptedModel() as model:
        kept = MemoryKeyValues()
        await agent(model.url, one, other, kept=kept).check(article)
        model.traffic.questions.clear()
        if change == "guideline":
            one = one.model_copy(update={"instruction": "Find other claims."})
        elif change == "title of the article":
            article = build_article((Block(p.text) for p in article.paragraphs), title="Olds", language="en")
        checked = agent(model.url, one, other, kept=kept)
        if change == "model":
            spec = checked.spec.model_copy(update={"model": ModelSpec(deployment="m", temperature=0.5)})
            checked = Agent(spec, endpoint=endpoint(model.url), kept=kept)
        await checked.check(article)
    asked = sorted(question.guidelines for question in model.traffic.questions)
    wanted = {"guideline": [("one",)], "model": [("one",), ("other",)], "title of the article": [("other",)]}
    assert asked == wanted[change]


async def test_failures_and_fallbacks_are_not_kept():
    article = article_of(["Experts say so."])
    bad = {"g1": [Scripted(text="nonsense")] * 2 + [Scripted()], "g2": [Scripted(status=401), Scripted()]}
    with ScriptedModel(bad) as model:
        checked = agent(model.url, prompt_guideline("g1"), prompt_guideline("g2"), kept=MemoryKeyValues())
        assert len((await checked.check(article)).unchecked) == 2
        assert not (await checked.check(article)).unchecked
