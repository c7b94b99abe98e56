"""What site generators read in a Markdown file before Markdown does: front matter, template tags, footnote marks.

Each is masked by characters of the same length, so that every other character keeps its offset.
"""

import re
from typing import NamedTuple

import regex

from agent.front_matter import FrontMatterError, read_front_matter

_FRONT_MATTER = re.compile(r"\A(?P<fence>---|\+\+\+)[ \t]*\n(?P<body>(?:.*\n)*?)(?:(?P=fence)|\.\.\.)[ \t]*(?:\n|\Z)")
_KEY = re.compile(r"\A(?:\s*(?:#.*)?\n)*[\w\"'.-]+[ \t]*[:=]")
_METADATA = re.compile(r"(?m)^(title|lang|language)[ \t]*[:=][ \t]*(.+)$")
# No part may reach over a blank line or the next opening: a tag that isn't closed hides nothing.
_TAGS = regex.compile(  # `re` of Python 3.11.2, which is Debian's, loses matches of possessive groups
    r"""
      \{\{\{?(?:[^{}\n]|\n(?![ \t]*\n))*+\}\}\}?                 # Liquid, Jinja, Nunjucks, Handlebars, Hugo
    | \{%(?:[^%{\n]|%(?!\})|\{(?!%)|\n(?![ \t]*\n))*+%\}
    | \{\#(?:[^\#{\n]|\#(?!\}))*+\#\}                          # their comments
    | \{:[^{}\n]*+\} | \{[.\#][\w-][^{}\n]*+\}                # attributes of kramdown and Pandoc
    | \[\^[^\]\[\s]++\](?!\()(?::(?=[ \t]))?    # footnote marks
    | (?<=[-*+][ ])\[[ xX]\](?=[ ])                            # boxes of task lists
    """,
    regex.VERBOSE,
)
_PRIVATE_USE = range(0xE000, 0xF8FF)


class Metadata(NamedTuple):
    """What a document says of itself."""

    title: str = ""
    language: str = ""


class Masked(NamedTuple):
    """A source whose masked places hold `filler`; it is as long as the source."""

    text: str
    filler: str  # one character that the source doesn't have
    metadata: Metadata


def mask(source: str) -> Masked:
    """Masks front matter by blank lines, template tags by a filler."""
    metadata, start = _read_front_matter(source)
    characters = set(source)
    filler = next((chr(code) for code in _PRIVATE_USE if chr(code) not in characters), "\ufffc")
    head = re.sub(r"[^\n]", " ", source[:start])
    body = source[start:]
    if "{" in body or "[" in body:
        body = _TAGS.sub(lambda tag: re.sub(r"[^\n]", filler, tag[0]), body)
    return Masked(head + body, filler, metadata)


def _read_front_matter(source: str) -> tuple[Metadata, int]:
    """What the front matter says, and the offset of what follows it."""
    match = _FRONT_MATTER.match(source)
    if not match or not _KEY.match(match["body"]):
        return Metadata(), 0
    found = _values(match["body"])
    return Metadata(found.get("title", ""), found.get("language") or found.get("lang", "")), match.end()


def _values(front: str) -> dict[str, str]:
    """The texts of YAML front matter; where it isn't YAML throughout, those that fit on a line."""
    try:
        values = read_front_matter(front).values
        return {key: value.strip() for key, value in values.items() if isinstance(value, str)}
    except FrontMatterError:
        found: dict[str, str] = {}
        for line in _METADATA.finditer(front):
            found.setdefault(line[1], _scalar(line[1], line[2]))
        return found


def _scalar(key: str, value: str) -> str:
    """A value of one line; what isn't YAML, as a title with a colon in it often is, stands for itself."""
    try:
        text = read_front_matter(f"{key}: {value}").values[key]
    except FrontMatterError:
        return value.strip().strip("\"'")
    return text if isinstance(text, str) else value.strip()
