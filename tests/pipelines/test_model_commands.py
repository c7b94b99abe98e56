"""`check` with a model, `--record` and `replay`, as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.pipelines.terminal import Run, write
from tests.scripted_model import Scripted, ScriptedModel, finds

TEXT = "Experts say it rains.\n\nWe will see what the council says about it on Tuesday.\n"
ATTRIBUTION = "attribution-of-claims"
ASK = ("--model", "gpt-test", "-g", ATTRIBUTION, "-g", "loaded-language")


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch):
    with ScriptedModel({ATTRIBUTION: [finds("Experts say", suggestion="Ana Ruiz says")]}) as model:
        monkeypatch.setenv("COPYDESK_MODEL_URL", model.url)
        monkeypatch.setenv("COPYDESK_MODEL_PRICES", '{"gpt-test": {"input": 1000, "output": 4000}}')
        yield model


def test_a_check_with_a_model_says_what_it_asked_and_what_it_cost(run: Run, model: ScriptedModel):
    result = run("check", write("post.txt", TEXT), *ASK)
    assert "2 guidelines (all by the model)" in result.out
    assert f"2 calls to the model · {sum(model.traffic.input_tokens):,} tokens in" in result.out
    assert "cost " in result.out
    assert "cost unknown" not in result.out
    assert "Suggested: Ana Ruiz says" in result.out


def test_a_second_check_asks_nothing(run: Run, model: ScriptedModel):
    first = run("check", write("post.txt", TEXT), *ASK, "--format", "json")
    calls = len(model.calls)
    second = run("check", "post.txt", *ASK, "--format", "json")
    assert len(model.calls) == calls == 2
    before, after = (json.loads(result.out)[0] for result in (first, second))
    assert after["findings"] == before["findings"]
    assert after["usage"]["calls"] == 0
    assert "4 verdicts on paragraphs kept from earlier checks" in run("check", "post.txt", *ASK).out


def test_a_recorded_check_is_replayed_offline(run: Run, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch):
    run("check", write("post.txt", TEXT), *ASK, "--record", "recordings")
    (recording,) = Path("recordings").iterdir()
    monkeypatch.delenv("COPYDESK_MODEL_URL")
    result = run("replay", str(recording))
    assert (result.code, len(model.calls)) == (0, 2)
    assert "The same report as recorded, from 2 recorded answers." in result.out


@pytest.mark.parametrize("name", ["post.txt", "nowhere"])
def test_what_is_no_recording_is_2(run: Run, name: str):
    write("post.txt", TEXT)
    result = run("replay", name)
    assert result.code == 2
    assert name in result.err


def test_an_endpoint_that_fails_is_told_in_a_line(run: Run, monkeypatch: pytest.MonkeyPatch):
    with ScriptedModel(default=Scripted(status=401)) as model:
        monkeypatch.setenv("COPYDESK_MODEL_URL", model.url)
        result = run("check", write("post.txt", TEXT), *ASK)
    assert "checked by fallback" in result.out
    assert "check COPYDESK_MODEL_KEY" in result.out


def test_options_are_part_of_what_is_asked(run: Run, model: ScriptedModel):
    run("check", write("post.txt", TEXT), *ASK, "--option", "temperature=0.5", "--option", "checks_per_call=2")
    (call,) = model.calls
    assert call["temperature"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--model", "m", "--option", "temprature=1"), "there is no such option, there are answer_language,"),
        (("--model", "m", "--option", "temperature"), "write NAME=VALUE"),
        (("--model", "m", "--option", "temperature=hot"), "--option temperature=hot: Input should be a valid number"),
        (("--option", "seed=8"), "--option seed is about a model: name one with --model"),
        (("--option", "checks_per_call=2", "--version", "1"), "--option and --version exclude each other"),
    ],
)
def test_a_wrong_option_is_named_with_the_way_out(run: Run, arguments: tuple[str, ...], says: str):
    result = run("check", write("post.txt", TEXT), *arguments)
    assert result.code == 2
    assert says in " ".join(result.err.replace("│", " ").split())


def test_a_model_and_a_version_exclude_each_other(run: Run):
    result = run("check", write("post.txt", TEXT), "--model", "m", "--version", "1")
    assert result.code == 2
    assert "--model and --version exclude each other" in result.err
