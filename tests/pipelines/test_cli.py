"""The commands as a user runs them: arguments in, text and exit code out."""

import io
import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.pipelines.terminal import write

CLEAN = "The council met on Monday. It agreed on the budget, its chair said."
HEAVY = "We utilise it. We utilise it again."


def test_a_clean_article_is_0(run):
    result = run("check", write("a.md", CLEAN))
    assert (result.code, result.err) == (0, "")
    assert "100.0 of 100 · green" in result.out
    assert "Nothing to fix." in result.out


@pytest.mark.parametrize(("line", "code"), [("50", 0), ("100", 1)])
def test_a_score_under_the_line_is_1(run, line: str, code: int):
    assert run("check", write("a.md", HEAVY), "--fail-under", line).code == code


def test_a_breach_is_1_whatever_the_score(run):
    result = run("check", write("a.md", CLEAN + " Ring her mobile on 07700 900417."), "--format", "json")
    (report,) = json.loads(result.out)
    assert result.code == 1
    assert [(f["guideline"], f["severity"]) for f in report["findings"]] == [("private-details", "breach")]


def test_json_in_a_pipe_is_only_json(run):
    result = run("check", write("a.md", HEAVY), write("b.txt", CLEAN), "--format", "json", "-g", "plain-words")
    assert [(report["file"], len(report["findings"])) for report in json.loads(result.out)] == [
        ("a.md", 2),
        ("b.txt", 0),
    ]
    assert result.err == ""


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"\0" * 300_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.md", "", "no text to check"),
        ("only-code.md", "```\nx = 1\n```\n", "no text to check"),
        ("junk.txt", bytes(range(256)) * 20, "junk.txt"),
        ("latin.txt", "Café".encode("latin-1"), "UTF-8"),
        ("cut.docx", b"PK\x03\x04 cut off", "cut.docx"),
        ("bomb.docx", zip_bomb(), "bomb.docx"),
        ("long.txt", "word " * 50_000, "200,000"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_2(run, name: str, content: str | bytes, says: str):
    result = run("check", write(name, content), write("good.md", CLEAN), "--format", "json")
    bad, good = json.loads(result.out)
    assert result.code == 2
    assert bad["status"] == "error"
    assert says in bad["error"]["detail"]
    assert "\n" not in bad["error"]["detail"]
    assert good["status"] == "complete"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check", "a.md", "--guideline", "nope"), "guideline 'nope' is not in pack 'house'"),
        (("check", "a.md", "--pack", "nowhere"), "there is no such folder"),
        (("check", "a.md", "--out", "nowhere/x.json"), "nowhere/x.json: No such file or directory"),
        (("guidelines", "show", "nope"), "guideline 'nope' is not in pack 'house'"),
        (("guidelines", "import-vale", "nowhere", "--out", "pack"), "no .yml rule"),
        (("check", "a.md", "--version", "champion"), "nothing is registered yet: run `copydesk register`"),
    ],
)
def test_wrong_usage_is_one_message_and_2(run, arguments: tuple[str, ...], says: str):
    write("a.md", CLEAN)
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert says in " ".join(result.err.split())
    assert "Traceback" not in result.err


def test_a_pack_with_mistakes_names_each_with_its_line(run):
    Path("pack").mkdir()
    good = "---\nid: one\ntitle: T\ncategory: c\nseverity: advice\nscope: sentence\nkind: pattern\npatterns:\n"
    rule = '  - check: existence\n    message: "m"\n    tokens: [very]\n---\nText.\n'
    write("pack/a.md", good + rule)
    write("pack/b.md", good + rule)
    write("pack/c.md", good.replace("one", "two").replace("advice", "fatal") + rule)
    result = run("guidelines", "validate", "pack")
    assert result.code == 2
    assert "has 2 mistakes; nothing was loaded" in result.err
    assert 'b.md:2: id "one" is already that of a.md:2' in result.err
    assert "c.md:5: severity" in result.err


def test_a_catastrophic_pattern_leaves_the_other_guidelines_standing(run):
    Path("pack").mkdir()
    head = "---\nid: {id}\ntitle: {id}\ncategory: c\nseverity: advice\nscope: sentence\nkind: pattern\npatterns:\n"
    body = '  - check: existence\n    message: "m"\n    nonword: true\n    tokens: ["{token}"]\n---\nText.\n'
    write("pack/a.md", head.format(id="slow") + body.format(token="^(a|aa)+$"))
    write("pack/b.md", head.format(id="quick") + body.format(token="very"))
    result = run(
        "check", write("a.txt", "very " + "a" * 5 + "\n" + "a" * 60 + "!"), "--pack", "pack", "--format", "json"
    )
    (report,) = json.loads(result.out)
    assert (report["status"], [f["quote"] for f in report["findings"]]) == ("partial", ["very"])
    assert "took longer than 0.2 s" in report["outcomes"][0]["reason"]


def test_the_version_is_printed(run):
    assert run("--version").out == f"copydesk {version('copydesk')}\n"


def test_the_default_pack_lists_shows_and_validates(run):
    from agent.pack_files import DEFAULT_FOLDER

    listed = run("guidelines", "list")
    assert "cliches" in listed.out
    assert "Pack house: 41 guidelines, 18 prompts and 23 patterns" in listed.out
    assert "What a model is asked" in run("guidelines", "show", "anonymous-sources").out
    assert "no mistakes" in run("guidelines", "validate", str(DEFAULT_FOLDER)).out


def test_a_folder_that_holds_something_is_not_written_into(run):
    Path("style").mkdir()
    write("style/A.yml", "extends: existence\nmessage: m\ntokens: [very]\n")
    assert run("guidelines", "import-vale", "style", "--out", "pack").code == 0
    again = run("guidelines", "import-vale", "style", "--out", "pack")
    assert (again.code, "holds something already" in again.err) == (2, True)


def test_register_promote_versions_and_check_by_a_version(run):
    first = run("register")
    assert "Version 1 of copydesk-agent registered" in first.out
    assert "was registered before, nothing has changed" in run("register").out
    promoted = run("promote", "1", "--force", "a trial")
    assert "ungated: no evaluation stands behind it. forced: a trial" in promoted.out
    assert "forced: a trial" in run("versions").out
    checked = run("check", write("a.md", HEAVY), "--version", "champion", "--format", "json")
    (report,) = json.loads(checked.out)
    assert (report["version"]["number"], report["version"]["evidence"]) == ("1", "forced: a trial")
    assert run("promote", "9", "--force", "x").code == 2
    assert "version 1 has no gate decision" in " ".join(run("promote", "1").err.split())


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("COPYDESK_PORT", "abc", "COPYDESK_PORT is 'abc': input should be a valid integer"),
        ("COPYDESK_QUEUE_LIMIT", "0", "COPYDESK_QUEUE_LIMIT is '0': input should be greater than or equal to 1"),
        ("COPYDESK_ALLOWED_HOSTS", "name", "holds JSON"),
        ("DB_CONNECTION_STRING", "mysql://db/x", "and SQLite are supported"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(
    run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
):
    monkeypatch.setenv(variable, value)
    result = run("worker")
    assert (result.code, "Traceback" in result.err) == (2, False)
    assert says in " ".join(result.err.split())


def test_a_worker_that_trusts_nobody_names_the_setting(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    result = run("worker")
    assert (result.code, "set COPYDESK_TRUSTED_KEYS to the public keys" in " ".join(result.err.split())) == (2, True)


def test_mlflow_that_is_not_there_is_said_within_seconds(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    result = run("versions")
    assert (result.code, "http://127.0.0.1:9 can't be reached" in result.err) == (2, True)


def test_standard_input_is_plain_text(tmp_path: Path):
    command = [sys.executable, "-m", "pipelines", "check", "-", "--format", "json", "-g", "plain-words"]
    environment = {**os.environ, "COPYDESK_HOME": str(tmp_path)}
    done = subprocess.run(command, input=HEAVY.encode(), capture_output=True, env=environment, check=False)
    (report,) = json.loads(done.stdout)
    assert (done.returncode, report["file"], len(report["findings"])) == (0, "-", 2)


def test_standard_input_is_what_its_name_says(tmp_path: Path):
    command = [sys.executable, "-m", "pipelines", "check", "-", "--stdin-name", "a.md", "--format", "json"]
    environment = {**os.environ, "COPYDESK_HOME": str(tmp_path)}
    done = subprocess.run(
        command, input=b"# News\n\nIt `utilises` it.\n", capture_output=True, env=environment, check=False
    )
    (report,) = json.loads(done.stdout)
    assert (report["article"]["title"], report["findings"]) == ("News", [])


def test_help_is_quick_because_it_imports_nothing_slow():
    code = "import sys, pipelines.cli; print([m for m in ('mlflow', 'langgraph', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
