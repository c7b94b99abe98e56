import json
from pathlib import Path

import pytest

from agent.check import Verdict
from agent.finding import Method
from evaluation.judged import (
    Criterion,
    JudgedFinding,
    NothingToJudge,
    Opinion,
    WrittenFinding,
    read_judged,
    sample,
    write_judged,
    written_findings,
)
from evaluation.judgement import judgement, metrics
from evaluation.labels import MalformedLabels
from evaluation.matching import Span
from evaluation.record import ArticleResult, Evaluation, GuidelineResult
from tests.evaluation.build import evaluation, labelled, labelled_set, labels, result

TEXT = "Experts say it rains. Critics fear the worst."
SET = labelled_set(labelled(TEXT, id="a", group="story"))


def written(*messages: str, repeat: int = 0, suggestions: tuple[str, ...] = ()) -> ArticleResult:
    checked = GuidelineResult(
        verdict=Verdict.FINDINGS,
        method=Method.MODEL,
        predicted=tuple(Span(0, 11) for _ in messages),
        messages=messages,
        suggestions=suggestions or ("",) * len(messages),
    )
    return result("a", {}, repeat=repeat).model_copy(update={"guidelines": {"g": checked}})


def finding(id: str, *, group: str = "g", **fields: object) -> JudgedFinding:
    values = {"id": id, "article": "a", "group": group, "guideline": "g", "start": 0, "end": 11, "quote": "Experts say"}
    return JudgedFinding.model_validate(values | {"message": "No source."} | fields)


def test_what_a_model_wrote_is_read_from_the_record():
    record = evaluation([labels("a", {})], [written("No source.", "Who?", suggestions=("Ms Ek says", ""))])
    found = written_findings(Evaluation.load(record.dump(), "here"), SET)
    assert found[0] == WrittenFinding(
        id=found[0].id,
        article="a",
        group="story",
        guideline="g",
        start=0,
        end=11,
        quote="Experts say",
        message="No source.",
        suggestion="Ms Ek says",
    )
    assert [one.criteria for one in found] == [tuple(Criterion), (Criterion.FAITHFULNESS, Criterion.QUOTE)]


def test_what_repeats_say_alike_is_judged_once():
    again = [written("No source."), written("No source.", repeat=1), written("Who says so?", repeat=2)]
    found = written_findings(evaluation([labels("a", {})], again), SET)
    assert [one.message for one in found] == ["No source.", "Who says so?"]


def test_a_record_without_messages_has_nothing_to_judge():
    """Of patterns, or older than messages in records."""
    record = evaluation([labels("a", {})], [result("a", {"g": [(0, 11)]})])
    assert b"messages" not in record.model_dump_json(exclude_defaults=True).encode()
    with pytest.raises(NothingToJudge, match="version 1 on house, test has no finding that a model wrote"):
        written_findings(record, SET)


def test_a_sample_is_drawn_by_its_seed():
    all_ = tuple(finding(f"{n:02}") for n in range(50))
    drawn = sample(all_, 10, 1)
    assert drawn == sample(all_, 10, 1) != sample(all_, 10, 2)
    assert [one.id for one in drawn] == sorted({one.id for one in drawn})
    assert sample(all_, 50, 1) == all_


def test_a_sheet_for_a_person_has_room_and_no_verdict(tmp_path: Path):
    judged = finding("x", judge={"quote": Opinion(good=True, score=1)})
    write_judged([judged], tmp_path / "all.jsonl")
    write_judged([judged], tmp_path / "blind.jsonl", blind=True)
    line = json.loads((tmp_path / "blind.jsonl").read_text())
    assert line["human"] == {"faithfulness": "", "quote": ""}
    assert "judge" not in line
    assert read_judged(tmp_path / "all.jsonl", SET)[0].judge == judged.judge
    assert read_judged(tmp_path / "blind.jsonl", SET)[0].judge == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"article": "b"}, "sheet.jsonl:1: article 'b' is not in the labelled set"),
        ({"end": 7}, "quotes 'Experts say', and the text has 'Experts' there"),
        ({"human": {"quote": "fine"}}, "sheet.jsonl:1: human.quote: Input should be 'good', 'bad' or ''"),
        ({"human": {"taste": "good"}}, "sheet.jsonl:1: human.taste"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_named(tmp_path: Path, fields: dict[str, object], said: str):
    line = json.loads(finding("x").model_dump_json()) | fields
    (tmp_path / "sheet.jsonl").write_text(json.dumps(line))
    with pytest.raises(MalformedLabels) as raised:
        read_judged(tmp_path / "sheet.jsonl", SET)
    assert said in str(raised.value)


def test_failures_are_counted_apart_and_nobody_is_clustered_away():
    good, failed = Opinion(good=True, score=1), Opinion(reason="timeout: late")
    judged = [finding(f"{n}", group=f"g{n % 3}", judge={"quote": good if n % 2 else failed}) for n in range(6)]
    result = judgement("m", judged, [], written=6)
    quote = result.criteria[2]
    assert (quote.judged, quote.failed, quote.good.value, quote.good.groups) == (3, 3, 1, 3)
    assert metrics(result) | {"judge/quote_good_low": 0} == {
        "judge/findings": 6,
        "judge/faithfulness_judged": 0,
        "judge/faithfulness_failed": 0,
        "judge/faithfulness_calibrated_on": 0,
        "judge/faithfulness_trusted": 0,
        "judge/suggestion_judged": 0,
        "judge/suggestion_failed": 0,
        "judge/suggestion_calibrated_on": 0,
        "judge/suggestion_trusted": 0,
        "judge/quote_judged": 3,
        "judge/quote_failed": 3,
        "judge/quote_calibrated_on": 0,
        "judge/quote_trusted": 0,
        "judge/quote_good": 1,
        "judge/quote_good_low": 0,
        "judge/quote_good_high": 1,
        "judge/quote_score": 1,
    }


def test_only_what_both_have_judged_calibrates():
    good, bad = Opinion(good=True, score=1), Opinion(good=False, score=0)
    labelled_ = [
        finding("1", judge={"quote": good}, human={"quote": "good"}),
        finding("2", group="h", judge={"quote": bad}, human={"quote": "bad"}),
        finding("3", judge={"quote": bad}, human={"quote": ""}),
        finding("4", judge={"quote": Opinion(reason="timeout")}, human={"quote": "good"}),
    ]
    calibration = judgement("m", [], labelled_, written=0).criteria[2].calibration
    assert calibration is not None
    assert (calibration.pairs, calibration.kappa) == (2, 1)
