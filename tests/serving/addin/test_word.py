"""The pane in a fake Word: exact words, tracked changes, what an older Word can't."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agent.article import Article, Block, ParagraphKind, build_article
from agent.check import Check, Verdict
from agent.finding import Method, Severity, make_finding
from agent.report import build_report
from agent.spec import AgentSpec
from tests.serving.addin.conftest import OpenWord, word_paragraphs
from tests.serving.pages.results import PACK, result_of
from tests.serving.pages.scripted_api import Answer, Script

pytestmark = pytest.mark.browser

WORDY = PACK.guidelines[0]


def spotted(article: Article, *words: tuple[int, str, tuple[str, ...]]) -> Answer:
    """A result with findings on the n-th occurrences of words."""
    findings = []
    for nth, quote, suggestions in words:
        start = -1
        for _ in range(nth):
            start = article.text.index(quote, start + 1)
        findings.append(
            make_finding(
                article,
                start,
                start + len(quote),
                guideline=WORDY.id,
                severity=Severity.WARNING,
                message=f"about {quote}",
                method=Method.PATTERN,
                suggestions=suggestions,
            )
        )
    check = Check(guideline=WORDY.id, verdict=Verdict.FINDINGS, method=Method.PATTERN, findings=tuple(findings))
    stamp = AgentSpec(pack=PACK).stamp(name="copydesk-agent", number="3")
    return Answer(result_of(article, build_report(article, [WORDY], [check], version=stamp, seconds=0.1)))


def article_of(*texts: str) -> Article:
    return build_article([Block(text) for text in texts])


def check(page: Page) -> None:
    page.get_by_role("button", name="Check article").click()
    expect(page.get_by_role("heading", name="Score")).to_be_visible()


def fake(page: Page, expression: str) -> Any:
    return page.evaluate(f"fakeWord.{expression}")


def until(page: Page, expression: str) -> Any:
    """Waits from here: the page's policy forbids what Playwright's own waiting does in it."""
    for _ in range(1_200):
        if found := page.evaluate(f"fakeWord.{expression}"):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"fakeWord.{expression} did not come true")


@pytest.mark.parametrize("sets", [1.3, 1.4, 1.6, 1.8])
@pytest.mark.parametrize(
    ("text", "nth", "quote"),
    [
        ("the cat and the dog and the bird", 3, "the"),
        ("a^2\u00a0b\tc^2", 2, "^2"),
        ("one aaa two", 2, "aa"),
        ("👩‍👩‍👧 said “so” and ‘so’ — 'so'", 3, "so"),
        ('say “this” or "this"', 1, '"this"'),
        (" ".join(f"word{at}" for at in range(120)), 1, " ".join(f"word{at}" for at in range(3, 90))),
    ],
    ids=["equal words", "codes", "overlapping", "emoji and quotes", "folded quotes", "too long to search"],
)
def test_a_title_goes_to_exactly_its_words(script: Script, open_word: OpenWord, sets, text, nth, quote):
    article = article_of("Before.", text)
    script.result = [spotted(article, (nth, quote, ()))]
    page = open_word(["Before.", text], sets=sets)
    check(page)
    page.locator(".card .title").click()
    until(page, "selection")
    start = -1
    for _ in range(nth):
        start = text.index(quote, start + 1)
    units = len(text[:start].encode("utf-16-le")) // 2
    assert fake(page, "selected()") == {"paragraph": 1, "text": quote, "start": units}
    assert all(len(searched) <= 255 for searched in fake(page, "searched"))


def test_paragraphs_are_sent_with_what_they_are(script: Script, open_word: OpenWord):
    blocks = [
        Block("Head", ParagraphKind.HEADING, 1), Block("Text."), Block("Item", ParagraphKind.LIST_ITEM),
        Block("Cell", ParagraphKind.TABLE_CELL), Block("Said", ParagraphKind.QUOTE),
    ]  # fmt: skip
    article = build_article(blocks)
    script.result = [spotted(article, (1, "Text", ()))]
    page = open_word([*word_paragraphs(article), {"text": "Head\t1", "style": "Toc1"}, "note\u0002 a\u001eb"])
    check(page)
    sent = script.sent()
    assert [(p["text"], p["kind"], p["level"]) for p in sent["article"]["paragraphs"]] == [
        ("Head", "heading", 1), ("Text.", "text", 0), ("Item", "list", 0), ("Cell", "table", 0), ("Said", "quote", 0),
        ("", "text", 0), ("note\ufffc a-b", "text", 0),
    ]  # fmt: skip
    assert (sent["title"], sent["channel"]) == ("Head", "word")
    assert sent["document_id"] == fake(page, "settings['copydesk.document']")


def test_a_check_asked_for_twice_while_word_reads_is_one(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("We utilize it."), (1, "utilize", ()))]
    page = open_word(["We utilize it."])
    page.evaluate(
        """() => {
            const { run } = Word;
            const reading = new Promise((done) => (window.go = done));
            Word.run = async (...act) => (await reading, run(...act));
        }"""
    )
    for _ in range(2):
        page.get_by_role("button", name="Check article").click()
    page.evaluate("go()")
    expect(page.get_by_role("heading", name="Score")).to_be_visible()  # a second one would be sent before
    assert len(script.received) == 1


def test_a_document_keeps_its_name(script: Script, open_word: OpenWord):
    article = article_of("We utilize it.")
    script.result = [spotted(article, (1, "utilize", ("use",)))]
    page = open_word(["We utilize it."], settings={"copydesk.document": "word-0123"})
    check(page)
    assert (script.sent()["document_id"], fake(page, "saved")) == ("word-0123", 0)


def test_a_replacement_is_the_smallest_tracked_change(script: Script, open_word: OpenWord):
    text = "We utilize a tool."
    script.result = [spotted(article_of(text), (1, "We utilize a tool", ("We use a tool",)))]
    page = open_word([{"runs": [{"text": "We ", "kind": "n", "bold": True}, {"text": "utilize a tool.", "kind": "n"}]}])
    check(page)
    page.get_by_role("button", name="Replace with “We use a tool”").click()
    expect(page.locator(".toast")).to_contain_text("Replaced.")
    assert fake(page, "runs()") == [
        [["We ", "n", True], ["utilize", "d", False], ["use", "i", False], [" a tool.", "n", False]]
    ]
    assert fake(page, "modes") == ["TrackAll", "Off"]


def test_without_tracked_changes_words_are_replaced_plainly(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("We utilize it."), (1, "utilize", ("use",)))]
    page = open_word(["We utilize it."], sets=1.3)
    check(page)
    page.get_by_role("button", name="Replace with “use”").click()
    expect(page.locator(".toast")).to_contain_text("Replaced.")
    assert fake(page, "text()") == ["We use it."]
    expect(page.get_by_role("button", name="Comment")).to_have_count(0)


@pytest.mark.parametrize("sets", [1.3, 1.4, 1.8])
def test_all_like_this_and_back_again(script: Script, open_word: OpenWord, sets):
    text = "We utilize it, they utilize it\u00a0😀, and “we” utilize it."
    words = [(nth, "utilize", ("use",)) for nth in (1, 2, 3)]
    script.result = [spotted(article_of(text), *words)]
    page = open_word([text], sets=sets)
    check(page)
    page.get_by_label("All 3 like this").check()
    page.get_by_role("button", name="Replace with “use”").click()
    expect(page.locator(".toast")).to_contain_text("3 replaced.")
    assert fake(page, "text()") == [text.replace("utilize", "use")]
    page.get_by_text("3 replaced", exact=True).click()
    page.get_by_role("button", name="Undo all").click()
    expect(page.locator(".card:visible")).to_have_count(3)
    assert fake(page, "text()") == [text]
    if sets == 1.8:  # nothing of it is left in the file
        assert "".join(run[0] for run in fake(page, "runs()")[0]) == text


def test_a_footnote_in_the_words_is_not_replaced(script: Script, open_word: OpenWord):
    sent = "each and\ufffc every"
    script.result = [spotted(article_of(sent), (1, sent, ("each",)))]
    page = open_word(["each and\u0002 every"])
    check(page)
    page.get_by_role("button", name="Replace with “each”").click()
    expect(page.locator(".toast")).to_contain_text("Nothing was replaced")
    assert fake(page, "text()") == ["each and\u0002 every"]


def test_words_that_a_colleague_changed_are_left_alone(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("We utilize it."), (1, "utilize", ("use",)))]
    page = open_word(["We utilize it."])
    check(page)
    page.evaluate("fakeWord.paragraphs[0].runs = [{ text: 'We like it.', kind: 'n' }]")  # no event came
    page.get_by_role("button", name="Replace with “use”").click()
    expect(page.locator(".toast")).to_contain_text("Nothing was replaced")
    expect(page.get_by_text("These words have changed since the check.")).to_be_visible()
    assert fake(page, "text()") == ["We like it."]


@pytest.mark.parametrize("sets", [1.3, 1.6])
def test_words_are_followed_through_edits(script: Script, open_word: OpenWord, sets):
    script.result = [spotted(article_of("First.", "We utilize it; you utilize it."), (2, "utilize", ("use",)))]
    page = open_word(["First.", "We utilize it; you utilize it."], sets=sets)
    check(page)
    page.evaluate("fakeWord.insert(0, 'A new one.')")
    page.evaluate("fakeWord.edit(2, 'Yes, we utilize it; you utilize it.')")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("The text has changed since it was checked")).to_be_visible()
    page.locator(".card .title").click()
    until(page, "selection")
    assert fake(page, "selected()") == {"paragraph": 2, "text": "utilize", "start": 24}


def test_deleted_words_are_neither_sent_nor_found(script: Script, open_word: OpenWord):
    runs = [{"text": "use ", "kind": "d", "change": "x"}, {"text": "Now use it.", "kind": "n"}]
    script.result = [spotted(article_of("Now use it."), (1, "use", ("take",)))]
    page = open_word([{"runs": runs}])
    check(page)
    assert script.sent()["article"]["paragraphs"][0]["text"] == "Now use it."
    page.locator(".card .title").click()
    until(page, "selection")
    assert fake(page, "selected()") == {"paragraph": 0, "text": "use", "start": 4}


def test_findings_can_become_comments(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("Critics say so."), (1, "Critics say", ()))]
    page = open_word(["Critics say so."])
    check(page)
    page.get_by_role("button", name="Comment").click()
    until(page, "comments.length")
    assert fake(page, "comments") == [{"on": "Critics say", "text": f"{WORDY.title}: about Critics say"}]


def test_squiggles_stand_under_the_words_and_lead_to_their_cards(script: Script, open_word: OpenWord):
    text = "We utilize it prior to lunch."
    script.result = [spotted(article_of(text), (1, "utilize", ()), (1, "prior to", ()))]
    page = open_word([text])
    check(page)
    until(page, "paragraphs[0].annotations.length === 2")
    assert fake(page, "paragraphs[0].annotations.map((one) => one.text)") == ["utilize", "prior to"]
    page.evaluate("fakeWord.fire('onAnnotationClicked', { id: fakeWord.paragraphs[0].annotations[1].id })")
    expect(page.locator(".card[aria-current] q")).to_have_text("prior to")


def test_without_a_subscription_nothing_is_said_of_squiggles(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("We utilize it."), (1, "utilize", ("use",)))]
    page = open_word(["We utilize it."], subscription=False)
    check(page)
    page.locator(".card .title").click()
    until(page, "selection")
    expect(page.locator(".toast")).to_be_hidden()


def test_only_the_selection_is_checked(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("Two utilize."), (1, "utilize", ()))]
    page = open_word(["One.", "Two utilize.", "Three."])
    page.get_by_role("button", name="Check selection").click()
    expect(page.locator(".toast")).to_contain_text("Select the text to check first.")
    page.evaluate("fakeWord.select(1, 2)")
    page.get_by_role("button", name="Check selection").click()
    expect(page.get_by_text("Of the selection: 2 words")).to_be_visible()
    assert [p["text"] for p in script.sent()["article"]["paragraphs"]] == ["Two utilize."]
    page.locator(".card .title").click()
    until(page, "selected().text === 'utilize'")
    assert fake(page, "selected()")["paragraph"] == 1


def test_a_document_that_refuses_says_so(script: Script, open_word: OpenWord):
    script.result = [spotted(article_of("We utilize it."), (1, "utilize", ("use",)))]
    page = open_word(["We utilize it."], readOnly=True)
    check(page)
    page.get_by_role("button", name="Replace with “use”").click()
    expect(page.locator(".toast")).to_contain_text("The document did not allow that.")
    assert fake(page, "mode") == "Off"


@pytest.mark.parametrize(
    ("config", "said"),
    [({"host": "Excel"}, "This pane works in Word"), ({"sets": 1.2}, "This Word is too old")],
    ids=["Excel", "old"],
)
def test_elsewhere_the_pane_says_what_it_needs(open_word: OpenWord, config, said):
    expect(open_word([], **config).get_by_role("heading", name=said)).to_be_visible()


def test_words_theme_is_followed(open_word: OpenWord):
    page = open_word(["Text."], theme={"isDarkTheme": True})
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_the_fake_is_as_strict_as_word(open_word: OpenWord):
    page = open_word(["x"], sets=1.3)
    unloaded = """Word.run(async (context) => {
        const { paragraphs } = context.document.body;
        paragraphs.load({ text: true });
        await context.sync();
        return paragraphs.items[0].styleBuiltIn;
    })"""
    assert page.evaluate(f"{unloaded}.catch((error) => error.code)") == "PropertyNotLoaded"
    unsupported = "Word.run(async ({ document }) => document.load({ changeTrackingMode: true }))"
    assert page.evaluate(f"{unsupported}.catch((error) => error.code)") == "ApiNotFound"
