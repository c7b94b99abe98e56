"""What a shadow's report says, without its looks."""

import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from agent.article import Article
from pipelines.output.shadow import Compared, ShadowReport, print_shadow, shadow_json
from serving.disagreements import disagreements
from serving.shadow import Compared as OnGuideline
from serving.shadow import Pair, Place, Spent, tally
from serving.sign_test import Evidence
from tests.serving.build import NOW, job, request, story
from tests.serving.test_shadow import shadow

LOST, NEW = Place("f" * 16, 3, 10, 0), Place("e" * 16, 21, 30, 1)
PAIR = Pair("a", (OnGuideline("plain-words", 2, (LOST,), (NEW,)),))
JOB = job(request=request(title="A bridge"))


def made(article: Article | None = None, pair: Pair = PAIR, **fields: Any) -> ShadowReport:
    known: dict[str, Any] = {
        "shadow": shadow(),
        "counts": {"compared": 1, "waiting": 2},
        "today": Spent(1, 2, 0.5),
        "in_all": Spent(3, 4, 1.5),
        "tally": tally([pair]),
        "disagreements": disagreements([pair]),
        "left": 0,
        "articles": {"a": Compared(JOB, article)},
    }
    return ShadowReport(**(known | fields))


def printed(report: ShadowReport) -> str:
    told = io.StringIO()
    print_shadow(Console(file=told, width=100, color_system=None), report)
    return told.getvalue()


def test_each_disagreement_is_shown_in_its_sentence_and_whose_it_is() -> None:
    lines = [line.rstrip() for line in printed(made(story())).splitlines()]
    at = lines.index("Disagreements to review: 2   − only the champion   + only the challenger")
    assert lines[at + 2 : at + 7] == [
        "A bridge",
        "job a, 2026-11-23 12:00 UTC",
        "  −  plain-words       We [utilise] experts.",
        "     ffffffffffffffff",
        "  +  plain-words       [Of course] experts say so.",
    ]


@pytest.mark.parametrize(
    ("article", "pair", "said"),
    [
        (None, PAIR, "(the article is no longer kept: characters 3-10, paragraph 1)"),
        (story("Short."), PAIR, "(the article is no longer kept: characters 3-10, paragraph 1)"),
        (
            story(),
            Pair("a", (OnGuideline("g", 0, (Place("f"),)),)),
            "(an earlier release compared it and kept no places)",
        ),
    ],
)
def test_what_can_not_be_shown_any_more_says_why(article: Article | None, pair: Pair, said: str) -> None:
    assert said in printed(made(article, pair, disagreements=disagreements([pair])))


def test_a_full_waiting_list_is_said_with_the_way_out() -> None:
    assert "so no more are sampled for now: a smaller --share fits the cap" in printed(made(counts={"waiting": 5}))
    assert "no more are sampled" not in printed(made(counts={"waiting": 4}))
    over = replace(shadow(), ended=NOW, reason="why")
    assert "no more are sampled" not in printed(made(counts={"waiting": 5}, shadow=over))


def test_as_json_it_says_as_much() -> None:
    told = json.loads(json.dumps(shadow_json(made(story()))))
    assert told["disagreements"] == [
        {
            "job": "a",
            "document_id": "",
            "guideline": "plain-words",
            "only": "champion",
            "fingerprint": "f" * 16,
            "start": 3,
            "end": 10,
            "paragraph": 0,
            "words": "utilise",
            "sentence": "We utilise experts.",
        },
        {
            "job": "a",
            "document_id": "",
            "guideline": "plain-words",
            "only": "challenger",
            "fingerprint": "e" * 16,
            "start": 21,
            "end": 30,
            "paragraph": 1,
            "words": "Of course",
            "sentence": "Of course experts say so.",
        },
    ]
    assert (told["articles"], told["in_all"]["cost"]) == ({"compared": 1, "waiting": 2}, 1.5)


def test_json_has_no_infinity() -> None:
    endless = replace(tally([PAIR]), overall=Evidence(3000, 0, math.inf, math.inf))
    assert "Infinity" not in json.dumps(shadow_json(made(story(), tally=endless)))
