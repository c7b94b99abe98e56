"""What stands around the words that are shown, shortened between two words."""


def end_of(before: str, characters: int) -> str:
    return before if len(before) <= characters else "…" + before[-characters:].partition(" ")[2]


def start_of(after: str, characters: int) -> str:
    return after if len(after) <= characters else after[:characters].rpartition(" ")[0] + " …"
