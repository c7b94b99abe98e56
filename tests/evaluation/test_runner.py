import pytest

from agent.check import Verdict
from agent.check_cache import MemoryKeyValues
from agent.finding import Severity
from agent.graph import Agent
from agent.spec import AgentOptions, AgentSpec, ModelSpec
from evaluation.journal import Journal
from evaluation.metrics import figures_of
from evaluation.record import Evaluation, RecordUnreadable, check_digest, labels_of
from evaluation.runner import OwnKeys, evaluate
from tests.agent.build import endpoint, guideline, pack, prompt_guideline
from tests.evaluation.build import labelled, labelled_set, result
from tests.scripted_model import Question, Scripted, ScriptedModel, finds

SET = labelled_set(
    labelled("Critics say it rains.", ("claims", "Critics say"), id="one"),
    labelled("The council met in May.", id="two"),
    labelled("Critics say nothing new.", ("claims", "Critics say"), id="three"),
)
SPEC = AgentSpec(pack=pack(prompt_guideline("claims")), model=ModelSpec(deployment="m"))


def agents(model: ScriptedModel):
    return lambda kept: Agent(SPEC, endpoint=endpoint(model.url), kept=kept)


async def test_a_version_over_a_set(tmp_path):
    with ScriptedModel({"claims": lambda question: finds("Critics say")}) as model:
        done = await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test")
    assert [(result.article, result.status) for result in done.results] == [
        ("one", "complete"),
        ("two", "complete"),
        ("three", "complete"),
    ]
    figures = figures_of(done)
    assert (figures.overall.recall.value, figures.overall.precision.value) == (1, 1)
    assert figures.unanchored == pytest.approx(1 / 3)  # what isn't in the second article is no false alarm
    assert (figures.calls, done.model, done.set_digest) == (3, "m", SET.digest)
    assert Evaluation.load(done.dump(), "here") == done


async def test_a_repeat_asks_again_and_going_on_does_not(tmp_path):
    kept = MemoryKeyValues()
    with ScriptedModel() as model:
        journal = Journal(tmp_path, "run")
        await evaluate(agents(model), SET, journal, split="test", repeats=2, kept=kept)
        assert len(model.calls) == 6
        resumed = await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test", repeats=2, kept=kept)
        assert len(model.calls) == 6
        assert len(resumed.results) == 6
        journal = Journal(tmp_path, "run")
        journal.remove()
        await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test", repeats=1, kept=kept)
        assert len(model.calls) == 9  # another evaluation is another evaluation


async def test_checks_that_were_paid_before_the_article_was_finished_are_kept(tmp_path):
    kept = MemoryKeyValues()
    with ScriptedModel({"claims": lambda question: finds("Critics say")}) as model:
        journal = Journal(tmp_path, "run")
        agent = agents(model)(OwnKeys(kept, f"{journal.id}/0/"))
        await agent.check(SET.articles[0].article)  # and then the process is killed
        await evaluate(agents(model), SET, journal, split="test", kept=kept)
        assert len(model.calls) == 3


async def test_a_check_that_fails_is_recorded_as_a_failure(tmp_path):
    with ScriptedModel({"claims": lambda question: Scripted(text="no JSON")}) as model:
        done = await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test")
    assert {one.guidelines["claims"].verdict for one in done.results} == {Verdict.FAILED}
    figures = figures_of(done)
    assert (figures.failed, figures.checks, figures.overall.recall.value) == (3, 3, None)


async def test_going_on_tries_what_failed_again(tmp_path):
    kept = MemoryKeyValues()
    down = True

    def rule(question: Question) -> Scripted:
        return Scripted(text="no JSON") if down and "nothing new" in question.paragraphs[1] else finds("Critics say")

    with ScriptedModel({"claims": rule}) as model:
        before = await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test", kept=kept)
        assert [one.status for one in before.results] == ["complete", "complete", "failed"]
        down = False
        calls = len(model.calls)
        after = await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test", kept=kept)
        assert len(model.calls) == calls + 1
    assert [one.status for one in after.results] == ["complete"] * 3


async def test_no_more_articles_than_allowed_are_under_way(tmp_path):
    with ScriptedModel(seconds=0.05) as model:
        await evaluate(agents(model), SET, Journal(tmp_path, "run"), split="test", repeats=3, at_once=2)
        assert model.traffic.most_in_flight <= 2


def test_a_torn_line_costs_its_article_only(tmp_path, caplog):
    journal = Journal(tmp_path, "a/b: c")
    (file,) = tmp_path.iterdir()
    journal.add(result("one", {"g": [(0, 5)]}))
    journal.add(result("two", {"g": []}))
    file.write_text(file.read_text()[:-20])
    again = Journal(tmp_path, "a/b: c")
    assert (again.id, list(again.finished)) == (journal.id, [("one", 0)])
    assert again.finished["one", 0] == result("one", {"g": [(0, 5)]})
    assert "torn" in caplog.text
    again.add(result("two", {"g": []}))
    assert list(Journal(tmp_path, "a/b: c").finished) == [("one", 0), ("two", 0)]


def test_a_journal_without_a_beginning_starts_anew(tmp_path, caplog):
    (tmp_path / "run.jsonl").write_text("{")
    journal = Journal(tmp_path, "run")
    assert (len(journal.id), journal.finished) == (16, {})
    assert "starts anew" in caplog.text


def test_what_is_no_record_is_named():
    with pytest.raises(RecordUnreadable, match="run 7 holds no evaluation"):
        Evaluation.load(b"nonsense", "run 7")


def test_labels_come_to_a_score_and_count_only_what_the_pack_has():
    article = labelled("Critics say so. Critics fear so.", ("claims", "Critics say"), ("other", "Critics fear"))
    found = labels_of(article, (guideline("claims", severity="breach"),))
    assert (list(found.gold), found.labelled_words, found.free_words("claims")) == (["claims"], {"claims": 2}, 4)
    assert found.score <= 75
    severe = article.model_copy(update={"spans": (article.spans[0].model_copy(update={"severity": Severity.ADVICE}),)})
    assert labels_of(severe, (guideline("claims", severity="breach"),)).score > 75


PROMPT, PATTERN = prompt_guideline("claims"), guideline("words")


@pytest.mark.parametrize(
    ("change", "moves"),
    [
        ({}, set()),
        ({"model": ModelSpec(deployment="other")}, {"claims"}),
        ({"model": ModelSpec(deployment="m", temperature=0.5)}, {"claims"}),
        ({"code": "other"}, {"claims", "words"}),
        ({"answer_schema": "other"}, {"claims"}),
        ({"pack": pack(PROMPT, guideline("words", title="Other title"))}, {"words"}),
        ({"pack": pack(PROMPT)}, set()),
        ({"options": AgentOptions(checks_per_call=2)}, {"claims"}),
    ],
)
def test_a_guideline_changes_with_what_its_verdicts_depend_on(change, moves):
    before = AgentSpec(pack=pack(PROMPT, PATTERN), model=ModelSpec(deployment="m"), code="c")
    after = before.model_copy(update=change)
    shared = [g for g in after.pack.guidelines if g.id in before.pack.by_id]
    changed = {g.id for g in shared if check_digest(before, before.pack.by_id[g.id]) != check_digest(after, g)}
    assert changed == moves


def test_guidelines_that_share_a_call_change_together():
    options = AgentOptions(checks_per_call=2)
    before = AgentSpec(pack=pack(PROMPT, prompt_guideline("b")), model=ModelSpec(deployment="m"), options=options)
    after = before.model_copy(update={"pack": pack(PROMPT, prompt_guideline("b", title="Other"))})
    assert check_digest(before, PROMPT) != check_digest(after, PROMPT)
    alone = AgentSpec(pack=before.pack)
    assert check_digest(alone, PROMPT) == check_digest(alone.model_copy(update={"pack": after.pack}), PROMPT)
