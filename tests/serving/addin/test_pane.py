"""A check from the button to its result, in each state an editor may meet."""

import re

import pytest
from playwright.sync_api import expect

from agent.article import Block, build_article
from agent.check import Check, Verdict
from agent.finding import Method
from agent.guideline import GuidelinePack
from agent.report import build_report
from agent.spec import AgentSpec
from serving.addin.place import SigningIn
from tests.serving.addin.editor import CALM, check_text, found, marked, running, text_of, write
from tests.serving.pages.results import PACK, result_of, sample
from tests.serving.pages.scripted_api import ACCEPTED, COMPLETED, JOB, PLACE, Answer, Script, problem

pytestmark = pytest.mark.browser


def test_before_a_check_the_guidelines_can_be_read(page):
    expect(page.get_by_text("Against 41 guidelines of the pack “house”, version 3.")).to_be_visible()
    page.get_by_text("Describe, don't judge").click()
    expect(page.get_by_text("Words that praise or condemn tell readers what to think")).to_be_visible()


def test_what_is_written_is_sent_with_its_kinds(script, page):
    script.result = [found(CALM)]
    page.locator("#article h1").click()
    page.keyboard.insert_text("Tom & Ann")
    expect(page.locator("#article h1")).to_have_text("Tom & Ann")
    check_text(page, "One 😀.", "Two <b>.")
    expect(page.get_by_role("heading", name="Score")).to_be_visible()
    sent = script.sent()
    assert sent.pop("document_id").startswith("page-")
    assert sent == {
        "title": "Tom & Ann",
        "article": {
            "paragraphs": [
                {"text": "Tom & Ann", "kind": "heading", "level": 1},
                {"text": "One 😀.", "kind": "text", "level": 0},
                {"text": "Two <b>.", "kind": "text", "level": 0},
            ]
        },
        "channel": "page",
    }


def test_nothing_to_check_is_said_at_once(script, page):
    page.get_by_role("button", name="Check article").click()
    expect(page.locator(".toast")).to_contain_text("There is nothing to check yet")
    assert script.received == []


def test_a_file_is_sent_as_it_is_and_becomes_the_article(script, page):
    script.result = [found(sample())]
    page.get_by_label("Article file").set_input_files({"name": "a.md", "mimeType": "text/markdown", "buffer": b"# Hi"})
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    assert script.received[0].kind.startswith("multipart/form-data")
    assert b'name="file"; filename="a.md"' in script.received[0].body
    expect(page.locator("#article h1")).to_have_text("You won’t believe what the harbour board did next")
    assert "utilize" in marked(page, "advice")
    with page.expect_response("**/compliance/check"):
        page.get_by_role("button", name="Check again").click()
    assert script.sent()["document_id"] == "a.md"


def test_a_file_of_another_kind_is_refused(script, page):
    page.get_by_label("Article file").set_input_files({"name": "a.exe", "mimeType": "x/y", "buffer": b"MZ"})
    expect(page.locator(".toast")).to_contain_text("“a.exe” can’t be read: choose a .docx, .md, .html or .txt file.")
    assert script.received == []


def test_pasted_pages_become_paragraphs_and_run_nothing(context):
    page = context.new_page()  # whose console may say what the page's policy has blocked
    page.goto("/")
    page.wait_for_selector("html[data-ready]")
    page.locator("#article p").click()
    page.evaluate(
        """([text, html]) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData('text/plain', text);
            clipboardData.setData('text/html', html);
            const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
            document.getElementById('article').dispatchEvent(paste);
        }""",
        [
            "Head\nOne two.\nItem",
            "<h2>Head</h2><p>One\n <b>two</b>.</p><img src=x onerror=document.title=1><ul><li>Item</li></ul>",
        ],
    )
    expect(page.locator("#article h2")).to_have_text("Head")
    expect(page.locator("#article > p")).to_have_text(["One two."])
    expect(page.locator("#article li")).to_have_text(["Item"])
    expect(page.locator("#article img")).to_have_count(0)
    assert page.title() == "Copydesk"


def test_the_queue_and_the_progress_are_shown(script, page):
    script.status = [Answer({"job_id": JOB, "status": "queued", "position": 3})]
    check_text(page)
    expect(page.get_by_text("Number 3 in the queue.", exact=True)).to_be_visible()
    script.status = [running(7, 20, "dates", "loaded-language")]
    expect(page.get_by_text("7 of 20 guidelines. The findings come when all are done.")).to_be_visible()
    expect(page.get_by_role("list", name="Finished last").get_by_role("listitem").first).to_have_text(
        "Describe, don't judge"
    )
    bar = page.get_by_role("progressbar", name="Checking")
    assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("7", "20")
    script.result, script.status = [found(CALM)], [COMPLETED]
    expect(page.locator(".clear")).to_be_visible()


def test_waiting_can_be_stopped(script, page):
    script.status = [running(1)]
    check_text(page, "Keep me.")
    with page.expect_response(f"**/jobs/{JOB}") as cancelled:
        page.get_by_role("button", name="Stop").click()
    assert cancelled.value.request.method == "DELETE"
    assert script.cancelled
    expect(page.get_by_role("button", name="Check article")).to_be_focused()
    assert text_of(page) == "Keep me."


def test_a_change_during_a_check_is_noticed(script, page):
    script.status = [running(1)]
    check_text(page, "The library opens at nine on weekdays.")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.locator("#article p").click()
    page.keyboard.press("End")
    page.keyboard.insert_text(" And on Sundays.")
    expect(page.locator("#article p")).to_contain_text("And on Sundays.")
    script.result, script.status = [found(CALM)], [COMPLETED]
    expect(page.get_by_text("The text has changed since it was checked")).to_be_visible()


def test_only_the_selected_paragraphs_are_checked(script, page):
    text = "We utilize it."
    script.result = [found(build_article([Block(text)]))]
    write(page, "One.", text, "Three.")
    page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('#article p')[1])")
    page.get_by_role("button", name="Check selection").click()
    expect(page.get_by_text("Of the selection: 3 words")).to_be_visible()
    assert [one["text"] for one in script.sent()["article"]["paragraphs"]] == [text]
    assert marked(page, "advice") == ["utilize"]


def test_an_article_without_findings_is_told_so(script, page):
    script.result = [found(CALM)]
    check_text(page)
    expect(page.locator(".clear")).to_have_text("Nothing to fix. Checked by 41 guidelines.")
    expect(page.get_by_text("In good shape", exact=True)).to_be_visible()
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
    notice = page.locator(".message.warning")
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


def test_what_is_too_long_can_be_checked_in_parts(script, page):
    body = problem(413, "Content too large", "the article has 200,001 characters")
    script.submit = [Answer({**body.body, "type": "content-too-large"}, 413)]
    check_text(page)
    failure = page.locator(".failure")
    expect(failure).to_contain_text("the article has 200,001 characters")
    expect(failure.get_by_role("button", name="Check selection")).to_be_visible()


def test_an_article_written_offline_is_kept(script, page, context):
    context.set_offline(True)
    check_text(page, "Keep me.")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(page.locator(".message")).to_have_count(0)  # there are no findings to be looked at
    assert text_of(page) == "Keep me."
    context.set_offline(False)
    script.result = [found(CALM)]
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".clear")).to_be_visible()


def test_who_goes_offline_with_findings_is_told_what_still_goes(script, page, context):
    script.result = [found(CALM)]
    check_text(page)
    expect(page.locator(".clear")).to_be_visible()
    context.set_offline(True)
    expect(page.get_by_text("You are offline. Findings can still be looked at and replaced.")).to_be_visible()


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
    text = "😀 We utilize it, 👩‍👩‍👧 prior to lunch."
    script.result = [found(build_article([Block(""), Block(text)]))]  # the headline is empty
    check_text(page, text)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^Score [\d.]+ of 100, .*; 2 findings: 2 advice\.$"))


@pytest.fixture
def trial(script: Script) -> Script:
    """A service that wants an API key."""
    script.place = PLACE.__class__(PLACE.public_url, PLACE.frame_ancestors, SigningIn("key"))
    script.key = "cdk_right"
    return script


def test_a_key_signs_in_for_a_session_and_is_kept_nowhere(trial, page):
    trial.result = [found(CALM)]
    expect(page.get_by_role("button", name="Check article")).to_be_disabled()
    page.get_by_label("API key").fill("cdk_right")
    page.get_by_role("button", name="Sign in").click()
    check_text(page)
    expect(page.locator(".clear")).to_be_visible()
    assert trial.sessions == 1
    kept = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie, location.search]")
    assert kept == [0, 0, "", ""]


def test_a_wrong_key_is_refused_in_the_apis_words(trial, page):
    page.get_by_label("API key").fill("cdk_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#refused")).to_have_text("the token is of no kind that is accepted here")


def test_who_was_signed_out_is_asked_again(trial, page):
    page.get_by_label("API key").fill("cdk_right")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Check article")).to_be_enabled()
    trial.sessions += 1  # ended elsewhere
    check_text(page, "Keep me.")
    expect(page.locator("#refused")).to_have_text("You are signed out. Sign in to go on.")
    assert text_of(page) == "Keep me."


@pytest.mark.parametrize("part", ["checking.js", "desk.js", "findings.css"])
def test_what_did_not_come_at_the_start_is_fetched_with_the_check(script, context, part):
    script.result = [found(CALM)]
    context.route(f"**/{part}", lambda route: route.abort(), times=1)
    page = context.new_page()
    with page.expect_event("requestfailed"):
        page.goto("/")
    check_text(page)
    expect(page.locator(".clear")).to_be_visible()
