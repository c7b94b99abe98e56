"""`patterns-200`: deterministic rules by themselves."""

from collections.abc import Iterator
from pathlib import Path

from agent.guideline import Quotations
from agent.patterns import ArticleView, compile_rules
from agent.rules import Existence, Rule
from tests.bench.article import thousand_words
from tests.bench.measure import Measurement, benchmark, median_ms

LIMIT_MS = 3.0


def two_hundred() -> tuple[Rule, ...]:
    """170 phrases that editors strike out, and 30 expressions, each a rule of its own."""
    text = Path(__file__).with_name("rules.txt").read_text(encoding="utf-8")
    literals, expressions = (part.strip("\n").split("\n") for part in text.split("# expressions"))
    if (len(literals), len(expressions)) != (170, 30):
        raise AssertionError(f"there are {len(literals)} literals and {len(expressions)} expressions")
    return tuple(
        Existence(message="m", tokens=(token,), nonword=token in expressions, ignorecase=token in literals)
        for token in (*literals, *expressions)
    )


@benchmark("patterns-200")
def two_hundred_rules() -> Iterator[Measurement]:
    article = thousand_words()
    rules = compile_rules(two_hundred(), quotations=Quotations.INCLUDED)
    found = len(rules.find(ArticleView(article)))
    took = median_ms(lambda: rules.find(ArticleView(article))) * 1000 / article.words
    distinct = len(set(article.text.casefold().split()))
    note = f"{len(rules.matchers)} rules, {found} matches, {article.words} words, {distinct} of them different"
    yield Measurement("patterns-200", took, "ms", f"<= {LIMIT_MS:g} ms", took <= LIMIT_MS, note=note)
