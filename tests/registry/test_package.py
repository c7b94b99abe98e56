import ast
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import agent
from registry.package import AGENT_NEEDS, requirements

FOLDER = Path(agent.__file__).parent
PINNED_BY_PYDANTIC = "pydantic_core"
WITH_A_MANAGED_IDENTITY_ONLY = "azure"


def imported() -> set[str]:
    """The top-level packages the agent's files import, at their top or inside functions."""
    names: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"agent", PINNED_BY_PYDANTIC, WITH_A_MANAGED_IDENTITY_ONLY}


def test_everything_the_agent_imports_is_required() -> None:
    distributions = packages_distributions()
    providers = {name: {found.lower() for found in distributions[name]} for name in imported()}
    assert {name: found for name, found in providers.items() if not found & set(AGENT_NEEDS)} == {}


def test_requirements_are_pinned_to_what_is_installed() -> None:
    pinned = dict(line.split("==") for line in requirements())
    assert pinned == {name: version(name) for name in pinned}
    assert "mlflow-skinny" in pinned
