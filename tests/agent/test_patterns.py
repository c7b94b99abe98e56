from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent.article import Article, Block, ParagraphKind, build_article
from agent.article_view import Unit
from agent.guideline import Quotations
from agent.patterns import ArticleView, Match, PatternError, PatternTimeout, compile_rules
from agent.rules import Rule, RuleScope
from agent.search import Run, Search
from tests.agent.build import article
from tests.effort import takes_less_than

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


def rule(**fields: Any) -> Rule:
    return RULE.validate_python({"check": "existence", "message": "'%s'"} | fields)


def find(text: Article, *rules: Rule, quotations: Quotations = Quotations.INCLUDED) -> list[Match]:
    return compile_rules(rules, quotations=quotations).find(ArticleView(text))


def quotes(text: Article, *rules: Rule, **options: Any) -> list[str]:
    return [text.text[match.start : match.end] for match in find(text, *rules, **options)]


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        ({"tokens": ["very", "quite"]}, "A very, very odd Very; everyday.", ["very", "very"]),
        ({"tokens": ["very"], "ignorecase": True}, "Very odd, VERY.", ["Very", "VERY"]),
        ({"tokens": ["ver"]}, "A very odd.", []),
        ({"tokens": ["ver"], "nonword": True}, "A very odd.", ["ver"]),
        ({"raw": [r"\b(?:was|were) "], "tokens": [r"\w+ed"]}, "It was defeated.", ["was defeated"]),
        ({"tokens": ["very"], "exceptions": ["very large array"]}, "The very Large; a very large array.", ["very"]),
        ({"tokens": [r"was \w+ed"], "exceptions": ["used"]}, "It was used, was used up, was tried.", ["was tried"]),
        ({"tokens": ["don't"]}, "We don’t and don't.", ["don’t", "don't"]),
        ({"tokens": [r"a \ufffc b"]}, "a \ufffc b", []),
    ],
)
def test_existence(fields: dict[str, Any], text: str, found: list[str]):
    assert quotes(article(text), rule(**fields)) == found


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        ({"swap": {"utilise": "use"}}, "Utilise it, we utilise it.", [("utilise", ("use",))]),
        ({"swap": {"utilise": "use"}, "ignorecase": True}, "Utilise it.", [("Utilise", ("Use",))]),
        ({"swap": {"cell ?phone": "phone|mobile"}}, "my cellphone", [("cellphone", ("phone", "mobile"))]),
        (
            {"swap": {"java ?script": "JavaScript"}, "ignorecase": True},
            "JavaScript, javascript",
            [("javascript", ("JavaScript",))],
        ),
        ({"swap": {"in order": "so", "in order to": "to"}}, "in order to win", [("in order to", ("to",))]),
        ({"swap": {"(a|b) c": "d"}}, "b c", [("b c", ("d",))]),
    ],
)
def test_substitution(fields: dict[str, Any], text: str, found: list[tuple[str, tuple[str, ...]]]):
    whole = article(text)
    matches = find(whole, rule(check="substitution", message="Use '%s', not '%s'", **fields))
    assert [(whole.text[m.start : m.end], m.suggestions) for m in matches] == found


def test_a_message_names_every_replacement_and_then_the_words():
    swap = rule(check="substitution", message="Use '%s' instead of '%s'.", swap={"cellphone": "phone|mobile phone"})
    assert find(article("A cellphone."), swap)[0].message == "Use 'phone' or 'mobile phone' instead of 'cellphone'."


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        (
            {"check": "occurrence", "token": r"\w+", "max": 3, "scope": "sentence"},
            "One two three. Now one two three four.",
            ["Now one two three four"],
        ),
        ({"check": "occurrence", "token": "!", "min": 1, "scope": "paragraph"}, "No mark.", ["No mark."]),
        ({"check": "repetition"}, "Paris in the the spring; that that is. No, no.", ["the the", "that that"]),
        ({"check": "repetition"}, "The the", []),
        ({"check": "repetition", "ignorecase": True}, "The the", ["The the"]),
        ({"check": "repetition"}, "5 5 and", []),
        (
            {"check": "consistency", "either": {"colour": "color"}},
            "A colour, then color, then color.",
            ["colour"],
        ),
        ({"check": "consistency", "either": {"colour": "color"}}, "A color, then a colour.", ["colour"]),
        ({"check": "consistency", "either": {"colour": "color"}}, "A color and a color.", []),
        (
            {
                "check": "conditional",
                "first": r"\b([A-Z]{3,5})\b",
                "second": r"\(([A-Z]{3,5})\)",
                "exceptions": ["BBC"],
            },
            "The World Health Organization (WHO) and the IMF, BBC and WHO.",
            ["IMF"],
        ),
        (
            {"check": "conditional", "first": r"\b[A-Z]{3,5}\b", "second": r"\(([A-Z]{3,5})\)"},
            "The World Health Organization (WHO) and the IMF. WHO says so.",
            ["IMF"],
        ),
        ({"check": "capitalization", "match": "$lower"}, "all lower", []),
        ({"check": "capitalization", "match": "$lower", "exceptions": ["NASA"]}, "what NASA says", []),
        ({"check": "capitalization", "match": "^[A-Z].*"}, "Call \ufffc now", []),
        ({"check": "capitalization", "match": "$upper"}, "Not upper", ["Not upper"]),
        ({"check": "capitalization", "match": "^[A-Z]"}, "small", ["small"]),
        ({"check": "readability", "min": 60, "min_words": 5}, "The cat sat on the mat. It was a good cat.", []),
        (
            {"check": "readability", "min": 60, "min_words": 5},
            "Organisational interdependencies necessitate multidisciplinary administrative consultation.",
            ["Organisational interdependencies necessitate multidisciplinary administrative consultation."],
        ),
    ],
)
def test_other_kinds(fields: dict[str, Any], text: str, found: list[str]):
    assert quotes(article(text), rule(**fields)) == found


DOCUMENT = build_article(
    [
        Block("Very big news", ParagraphKind.HEADING, 1),
        Block("It is very big. But very odd, too."),
        Block("very good point", ParagraphKind.LIST_ITEM),
        Block("a very fine quote", ParagraphKind.QUOTE),
        Block("very", ParagraphKind.TABLE_CELL),
    ]
)


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("text", [0, 1, 1, 2, 3, 4]),
        ("heading", [0]),
        ("sentence", [1, 1, 2, 3, 4]),
        ("paragraph", [1, 1, 3]),
        ("list", [2]),
    ],
)
def test_scopes(scope: str, found: list[int]):
    matches = find(DOCUMENT, rule(tokens=["very"], scope=scope, ignorecase=True))
    assert [DOCUMENT.paragraph_at(match.start).index for match in matches] == found


def test_a_line_start_is_the_start_of_each_unit():
    assert quotes(DOCUMENT, rule(tokens=["^But"], scope="sentence")) == ["But"]
    assert quotes(DOCUMENT, rule(tokens=["^But"], scope="paragraph")) == []


@pytest.mark.parametrize(
    ("fields", "text", "found"),
    [
        ({"tokens": ["game changer"], "once": True}, '"A game changer," she said. A game changer it is.', [30]),
        (
            {"check": "consistency", "either": {"e-mail": "email"}},
            '"My e-mail is down," she said. Our email works.',
            [],
        ),
        ({"check": "consistency", "either": {"colour": "color"}}, '"A colour, a colour." The color, a colour.', [35]),
    ],
)
def test_what_is_quoted_hides_and_outweighs_nothing_of_the_authors_own(
    fields: dict[str, Any], text: str, found: list[int]
):
    assert [match.start for match in find(article(text), rule(**fields), quotations=Quotations.EXEMPT)] == found


@pytest.mark.parametrize(
    "fields",
    [
        {"check": "occurrence", "token": "very", "max": 0},
        {"check": "consistency", "either": {"very": "quite"}},
        {"tokens": ["very"]},
    ],
)
def test_exceptions_hold_for_every_kind(fields: dict[str, Any]):
    text = article("A very large array is quite large.")
    assert quotes(text, rule(**fields)) in (["very"], ["quite"])
    assert quotes(text, rule(**fields, exceptions=["very large"])) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"tokens": ["(a)bc", r"(\w+) \1"]},
        {"check": "substitution", "swap": {r"(\w+) \1": "once"}},
    ],
)
def test_a_group_told_by_its_number_among_others_is_refused_with_the_way_out(fields: dict[str, Any]):
    with pytest.raises(PatternError, match=r"names a group by its number.*\(\?P=word\)"):
        compile_rules((rule(**fields),))


def test_a_group_told_by_its_name_or_alone_is_fine():
    text = article("the cat cat sat")
    assert quotes(text, rule(tokens=["abc", r"(?P<w>\w+) (?P=w)"])) == ["cat cat"]
    assert quotes(text, rule(tokens=[r"(\w+) \1"])) == ["cat cat"]


def test_words_that_are_right_already_are_not_replaced_by_themselves():
    swap = rule(check="substitution", swap={"e-?mail": "email"}, ignorecase=True)
    assert quotes(article("Email works, e-mail too."), swap) == ["e-mail"]


def test_quotations_are_exempt_where_the_guideline_says_so():
    text = article('“It is very odd,” she said, "a very odd" thing. It’s very odd.', "Not “closed, very odd.")
    very = rule(tokens=["very"])
    assert len(find(text, very)) == 4
    assert [match.start for match in find(text, very, quotations=Quotations.EXEMPT)] == [
        text.text.index("very odd.", 40)
    ]
    assert find(DOCUMENT, rule(tokens=["fine"]), quotations=Quotations.EXEMPT) == []


@pytest.mark.parametrize("pattern", [r"^(a|aa)+$", r"^(?:\w|\w\w)+$", r"(?:[a-z]|[a-z]{2})+$"])
def test_a_catastrophic_pattern_is_stopped(pattern: str):
    text = article("a" * 60 + "!")

    def stopped() -> None:
        with pytest.raises(PatternTimeout, match=r"took longer than 0\.2 s"):
            find(text, rule(tokens=[pattern], nonword=True))

    assert takes_less_than(5, stopped)


@pytest.mark.parametrize("pattern", [r"^(a|aa)+$", r"\b(?:a|aa)+\b!"])
def test_a_pattern_slow_in_every_paragraph_is_stopped_once_for_all(pattern: str):
    text = article(*["a" * 26 + " !"] * 200)

    def stopped() -> None:
        with pytest.raises(PatternTimeout, match="1 s on all of it"):
            find(text, rule(tokens=[pattern], nonword=True))

    assert takes_less_than(2, stopped)


def test_many_matches_and_exceptions_in_one_paragraph_take_no_longer_each():
    text, excused = article("very very large " * 12_000), rule(tokens=["very"], exceptions=["very", "very large"])

    def find_none() -> None:
        assert find(text, excused) == []

    assert takes_less_than(3, find_none)


def test_the_same_slow_exception_is_stopped_too():
    text = article(*["very " + "a" * 26 + "!"] * 200)
    with pytest.raises(PatternTimeout):
        find(text, rule(tokens=["very"], exceptions=["very (a|aa)+$"]))


@pytest.mark.parametrize("fields", [{"tokens": ["(a"]}, {"check": "occurrence", "token": "[", "max": 1}])
def test_a_pattern_that_does_not_compile_is_named(fields: dict[str, Any]):
    with pytest.raises(PatternError, match="is not a regular expression"):
        compile_rules((rule(**fields),))


ANY_RULES = (
    rule(tokens=[r"\w+\s+\w+"], nonword=True),
    rule(tokens=["(?<!x)a"], nonword=True),
    rule(check="repetition"),
    rule(check="occurrence", token=r"\w", max=2, scope="sentence"),
    rule(check="consistency", either={"a": "b"}),
    rule(check="capitalization", match="$sentence"),
)


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_a_match_lies_in_one_paragraph(paragraphs: list[str]):
    text = article("a b. b a", *paragraphs)
    for match in find(text, *ANY_RULES):
        assert 0 <= match.start <= match.end <= len(text.text)
        if match.end > match.start:
            assert text.paragraph_at(match.start) == text.paragraph_at(match.end - 1)


SHORT_CUTS = (
    r"a b", r"^b", r"a$", r"\ba\b", r"[^a]b", r"a\s", r"\b(?:ab|ba? b|a)\b", r"\b(?:a[ab]?|b+)\b", r"\b(?:a|b) ?b",
    r"(?<!a )\bb", r"\b(?:ab)+\b", r"\b(?:\w+ab|abba)\b", r"(?:a|b)b?!", r"[ab]{2}[.!]", r"\.\.|!!", r"b+ ?a ?b+",
    r"(?:[.!] )?\bb", r"\b(?:a(?:b| b)|bb)\b", r"\b(?:abbababbab|abb)", r"\d+ ?b", r"\d{1,2}|!b", r"[0-9]a?|\(a",
    r"\b5\b", r"(?:[.!]|\ba)+b?", r"\b\d+ ?a\b",
    r"\b[!5]a", r"(?:\ba){e<=1}", r"(?a:\ba)", r"\bσ|ſ", r"\x41b?", r"[[a]b]",
)  # fmt: skip
LETTERS = st.text("abAB .!?\n’5(") | st.text("abAB sσςſßẞiİı½²\u0301\u200d5!\ufffc")


@pytest.mark.filterwarnings("ignore:Possible nested set")  # `regex` itself doubts "[[a]b]"
@pytest.mark.parametrize("scope", list(RuleScope))
@pytest.mark.parametrize("source", SHORT_CUTS)
@given(st.lists(LETTERS, min_size=1, max_size=5), st.booleans())
def test_short_cuts_miss_nothing_and_invent_nothing(
    source: str, scope: RuleScope, paragraphs: list[str], ignorecase: bool
):
    view = ArticleView(article("x", *paragraphs))
    search = Search(source, scope, ignorecase)
    flags = regex.MULTILINE | (regex.IGNORECASE if ignorecase else 0)
    scanned = [
        (unit.start + found.start(), unit.start + found.end())
        for unit in view.units(scope)
        for found in regex.finditer(source, unit.text, flags)
        if found.end() > found.start() and "\ufffc" not in found[0]
    ]
    assert [(unit.start + found.start(), unit.start + found.end()) for unit, found in search.over(view)] == scanned


class Interrupted:
    """A compiled pattern whose first search loses its time to other threads of the process."""

    def __init__(self) -> None:
        self.searches = 0

    def finditer(self, text: str, timeout: float) -> object:
        self.searches += 1
        if self.searches == 1:
            raise TimeoutError
        return regex.compile("word").finditer(text, timeout=timeout)


def test_time_that_other_threads_take_is_not_held_against_a_pattern() -> None:
    pattern = Interrupted()
    found = Run("word", pattern).over(Unit(0, "a word"))  # type: ignore[arg-type]
    assert [match.span() for match in found] == [(2, 6)]
    assert pattern.searches == 2
