"""The labels of the house set, replayed as a model's answers through the whole agent, come out perfect."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent.graph import Agent
from agent.guideline import Kind
from agent.pack_files import default_pack
from agent.spec import AgentSpec, ModelSpec
from evaluation.journal import Journal
from evaluation.labels import LabelledArticle, LabelledSet, read_labels
from evaluation.metrics import figures_of
from evaluation.record import Evaluation
from evaluation.runner import evaluate
from tests.agent.build import endpoint
from tests.scripted_model import Question, Scripted, ScriptedModel

HOUSE = Path(__file__).parents[2] / "datasets" / "house"
PACK = default_pack()
PROMPTS = PACK.model_copy(update={"guidelines": tuple(g for g in PACK.guidelines if g.kind is Kind.PROMPT)})
ARTICLES = 25


@pytest.fixture(scope="module")
def planted() -> LabelledSet:
    dev = read_labels(HOUSE).of_split("dev")
    chosen = [article for article in dev.articles if article.spans][:ARTICLES]
    kept = [a.model_copy(update={"spans": tuple(s for s in a.spans if s.guideline in PROMPTS.by_id)}) for a in chosen]
    return LabelledSet(name="gold", articles=tuple(kept))


def answers(labelled: LabelledSet, guideline: str, keep: Callable[[int], bool]) -> Callable[[Question], Scripted]:
    """A model that knows the labels: of those of a guideline, in order of the set, it gives what `keep` says."""
    spans = [(article, s) for article in labelled.articles for s in article.spans if s.guideline == guideline]
    known = [(article, span) for number, (article, span) in enumerate(spans) if keep(number)]

    def answer(question: Question) -> Scripted:
        found = [_finding(article, span.start, span.quote) for article, span in known if _is(article, question)]
        return Scripted(tuple(found))

    return answer


def _finding(article: LabelledArticle, start: int, quote: str) -> dict[str, object]:
    paragraph = article.article.paragraph_at(start).index + 1
    return {"quote": quote, "paragraph": paragraph, "explanation": "labelled", "suggestion": ""}


def _is(article: LabelledArticle, question: Question) -> bool:
    """Whether it is the article that is shown: headings have their marks there, and unseen characters are left out."""
    return _letters(question.paragraphs.values()) == _letters(p.text for p in article.article.paragraphs)


def _letters(texts: Iterable[str]) -> str:
    return "".join(letter for text in texts for letter in text if letter.isascii() and letter.isalnum())


async def replay(labelled: LabelledSet, folder: Path, keep: Callable[[int], bool]) -> Evaluation:
    script = {g.id: answers(labelled, g.id, keep) for g in PROMPTS.guidelines}
    spec = AgentSpec(pack=PROMPTS, model=ModelSpec(deployment="gold"))
    with ScriptedModel(script) as model:
        return await evaluate(
            lambda kept: Agent(spec, endpoint=endpoint(model.url), kept=kept),
            labelled,
            Journal(folder, "gold"),
            split="dev",
        )


async def test_the_labels_as_answers_are_perfect(planted, tmp_path):
    figures = figures_of(await replay(planted, tmp_path, lambda number: True))
    overall = figures.overall
    assert overall.gold >= 80
    assert (overall.recall.value, overall.precision.value, overall.f1.value) == (1, 1, 1)
    assert (overall.exact_recall.value, overall.partial.f1, figures.unanchored, figures.failed) == (1, 1, 0, 0)


async def test_a_share_left_out_is_the_recall_that_is_missing(planted, tmp_path):
    done = await replay(planted, tmp_path, lambda number: number % 3 != 0)
    spans = [[s for a in planted.articles for s in a.spans if s.guideline == id] for id in PROMPTS.by_id]
    left = sum(sum(number % 3 != 0 for number in range(len(one))) for one in spans)
    overall = figures_of(done).overall
    assert overall.recall.value == pytest.approx(left / sum(map(len, spans)))
    assert overall.precision.value == 1
