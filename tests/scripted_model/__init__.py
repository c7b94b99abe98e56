"""A model for tests: the OpenAI chat-completions protocol over real HTTP, answering by script.

    with ScriptedModel({"attribution": [finds("Experts say")]}) as model:
        ...  # at model.url

By itself: `python -m tests.scripted_model --help`.
"""

from tests.scripted_model.question import Question
from tests.scripted_model.script import FOREVER, Rule, Script, Scripted, finds
from tests.scripted_model.server import ScriptedModel

__all__ = ["FOREVER", "Question", "Rule", "Script", "Scripted", "ScriptedModel", "finds"]
