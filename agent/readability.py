"""Flesch reading ease, with a syllable count of our own."""

import regex

_WORD = regex.compile(r"[\p{L}]+(?:['’][\p{L}]+)*")
_VOWELS = regex.compile(r"[aeiouyáàâäãåéèêëíìîïóòôöõøúùûüýÿæœ]+")


def words(text: str) -> list[str]:
    return _WORD.findall(text)


def syllables(word: str) -> int:
    """Groups of vowels, less a silent final e; at least one."""
    lower = word.lower()
    count = len(_VOWELS.findall(lower))
    silent_e = lower.endswith("e") and not lower.endswith(("le", "ee", "ie"))
    silent_ed = lower.endswith("ed") and not lower.endswith(("ted", "ded"))
    if silent_e or silent_ed:
        count -= 1
    return max(count, 1)


def flesch(text: str, sentence_count: int) -> float:
    """206.835 - 1.015 * words / sentences - 84.6 * syllables / words; higher is easier, 60 is plain.

    Flesch, R. (1948). A new readability yardstick. Journal of Applied Psychology, 32(3), 221-233.
    Raises ValueError for a text without words or sentences.
    """
    found = words(text)
    if not found or sentence_count < 1:
        raise ValueError(f"reading ease needs words and sentences, got {len(found)} and {sentence_count}")
    spoken = sum(syllables(word) for word in found)
    return 206.835 - 1.015 * len(found) / sentence_count - 84.6 * spoken / len(found)
