"""The score and the findings of a checked article, and what an editor does about them."""

import re

import pytest
from playwright.sync_api import Page, expect

from agent.finding import Severity
from agent.score import Band, Score
from serving.feedback import Reason, State
from tests.serving.addin.editor import CURRENT, at_rest, card, check_sample, found, marked, text_of, wait_for_text
from tests.serving.pages.results import check, result_of, sample
from tests.serving.pages.scripted_api import Answer, Script, decided, problem

pytestmark = pytest.mark.browser


@pytest.fixture
def sampled(script: Script, page: Page) -> Page:
    """The sample, checked."""
    script.result = [found(sample())]
    check_sample(page)
    return page


def test_the_score_says_what_it_is_made_of_and_who_says_so(sampled):
    report = check(sample())
    assert report.score
    score = sampled.get_by_role("heading", name="Score")
    expect(score).to_have_text(f"Score {report.score.value} of 100")
    expect(score).to_be_focused()
    expect(sampled.get_by_text("Needs work", exact=True)).to_be_visible()
    sampled.get_by_text("points off, by").click()
    expect(sampled.get_by_text("Version 3, pack “house”: 41 guidelines checked by patterns.")).to_be_visible()
    expect(sampled.get_by_text("Ungated: promoted by force, without an evaluation.")).to_be_visible()
    rows = sampled.locator(".parts tbody tr td:last-child").all_inner_texts()
    assert sum(float(row.removeprefix("−")) for row in rows) == pytest.approx(100 - report.score.value)


def test_every_finding_is_marked_at_its_words(sampled):
    report = check(sample())
    for severity in Severity:
        assert marked(sampled, severity.value) == [f.quote for f in report.findings if f.severity is severity]


def test_a_card_leads_to_its_words_and_the_words_to_their_card(sampled):
    sampled.get_by_role("button", name="Leave worn phrases out").click()
    assert marked(sampled, "current") == ["At the end of the day"]
    sheet = sampled.locator(".sheet").bounding_box()
    box = at_rest(sampled, CURRENT)
    assert sheet["y"] <= box["top"] < box["bottom"] <= sheet["y"] + sheet["height"]
    sampled.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    expect(sampled.locator(".card[aria-current]")).to_contain_text("At the end of the day")


def test_the_page_keeps_its_height_whichever_card_is_open(sampled):
    for _ in range(2):
        sampled.keyboard.press("Shift+F8")
    expect(sampled.get_by_text("14 of 15")).to_be_visible()
    assert at_rest(sampled, "[scrollY, document.documentElement.scrollHeight - innerHeight]") == [0, 0]


def test_findings_are_walked_by_keyboard(sampled):
    expect(sampled.get_by_text("1 of 15")).to_be_visible()
    sampled.keyboard.press("F8")
    expect(sampled.get_by_text("2 of 15")).to_be_visible()
    sampled.keyboard.press("ArrowDown")
    expect(sampled.get_by_text("3 of 15")).to_be_visible()
    assert marked(sampled, "current") == ["It was decided that"]
    sampled.keyboard.press("ArrowUp")
    expect(sampled.get_by_text("2 of 15")).to_be_visible()
    sampled.keyboard.press("Shift+F8")
    expect(sampled.get_by_text("1 of 15")).to_be_visible()
    sampled.keyboard.press("Shift+F8")
    expect(sampled.get_by_text("15 of 15")).to_be_visible()


def test_everything_is_done_by_keyboard_alone(script, page):
    script.result = [found(sample())]
    page.get_by_role("button", name="Try the sample").press("Enter")
    page.get_by_role("button", name="Check article").press("Enter")
    expect(page.get_by_role("heading", name="Score")).to_be_focused()
    page.keyboard.press("F8")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Replace with “because”")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".card[aria-current] .title")).to_be_focused()
    assert "planned, because eleven" in text_of(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="False alarm")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dismiss", exact=True)).to_be_focused()


def test_findings_are_filtered_by_severity(sampled):
    sampled.get_by_role("button", name="1 Breaches").click()
    expect(sampled.locator(".card:visible")).to_have_count(1)
    assert [len(marked(sampled, severity.value)) for severity in Severity] == [0, 0, 1]
    sampled.get_by_role("button", name="15 All").click()
    expect(sampled.locator(".card:visible")).to_have_count(15)


def test_why_shows_the_rule_its_version_and_how_often_it_was_right(script, sampled):
    script.figures = [
        {"guideline": "loaded-language", "precision": {"value": 0.82, "low": 0.74, "high": 0.88, "findings": 120}}
    ]
    one = card(sampled, "Describe, don't judge")
    one.get_by_role("button", name="Describe").click()
    one.get_by_role("button", name="Why").click()
    expect(one.get_by_text("Words that praise or condemn tell readers what to think")).to_be_visible()
    expect(one.get_by_text("Version 3 of pack “house”, loaded-language: checked by patterns.")).to_be_visible()
    expect(one.get_by_text("Right in 82 of 100 findings (74 to 88; 120 judged).")).to_be_visible()


def test_who_may_not_see_figures_is_shown_none(sampled):
    one = card(sampled, "Describe, don't judge")
    one.get_by_role("button", name="Describe").click()
    one.get_by_role("button", name="Why").click()
    expect(one.get_by_text("checked by patterns.")).to_be_visible()
    expect(one.get_by_text("Right in")).to_have_count(0)


def test_replace_changes_the_words_and_undo_brings_them_back(script, sampled):
    before = text_of(sampled)
    card(sampled, "Use the plain word").nth(0).click()
    with sampled.expect_response("**/feedback"):
        sampled.get_by_role("button", name="Replace with “because”").click()
    assert text_of(sampled) == before.replace("due to the fact that", "because")
    expect(sampled.get_by_text("The text has changed since it was checked")).to_be_visible()
    assert [one["state"] for one in script.feedback] == ["accepted"]
    with sampled.expect_response("**/feedback/*"):
        sampled.locator(".toast").get_by_role("button", name="Undo").click()
    assert script.feedback == []
    expect(sampled.get_by_text("The text has changed since it was checked")).to_be_hidden()
    assert text_of(sampled) == before


def test_the_browsers_own_undo_knows_of_a_replacement(sampled):
    before = text_of(sampled)
    card(sampled, "Use the plain word").nth(0).click()
    sampled.get_by_role("button", name="Replace with “because”").click()
    expect(sampled.locator(".toast")).to_contain_text("Replaced.")
    sampled.locator("#article h1").click()
    sampled.keyboard.press("Control+z")
    wait_for_text(sampled, before)


def test_a_dismissal_is_kept_with_its_reason_and_can_be_undone(script, sampled):
    script.score = Score(value=88.8, average=99, minimum=70, contributions=()), Band.GREEN
    sampled.get_by_role("button", name="Describe, don't judge").click()
    sampled.get_by_role("button", name="Dismiss", exact=True).click()
    sampled.get_by_role("button", name="It is a quotation").click()
    expect(sampled.locator(".toast")).to_contain_text("Dismissed: it is a quotation.")
    expect(sampled.get_by_role("heading", name="Score 88.8 of 100")).to_be_visible()
    expect(sampled.get_by_role("button", name="14 All")).to_be_visible()
    assert [(one["state"], one["reason"]) for one in script.feedback] == [("dismissed", "quotation")]
    with sampled.expect_response("**/feedback/*"):
        sampled.locator(".toast").get_by_role("button", name="Undo").click()
    assert script.feedback == []
    expect(sampled.get_by_role("button", name="15 All")).to_be_visible()


def test_another_reason_is_written_down(script, sampled):
    sampled.get_by_role("button", name="Describe, don't judge").click()
    sampled.get_by_role("button", name="Dismiss", exact=True).click()
    sampled.get_by_role("button", name="Another reason").click()
    sampled.get_by_label("Your reason").fill("The council's own word")
    with sampled.expect_response("**/feedback"):
        sampled.keyboard.press("Enter")
    expect(sampled.locator(".toast")).to_contain_text("Dismissed")
    assert script.feedback[0]["comment"] == "The council's own word"


def test_dismissals_survive_a_check_and_wait_for_approval_where_they_must(script, page):
    finding = check(sample()).findings[0]
    kept = decided(finding.fingerprint, State.PENDING, Reason.STYLE_CHOICE)
    script.result = [found(sample(), feedback=[kept])]
    check_sample(page)
    expect(page.get_by_role("button", name="14 All")).to_be_visible()
    page.get_by_text("1 dismissed", exact=True).click()
    expect(page.get_by_text("a choice of style; waits for approval and counts until then.")).to_be_visible()


def test_a_service_that_keeps_no_dismissals_offers_none(script, page):
    answer = result_of(sample(), check(sample()))
    del answer["feedback"]
    script.result = [Answer(answer)]
    check_sample(page)
    expect(page.get_by_text("This service does not keep dismissals yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Dismiss", exact=True)).to_have_count(0)


def test_a_dismissal_that_was_not_kept_is_no_dismissal(script, sampled):
    script.decide = problem(503, "Database unusable", "try again in a moment")
    sampled.get_by_role("button", name="Describe, don't judge").click()
    sampled.get_by_role("button", name="Dismiss", exact=True).click()
    sampled.get_by_role("button", name="False alarm").click()
    expect(sampled.locator(".toast")).to_contain_text("It could not be kept. Database unusable: try again in a moment")
    expect(sampled.get_by_role("button", name="15 All")).to_be_visible()


def test_words_are_followed_while_the_article_is_edited(sampled):
    sampled.locator("#article p").nth(1).click(position={"x": 2, "y": 10})
    sampled.keyboard.press("Home")
    sampled.keyboard.insert_text("😀 Now: ")
    expect(sampled.locator("#article")).to_contain_text("😀 Now: ")
    expect(sampled.get_by_text("The text has changed since it was checked")).to_be_visible()
    card(sampled, "Use the plain word").nth(0).click()
    assert marked(sampled, "current") == ["due to the fact that"]


def test_words_that_were_changed_are_said_to_be(sampled):
    sampled.evaluate("""() => {
      const text = document.querySelectorAll('#article p')[1].firstChild;
      text.data = text.data.replace('due to the fact that', 'because');
      document.getElementById('article').dispatchEvent(new Event('input'));
    }""")
    gone = card(sampled, "Use the plain word").nth(0)
    expect(gone).to_have_class(re.compile("gone"))
    gone.click()
    expect(gone.get_by_text("These words have changed since the check.")).to_be_visible()
    expect(gone.get_by_role("button", name="Replace")).to_be_hidden()
