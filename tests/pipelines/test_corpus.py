"""Real articles by others, all of them, through the command that editors' scripts run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.formats.reading import read_article


@pytest.mark.corpora
def test_every_post_is_checked_and_every_finding_quotes_it(corpora: Path, tmp_path: Path):
    posts = sorted((corpora / "articles" / "18f").glob("*.md"))
    command = [sys.executable, "-m", "pipelines", "check", *map(str, posts), "--format", "json"]
    environment = {**os.environ, "COPYDESK_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    reports = json.loads(done.stdout)
    assert (done.stderr, len(posts), len(reports)) == ("", 56, 56)
    assert {report["status"] for report in reports} == {"complete"}
    for post, report in zip(posts, reports, strict=True):
        article = read_article(post.read_bytes(), post.name)
        lines = post.read_text(encoding="utf-8").splitlines()
        for finding in report["findings"]:
            assert article.text[finding["start"] : finding["end"]] == finding["quote"]
            first_word = finding["quote"].split()[0]
            words = lines[finding["line"] - 1][finding["column"] - 1 :].lstrip()
            assert words.startswith(first_word[:3])
