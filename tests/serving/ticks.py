"""Clocks that tests turn."""

from datetime import datetime, timedelta

from serving.app import utc_now


class Turned:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Moved:
    """The time of day, moved on by hand."""

    def __init__(self) -> None:
        self.by = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.by
