"""Endpoints that tests make are closed here as in the agent's tests."""

from tests.agent.conftest import close_endpoints

__all__ = ["close_endpoints"]
