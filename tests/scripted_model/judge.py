"""A judge for tests: it answers the prompts of ragas in the shape that each asks for."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.scripted_model.question import Question
from tests.scripted_model.script import Scripted
from tests.scripted_model.server import CHARACTERS_PER_TOKEN, ScriptedModel, completion

STATEMENTS, VERDICTS = "StatementGeneratorOutput", "NLIStatementOutput"
RUBRIC = "RubricScoreOutput"
SUGGESTION, QUOTE = "Suggestion", "Marked words"  # what is scored by a rubric
NOTHING = Question((), {}, (), "", "")


class ScriptedJudge(ScriptedModel):
    """Finds everything good but what has the word "bad" in it: a statement, a suggestion, marked words.

    `instead` has, by what is asked for, answers given in turn in place of that.
    """

    def __init__(self, instead: Mapping[str, list[Scripted]] | None = None, *, seconds: float = 0.0) -> None:
        super().__init__(seconds=seconds)
        self.instead = {kind: list(answers) for kind, answers in (instead or {}).items()}

    def answer(self, request: dict[str, Any], headers: dict[str, str]) -> tuple[Scripted, dict[str, Any]]:
        system, prompt = (message["content"] for message in request["messages"])
        kind = json.loads(system[system.index("{") :])["title"]
        if kind == RUBRIC:
            kind = _input(prompt)["response"].split(":")[0]
        tokens = (len(system) + len(prompt)) // CHARACTERS_PER_TOKEN
        with self._lock:
            self._note(request, headers, NOTHING, tokens, 0)
            given = self.instead.get(kind)
            scripted = (given.pop(0) if len(given) > 1 else given[0]) if given else Scripted()
        text = scripted.text if scripted.text is not None else json.dumps(OPINIONS[kind](prompt))
        return scripted, completion(request, scripted, text, tokens, 0)


def _statements(prompt: str) -> dict[str, Any]:
    """Each sentence is a statement."""
    return {"statements": re.findall(r"[^.]+\.", _input(prompt)["answer"])}


def _verdicts(prompt: str) -> dict[str, Any]:
    said = [{"statement": one, "reason": "r", "verdict": int("bad" not in one)} for one in _input(prompt)["statements"]]
    return {"statements": said}


def _score(prompt: str) -> dict[str, Any]:
    """By the first line: the suggestion, or the marked words."""
    scored, _ = _input(prompt)["response"].split("\n", 1)
    return {"feedback": "f", "score": 2 if "bad" in scored else 4}


def _input(prompt: str) -> dict[str, Any]:
    """The last JSON object of a prompt of ragas: those before it are examples."""
    found: dict[str, Any] = json.JSONDecoder().raw_decode(prompt, prompt.index("{", prompt.rindex("\ninput: {")))[0]
    return found


OPINIONS = {STATEMENTS: _statements, VERDICTS: _verdicts, SUGGESTION: _score, QUOTE: _score}
