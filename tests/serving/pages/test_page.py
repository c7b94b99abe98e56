"""The page in a real browser, in each state an editor may meet."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from agent.article import Article, Block, build_article
from agent.check import Check, Verdict
from agent.finding import Method
from agent.guideline import GuidelinePack
from agent.report import build_report
from agent.spec import AgentSpec
from tests.serving.pages.results import PACK, check, result_of, sample
from tests.serving.pages.scripted_api import ACCEPTED, COMPLETED, JOB, Answer, Script, problem

pytestmark = pytest.mark.browser

CALM = build_article([Block("The library opens at nine on weekdays.")])
EMOJI = build_article([Block("😀 We utilize it, 👩‍👩‍👧 prior to lunch.")])


def found(article: Article, evidence: str = "forced: first version") -> Answer:
    return Answer(result_of(article, check(article, evidence=evidence)))


def running(done: int, total: int = 40, guideline: str = "loaded-language") -> Answer:
    return Answer({"job_id": JOB, "status": "running", "done": done, "total": total, "guideline": guideline})


def check_text(page: Page, text: str = "Some text.") -> None:
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Check article").click()


def check_sample(page: Page) -> None:
    page.get_by_role("button", name="Try a sample").click()
    page.get_by_role("button", name="Check article").click()
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()


@pytest.fixture
def sampled(script: Script, page: Page) -> Page:
    """The sample, checked."""
    script.result = [found(sample())]
    check_sample(page)
    return page


def test_before_a_check_the_guidelines_can_be_read(page):
    expect(page.get_by_text("41 guidelines of the pack “house”, version 3.")).to_be_visible()
    page.get_by_text("Describe, don't judge").click()
    expect(page.get_by_text("Words that praise or condemn tell readers what to think")).to_be_visible()


def test_the_article_is_sent_as_html_with_its_headline(script, page):
    script.result = [found(CALM)]
    page.get_by_label("Headline").fill("Tom & Ann")
    check_text(page, "One.\n\nTwo.")
    expect(page.get_by_role("heading", name="Score")).to_be_visible()
    assert script.received[0].kind == "application/json"
    assert json.loads(script.received[0].body) == {
        "title": "Tom & Ann",
        "article": {"html": "<h1>Tom &amp; Ann</h1>\n<p>One.</p>\n<p>Two.</p>"},
        "channel": "page",
    }


def test_nothing_to_check_is_said_at_once(script, page):
    page.get_by_role("button", name="Check article").click()
    expect(page.get_by_text("There is nothing to check yet")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_be_focused()
    assert script.received == []


def test_a_file_is_sent_as_it_is(script, page):
    script.result = [found(sample())]
    page.get_by_label("Article file").set_input_files({"name": "a.md", "mimeType": "text/markdown", "buffer": b"# Hi"})
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    assert script.received[0].kind.startswith("multipart/form-data")
    assert b'name="file"; filename="a.md"' in script.received[0].body
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Headline")).to_have_value("You won’t believe what the harbour board did next")


def test_a_file_of_another_kind_is_refused(script, page):
    page.get_by_label("Article file").set_input_files({"name": "a.exe", "mimeType": "x/y", "buffer": b"MZ"})
    expect(page.get_by_text("“a.exe” can’t be read: choose a .docx, .md, .html or .txt file.")).to_be_visible()
    assert script.received == []


def test_the_queue_and_the_progress_are_shown(script, page):
    script.status = [Answer({"job_id": JOB, "status": "queued", "position": 3})]
    check_text(page)
    expect(page.locator(".detail")).to_have_text("Number 3 in the queue.")
    script.status = [running(12)]
    expect(page.get_by_text("12 of 40 guidelines, last: Describe, don't judge")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Checking")
    assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("12", "40")
    script.result, script.status = [found(CALM)], [COMPLETED]
    expect(page.locator(".clear")).to_be_visible()


def test_waiting_can_be_stopped(script, page):
    script.status = [running(1)]
    check_text(page, "Keep me.")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Keep me.")
    expect(page.get_by_role("button", name="Check article")).to_be_enabled()
    assert script.cancelled


def test_the_score_says_what_it_is_made_of_and_who_says_so(sampled):
    report = check(sample())
    assert report.score
    score = sampled.get_by_role("heading", name="Score")
    expect(score).to_have_text(f"Score {report.score.value} of 100")
    expect(score).to_be_focused()
    expect(sampled.get_by_text("Needs work", exact=True)).to_be_visible()
    expect(sampled.get_by_text("Version 3, pack “house”: 41 guidelines checked by patterns.")).to_be_visible()
    expect(sampled.get_by_text("Ungated: promoted by force, without an evaluation.")).to_be_visible()
    sampled.get_by_text("points off, by").click()
    rows = sampled.locator(".made-of tbody tr td:last-child").all_inner_texts()
    assert sum(float(row.removeprefix("−")) for row in rows) == pytest.approx(100 - report.score.value)


def test_every_finding_is_marked_at_its_words(sampled):
    report = check(sample())
    for at, finding in enumerate(report.findings):
        marks = sampled.locator(f'mark[data-findings~="{at}"]').all_inner_texts()
        assert "".join(marks) == finding.quote


def test_marks_stand_right_after_emoji(script, page):
    script.result = [found(EMOJI)]
    check_text(page)
    expect(page.locator("mark")).to_have_text(["utilize", "prior to"])


def test_markup_in_an_article_is_shown_as_text(script, page):
    script.result = [found(build_article([Block("<img src=x onerror=alert(1)> We utilize <b>it</b>.")]))]
    check_text(page)
    expect(page.locator("#article")).to_have_text("<img src=x onerror=alert(1)> We utilize <b>it</b>.")


def test_a_card_leads_to_its_words_and_the_words_to_their_card(sampled):
    sampled.get_by_role("button", name="Leave worn phrases out").click()
    expect(sampled.locator("mark[data-selected]")).to_have_text("At the end of the day")
    expect(sampled.locator("mark[data-selected]")).to_be_in_viewport()
    sampled.locator("mark", has_text="slammed the").click()
    card = sampled.locator(".card[aria-current]")
    expect(card.get_by_role("button", name="Describe, don't judge")).to_be_focused()
    expect(sampled.locator("mark[data-selected]")).to_have_text("slammed the")
    expect(card).to_be_in_viewport()


def test_findings_are_walked_by_keyboard(sampled):
    sampled.keyboard.press("F8")
    expect(sampled.get_by_text("1 of 15")).to_be_visible()
    sampled.keyboard.press("ArrowDown")
    expect(sampled.locator("mark[data-selected]")).to_have_text("due to the fact that")
    sampled.keyboard.press("ArrowUp")
    sampled.keyboard.press("Shift+F8")
    expect(sampled.get_by_text("15 of 15")).to_be_visible()


def test_findings_are_filtered_by_severity(sampled):
    sampled.get_by_role("button", name="Breaches 1").click()
    expect(sampled.locator(".card:visible")).to_have_count(1)
    expect(sampled.locator("mark:not(.off)")).to_have_count(1)
    sampled.get_by_role("button", name="All 15").click()
    expect(sampled.locator(".card:visible")).to_have_count(15)


def test_why_opens_the_guideline(sampled):
    card = sampled.locator(".card", has_text="slammed the").first
    card.get_by_role("button", name="Why").click()
    expect(card.get_by_text("Words that praise or condemn tell readers what to think")).to_be_visible()


def test_edit_goes_back_to_the_text_as_it_was(sampled):
    sampled.get_by_role("button", name="Edit").click()
    expect(sampled.get_by_label("Text", exact=True)).to_be_focused()
    expect(sampled.get_by_label("Text", exact=True)).to_have_value(re.compile("^The harbour board of Port Aldmere"))
    expect(sampled.locator(".card")).to_have_count(0)


def test_an_article_without_findings_is_told_so(script, page):
    script.result = [found(CALM, evidence="")]
    check_text(page)
    expect(page.locator(".clear")).to_have_text("Nothing to fix. Checked by 41 guidelines.")
    expect(page.get_by_text("In good shape", exact=True)).to_be_visible()
    expect(page.get_by_text("Ungated: no evaluation stands behind this version.")).to_be_visible()
    expect(page.get_by_role("heading", name="Findings")).to_have_count(0)


def partial(verdict: Verdict, method: Method | None, reason: str) -> Answer:
    """A calm article with one guideline that didn't go as planned."""
    first, *rest = PACK.guidelines
    checks = [
        Check(guideline=first.id, verdict=verdict, method=method, reason=reason),
        *(Check(guideline=one.id, verdict=Verdict.CLEAR, method=Method.PATTERN) for one in rest),
    ]
    stamp = AgentSpec(pack=PACK).stamp(name="copydesk-agent", number="3")
    return Answer(result_of(CALM, build_report(CALM, PACK.guidelines, checks, version=stamp, seconds=0.1)))


@pytest.mark.parametrize(
    ("verdict", "method", "said"),
    [
        (Verdict.FAILED, None, "failed"),
        (Verdict.NOT_CHECKED, None, "not checked"),
        (Verdict.CLEAR, Method.FALLBACK, "checked by patterns while the model was away"),
    ],
)
def test_what_was_not_checked_is_named_and_never_green(script, page, verdict, method, said):
    script.result = [partial(verdict, method, "the model took longer than 60 seconds")]
    script.status = [Answer({"job_id": JOB, "status": "partial"})]
    check_text(page)
    notice = page.locator(".notice")
    expect(notice).to_contain_text(f"{PACK.guidelines[0].title}: {said}")
    expect(notice).to_contain_text("the model took longer than 60 seconds")
    expect(page.locator(".score.green")).to_have_count(0)
    expect(page.get_by_text("Not fully checked")).to_be_visible()
    expect(page.locator(".clear")).to_have_count(0)


def test_a_report_without_a_score_says_that_nothing_was_checked(script, page):
    pack = GuidelinePack(name="house", guidelines=PACK.guidelines[:1])
    checks = [Check(guideline=pack.guidelines[0].id, verdict=Verdict.FAILED, reason="the model answered nonsense")]
    report = build_report(CALM, pack.guidelines, checks, version=AgentSpec(pack=pack).stamp(), seconds=0.1)
    script.result = [Answer(result_of(CALM, report))]
    check_text(page)
    expect(page.get_by_role("heading", name="Nothing could be checked")).to_be_focused()
    expect(page.get_by_text("the model answered nonsense")).to_be_visible()


def test_a_problem_is_shown_in_its_own_words_and_can_be_tried_again(script, page):
    script.submit = [problem(413, "Content too large", "the article has 200,001 characters"), ACCEPTED]
    script.result = [found(CALM)]
    check_text(page)
    expect(page.get_by_role("heading", name="Content too large")).to_be_focused()
    expect(page.locator(".failure")).to_contain_text("the article has 200,001 characters")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".clear")).to_be_visible()
    assert script.received[0].key != script.received[1].key


def test_a_failed_job_says_why(script, page):
    script.status = [Answer({"job_id": JOB, "status": "failed"})]
    script.result = [problem(409, "No result", "job is failed: given up after 3 attempts; submit the article again")]
    check_text(page)
    expect(page.locator(".failure")).to_contain_text("given up after 3 attempts")


def test_after_a_limit_the_way_opens_when_it_is_time(script, page):
    script.submit = [problem(429, "Too many requests", "500 a minute are allowed", Retry_After="2"), ACCEPTED]
    script.result = [found(CALM)]
    check_text(page)
    expect(page.get_by_role("button", name=re.compile(r"Try again in \d s"))).to_be_disabled()
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.locator(".clear")).to_be_visible()


def test_an_article_typed_offline_is_kept(script, page, context):
    context.set_offline(True)
    check_text(page, "Keep me.")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value("Keep me.")
    context.set_offline(False)
    script.result = [found(CALM)]
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".clear")).to_be_visible()


def test_a_server_that_is_away_for_a_moment_does_not_end_a_check(script, page, context):
    script.status, script.result = [running(5)], [found(CALM)]
    check_text(page)
    expect(page.get_by_text("5 of 40 guidelines")).to_be_visible()
    context.set_offline(True)
    expect(page.get_by_role("heading", name="The server does not answer")).to_be_visible()
    script.status = [COMPLETED]
    context.set_offline(False)
    expect(page.locator(".clear")).to_be_visible()
    assert len(script.received) == 1


def test_an_answer_that_was_lost_does_not_make_a_second_job(script, page):
    script.result = [found(CALM)]
    page.route("**/compliance/check", lambda route: (route.fetch(), route.abort()), times=1)
    check_text(page)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".clear")).to_be_visible()
    assert script.received[0].key == script.received[1].key


def test_what_happens_is_spoken(script, page):
    script.result = [found(EMOJI)]
    check_text(page)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^Score [\d.]+ of 100, .*; 2 findings: 2 advice\.$"))
