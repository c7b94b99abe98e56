import pytest

from evaluation.canary import Agreement, Canaries, CanariesUnreadable, Outcome, agreement, freeze, outcome_of, pick
from evaluation.matching import Span
from evaluation.record import ArticleResult, GuidelineResult
from tests.evaluation.build import labelled, labelled_set, result

TEXT = "Experts say it rains. Sources say it snows."
ONE, TWO = (0, 11), (22, 33)


def canaries(**predicted: list[tuple[int, int]]) -> Canaries:
    articles = [labelled(TEXT, id=id) for id in predicted]
    return freeze(articles, {id: result(id, {"g": spans}) for id, spans in predicted.items()}, ["g"])


def said(*results: ArticleResult) -> dict[str, dict[str, GuidelineResult]]:
    return {one.article: one.guidelines for one in results}


def test_findings_are_the_same_where_their_words_overlap():
    found = agreement(canaries(a=[ONE, TWO], b=[]), said(result("a", {"g": [(0, 7)]}), result("b", {"g": [TWO]})))
    assert (found.both, found.gone, found.new, found.checks, found.failed) == (1, 1, 1, 2, 0)
    assert [(one.article, one.gone, one.new) for one in found.differences] == [("a", 1, 0), ("b", 0, 1)]
    assert found.value == pytest.approx(1 / 3)


def test_what_fails_now_is_counted_and_says_nothing():
    found = agreement(canaries(a=[ONE], b=[ONE]), said(result("a", {}, failed=("g",)), result("b", {"g": [ONE]})))
    assert (found.both, found.gone, found.failed, found.value) == (1, 0, 1, 1.0)


@pytest.mark.parametrize(
    ("both", "other", "failed", "outcome"),
    [
        (50, 5, 0, Outcome.SAME),
        (20, 30, 0, Outcome.CHANGED),
        (38, 12, 0, Outcome.UNCLEAR),
        (9, 0, 0, Outcome.UNCLEAR),
        (0, 0, 0, Outcome.UNCLEAR),
        (50, 5, 6, Outcome.UNCLEAR),
    ],
    ids=["over the line", "surely under it", "perhaps under it", "too few", "none", "too many failures"],
)
def test_the_outcome_is_certain_or_unclear(both: int, other: int, failed: int, outcome: Outcome):
    assert outcome_of(Agreement(both, other, 0, 100, failed, ()), 0.8) is outcome


def test_canaries_come_back_and_keep_no_labels():
    article = labelled(TEXT, ("g", "Experts say"), id="a")
    frozen = freeze([article], {"a": result("a", {"g": [ONE], "other": [TWO]})}, ["g"])
    again = Canaries.load(frozen.dump(), frozen.digest)
    assert again == frozen
    assert (again.all[0].article.spans, again.all[0].answers) == ((), {"g": (Span(*ONE),)})


def test_altered_canaries_are_refused():
    frozen = canaries(a=[ONE])
    with pytest.raises(CanariesUnreadable, match="somebody changed them"):
        Canaries.load(frozen.dump().replace("rains", "reins"), frozen.digest)


def test_the_same_articles_are_picked_whatever_the_order():
    articles = [labelled(f"Page {n}.", id=f"a{n}") for n in range(50)]
    picked = pick(labelled_set(*articles), 5)
    assert picked == pick(labelled_set(*reversed(articles)), 5)
    assert len(picked) == 5
