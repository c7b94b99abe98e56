"""What a round of the periodic work found or put off, in words."""

from collections import Counter

from serving.chores import Ticked
from serving.ports.monitors import Look
from serving.telling import PutOff, Tally

BEHIND = ", with all that wait behind"


def put_off(done: Ticked) -> list[str]:
    """A line for each kind and reason."""
    lines = [
        *_lines("runs for MLflow", done.logged, BEHIND),
        *_lines("jobs' decisions for MLflow", done.told, BEHIND),
        *_lines("calls to clients", done.called),
    ]
    if isinstance(done.purged, PutOff):
        lines.append(f"Put off: the rest of what is removed for its age: {done.purged.reason}")
    faults = ((each.monitor, each.came_to) for each in done.monitored)
    return lines + [f"Put off: the monitor {name}: {why.reason}" for name, why in faults if isinstance(why, PutOff)]


def looked(done: Ticked) -> list[str]:
    """A line for each monitor that looked."""
    return [f"Looked: {each.came_to.said}." for each in done.monitored if isinstance(each.came_to, Look)]


def _lines(what: str, tally: Tally, behind: str = "") -> list[str]:
    """`behind`: what an other side that doesn't answer holds up too."""
    counted = Counter(tally.put_off).items()
    return [f"Put off: {count} {what}{behind if each.blocked else ''}: {each.reason}" for each, count in counted]
