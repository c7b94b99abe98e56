"""Failures that commands anticipate."""

from agent.errors import CopydeskError


class ModelMissing(CopydeskError):
    """A version declares a model, and nobody says where it is."""

    type = "model-missing"
