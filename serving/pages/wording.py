"""Numbers, times and intervals as people read them. None is an en dash: nothing is known."""

from collections.abc import Callable
from datetime import datetime

from serving.evidence import Figure

NOTHING = "–"
MINUS = "−"


def text(value: object) -> str:
    return NOTHING if value is None or value == "" else str(value)


def whole(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}".replace("-", MINUS)


def decimal(value: float | None, digits: int = 2) -> str:
    if value is None:
        return NOTHING
    shown = f"{value:,.{digits}f}".replace("-", MINUS)
    return shown.removeprefix(MINUS) if not shown.strip(f"{MINUS}0.,") else shown  # no negative zero


def change(value: float | None, digits: int = 2) -> str:
    """With its sign."""
    shown = decimal(value, digits)
    return f"+{shown}" if value is not None and value > 0 and shown.strip("0.,") else shown


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.0f} %"


def percent_change(value: float | None) -> str:
    """With its sign."""
    return NOTHING if value is None else f"{change(100 * value, 0)} %"


def seconds(value: float | None) -> str:
    """Never more than it tells: 0.42 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if value is None:
        return NOTHING
    if value < 10:
        return f"{value:.2g} s" if value >= 0.01 else "0 s"
    minutes, rest = divmod(round(value), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def when(moment: datetime | None) -> str:
    return NOTHING if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


def interval(figure: Figure | None, digits: int = 2) -> str:
    """1.20 (0.90 to 1.50)"""
    if figure is None or figure.value is None:
        return NOTHING
    return decimal(figure.value, digits) + _ends(figure, lambda value: decimal(value, digits))


def change_interval(figure: Figure | None, digits: int = 2) -> str:
    if figure is None or figure.value is None:
        return NOTHING
    return change(figure.value, digits) + _ends(figure, lambda value: change(value, digits))


def percent_interval(figure: Figure | None) -> str:
    """73 % (61 to 82)"""
    if figure is None or figure.value is None:
        return NOTHING
    return percent(figure.value) + _ends(figure, lambda value: f"{100 * value:.0f}")


def counted(number: int, one: str, many: str = "") -> str:
    """1 article, 2 articles"""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def shortened(given: str, characters: int) -> str:
    return given if len(given) <= characters else f"{given[: characters - 1].rstrip()}…"


def short_id(given: str) -> str:
    """Enough of a random id to tell it from others on a page."""
    return given[:8]


def _ends(figure: Figure, show: Callable[[float], str]) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" ({show(figure.low)} to {show(figure.high)})"
