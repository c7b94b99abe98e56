"""What log lines hold, and that no article is in them, whatever happens to it."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from agent.errors import CopydeskError
from agent.spec import ModelSpec
from serving.about import About, regarding
from serving.logs import JsonLine, TextLine, set_up_logs
from tests.agent.build import guideline, pack, prompt_guideline
from tests.scripted_model import Scripted, ScriptedModel, finds
from tests.serving.service import ended, service, submit

SECRET = "the minister's velociraptor ate marzipan"


def line(error: BaseException | None = None, formatter: logging.Formatter | None = None, **fields: object) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("serving.worker", logging.WARNING, "", 1, "job %s waits", ("a",), info)
    record.__dict__.update(fields)
    return (formatter or JsonLine()).format(record)


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        fail_with(error)
    return caught.value


def fail_with(error: Exception) -> None:
    try:
        int(SECRET)
    except ValueError as cause:
        raise error from cause


def test_a_line_says_what_it_is_about() -> None:
    with regarding(About("r-1", f"00-{'ab' * 16}-{'cd' * 8}-01", "a", 2)):
        said = json.loads(line())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", said.pop("time"))
    assert said == {
        "message": "job a waits",
        "level": "WARNING",
        "logger": "serving.worker",
        "request_id": "r-1",
        "trace_id": "ab" * 16,
        "job_id": "a",
        "attempt": 2,
    }


@pytest.mark.parametrize("talkative", ["azure", "httpx", "httpx2"])
def test_addresses_that_are_called_are_not_logged(talkative: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    set_up_logs("json", logging.INFO, Console)
    assert not logging.getLogger(talkative).isEnabledFor(logging.INFO)


def test_what_is_not_known_is_left_out() -> None:
    assert set(json.loads(line())) == {"time", "message", "level", "logger"}


@pytest.mark.parametrize("formatter", [JsonLine(), TextLine("%(message)s")], ids=["json", "text"])
def test_an_unforeseen_exception_is_told_by_its_place_and_not_by_its_text(formatter: logging.Formatter) -> None:
    told = line(raised(RuntimeError(SECRET)), formatter)
    assert "velociraptor" not in told
    assert all(part in told for part in ("RuntimeError", "ValueError", "test_logs.py:", "in fail_with"))


def test_our_own_failures_are_told_with_their_text() -> None:
    assert "COPYDESK_HOME" in json.loads(line(raised(CopydeskError("set COPYDESK_HOME elsewhere"))))["error"]


@pytest.mark.parametrize(
    ("arguments", "is_json"), [(["worker"], True), (["check", "-"], False)], ids=["a service", "a command"]
)
def test_a_service_that_nobody_watches_logs_json(tmp_path: Path, arguments: list[str], is_json: bool) -> None:
    code = (
        "import logging, sys, pipelines.cli as c\n"
        "c.common(type('C', (), {'invoked_subcommand': sys.argv[1]})(), False, False)\n"
        "logging.getLogger('x').warning('hello')"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stderr.startswith("{") == is_json
    assert "hello" in done.stderr


ARTICLE = f"{SECRET}.\n\nExperts say so, and {SECRET}."
ODD = [
    Scripted(status=500, error={"message": f"can't cope with {ARTICLE}"}),
    Scripted(body=f"not a completion: {ARTICLE}"),
    Scripted(status=400, error={"message": f"can't read: {ARTICLE}"}),
    Scripted(text=f"I would rather tell you of {ARTICLE}"),
    Scripted(finish_reason="length", text=ARTICLE),
]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_article_is_in_no_log_line_of_the_whole_service(tmp_path: Path) -> None:
    """Through a model that repeats it in its errors before it finds something, and requests that are refused."""
    guidelines = (guideline(), prompt_guideline())
    with ScriptedModel({"attribution": [*ODD, finds(SECRET)]}) as model:
        environment = {"COPYDESK_MODEL_URL": model.url, "COPYDESK_LOG_FORMAT": "json", "COPYDESK_MODEL_ATTEMPTS": "2"}
        with service(tmp_path, environment=environment) as running:
            running.make_champion(pack(*guidelines), ModelSpec(deployment="m"))
            with running.api() as client:
                running.start_worker()
                jobs = [ended(client, submit(client, f"{ARTICLE} {number}")) for number in range(len(ODD))]
                assert {job["status"] for job in jobs} == {"partial", "completed"}
                refuse(client)
            logs = running.logs()
    assert '"attempt 1: server-error"' in logs
    words = {"velociraptor", "marzipan", "minister", "Experts say"}
    assert {word for word in words if word.lower() in logs.lower()} == set()
    lines = [json.loads(each) for each in logs.splitlines() if each.startswith("{")]
    assert {"message", "time", "level", "logger"} <= set.intersection(*(set(each) for each in lines))
    assert {job["job_id"] for job in jobs} <= {each.get("job_id") for each in lines if each.get("attempt") == 1}


def refuse(client: httpx.Client) -> None:
    """Requests with the article in them that end in all sorts of errors."""
    broken = f'{{"article": {{"text": "{SECRET}'.encode()
    requests: list[dict[str, Any]] = [
        {"json": {"article": {"text": ARTICLE, "html": ARTICLE}}},
        {"json": {"article": {"text": ARTICLE}, "guidelines": [SECRET]}},
        {"content": broken, "headers": {"Content-Type": "application/json"}},
        {"files": {"file": ("a.docx", ARTICLE.encode(), "application/msword")}},
    ]
    answers = [client.post("/api/v1/compliance/check", **request).status_code for request in requests]
    assert all(400 <= status < 500 for status in (*answers, client.get(f"/{SECRET}").status_code)), answers
