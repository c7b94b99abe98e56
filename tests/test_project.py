"""What is true of the project as a whole."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from pipelines.canary_settings import CanarySettings
from registry.settings import RegistrySettings
from serving.access.settings import AccessSettings
from serving.logs import LogSettings
from serving.settings import ServingSettings
from serving.tracing import TracingSettings

ROOT = Path(__file__).parents[1]
# Written in parts, so that this file doesn't hold what it looks for.
FOREIGN = re.compile(
    "|".join(["/work" + r"/\w", "pypi" + r"\.org", "npm" + r"js\.", "python" + "hosted", "deb" + r"\.debian"])
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_layers_hold():
    # In a process of its own: it disables the loggers of whoever calls it.
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(linter, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_nothing_names_a_machine_or_a_package_index():
    named = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".docx"} and FOREIGN.search(path.read_text(encoding="utf-8"))
    ]
    assert named == []


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in tracked() if path.match("tests/**/test_*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.parametrize("name", ["requirements.lock", "registry/azureml.lock"])
def test_a_lock_pins_everything_with_hashes(name: str):
    lock = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE)
    assert len(pinned) > 150
    assert all(
        "--hash=sha256:" in block for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE) if "==" in block
    )
    assert "://" not in lock


def test_make_without_a_verb_prints_every_verb():
    printed = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    for verb in ("demo", "serve", "test", "check", "format", "bench", "lock"):
        assert re.search(rf"^  make {verb} ", printed.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    "of", [ServingSettings, AccessSettings, RegistrySettings, LogSettings, TracingSettings, CanarySettings]
)
def test_every_setting_is_described(of: type[BaseSettings]):
    described = (ROOT / "docs/settings.md").read_text(encoding="utf-8") + (ROOT / "docs/access.md").read_text("utf-8")
    assert [name for name in map(str, variables(of)) if f"`{name}`" not in described] == []


def variables(of: type[BaseSettings]) -> list[str]:
    """The names that operators know: the first of several."""
    prefix = of.model_config.get("env_prefix", "")
    named = [(name, field.validation_alias) for name, field in of.model_fields.items()]
    return [
        str(alias.choices[0]) if isinstance(alias, AliasChoices) else str(alias or f"{prefix}{name}".upper())
        for name, alias in named
    ]
