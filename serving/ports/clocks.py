"""Time, as the composition gives it."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
Ticks = Callable[[], float]  # seconds that never go back
