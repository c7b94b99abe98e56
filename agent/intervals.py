"""An interval that evaluation and the service both state."""

import math


def wilson(value: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); `trials` need not be whole."""
    squared = z * z / trials
    centre = (value + squared / 2) / (1 + squared)
    half = z * math.sqrt(value * (1 - value) / trials + squared / (4 * trials)) / (1 + squared)
    return min(value, max(0.0, centre - half)), max(value, min(1.0, centre + half))  # rounding may cross the value
