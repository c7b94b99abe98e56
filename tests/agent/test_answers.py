import json

import pytest

from agent.answers import RESPONSE_FORMAT, AnswerFinding, GuidelineAnswer, read_answer
from agent.errors import ModelError

ITEM = {"quote": "q", "paragraph": 1, "explanation": "e", "suggestion": ""}
ANSWER = json.dumps({"checks": [{"guideline": "one", "findings": [ITEM]}]})
READ = {"one": GuidelineAnswer(guideline="one", findings=(AnswerFinding.model_validate(ITEM),))}


@pytest.mark.parametrize("wrap", ["{}", "\n{}\n", "```json\n{}\n```", "Here it is: {} I hope it helps."])
def test_an_answer_is_read_with_or_without_what_stands_around_it(wrap: str):
    assert read_answer(wrap.replace("{}", ANSWER), ("one",)) == READ


@pytest.mark.parametrize(
    "checks",
    [
        [{"guideline": "one", "findings": [ITEM]}, {"guideline": "other", "findings": []}],
        [{"guideline": "one", "findings": [ITEM]}, {"guideline": "one", "findings": []}],
        [{"guideline": "one", "findings": [ITEM | {"sure": "very"}], "why": "so"}],
    ],
)
def test_what_was_not_asked_for_is_left_out(checks: list[dict[str, object]]):
    assert read_answer(json.dumps({"checks": checks}), ("one",)) == READ


def test_a_guideline_without_an_answer_is_not_there():
    assert read_answer('{"checks": []}', ("one",)) == {}


@pytest.mark.parametrize(
    ("text", "finish_reason", "reason", "message"),
    [
        ("", "stop", "malformed", "empty"),
        ("I can't help with that.", "stop", "malformed", "wrong shape"),
        (
            '{"checks": [{"guideline": "one", "findings": [{"quote": "q"}]}]}',
            "stop",
            "malformed",
            "findings.0.paragraph",
        ),
        ('{"findings": []}', "stop", "malformed", "checks"),
        ('{"checks": [', "length", "length", "max_tokens"),
        ("", "content_filter", "refusal", "content filter"),
    ],
)
def test_a_bad_answer_is_a_named_failure(text: str, finish_reason: str, reason: str, message: str):
    with pytest.raises(ModelError, match=message) as error:
        read_answer(text, ("one",), finish_reason=finish_reason)
    assert error.value.reason == reason


def test_the_schema_asked_for_is_the_one_that_is_read():
    check = RESPONSE_FORMAT["json_schema"]["schema"]["properties"]["checks"]["items"]
    item = check["properties"]["findings"]["items"]
    assert set(item["required"]) == set(item["properties"]) == set(AnswerFinding.model_fields)
    assert set(check["required"]) == set(check["properties"]) == set(GuidelineAnswer.model_fields)
    assert not check["additionalProperties"]
    assert not item["additionalProperties"]
