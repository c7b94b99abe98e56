"""A document of any format we read, by its name, into an `Article`."""

from collections.abc import Callable, Iterable
from pathlib import PurePath

from agent.article import Article, Block, build_article
from agent.errors import ContentTooLarge
from agent.formats.encoding import OLE, decoded
from agent.formats.html import read_html
from agent.formats.markdown import read_markdown
from agent.formats.plain import read_plain

MAX_FILE_BYTES = 10_000_000
_ZIP = b"PK\x03\x04"
_TEXT_READERS: dict[str, Callable[..., Article]] = {
    ".txt": read_plain,
    ".text": read_plain,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
}


def read_article(data: bytes, filename: str, *, title: str = "", language: str = "") -> Article:
    """Reads a file; without an extension that we know, a Word file is recognised and the rest is plain text.

    Raises UnsupportedDocument, ContentTooLarge and EmptyArticle.
    """
    must_fit(filename, len(data))
    suffix = PurePath(filename).suffix.lower()
    if suffix == ".docx" or (data.startswith((_ZIP, OLE)) and suffix != ".doc"):
        # Imported with the first Word file: what it takes, 7 MB, counts in the API's process.
        from agent.formats.word import read_word

        return read_word(data, filename, title=title, language=language)
    read = _TEXT_READERS.get(suffix, read_plain)
    return read(decoded(data, filename), title=title, language=language)


def must_fit(filename: str, size: int) -> None:
    """Raises ContentTooLarge for a file of so many bytes, before it is read."""
    if size > MAX_FILE_BYTES:
        raise ContentTooLarge(
            f"{filename!r} has {size:,} bytes, over the limit of {MAX_FILE_BYTES:,}: "
            "leave out its pictures or check it in parts"
        )


def article_from_text(text: str, *, title: str = "", language: str = "") -> Article:
    """Plain text, as pasted. Raises EmptyArticle and ContentTooLarge."""
    return read_plain(text, title=title, language=language)


def article_from_markdown(source: str, *, title: str = "", language: str = "") -> Article:
    """Raises EmptyArticle and ContentTooLarge."""
    return read_markdown(source, title=title, language=language)


def article_from_html(html: str, *, title: str = "", language: str = "") -> Article:
    """Raises EmptyArticle and ContentTooLarge."""
    return read_html(html, title=title, language=language)


def article_from_paragraphs(paragraphs: Iterable[str | Block], *, title: str = "", language: str = "") -> Article:
    """Paragraphs as a word processor gives them; offsets in one hold in the other. Paragraph n is line n."""
    blocks = [Block(paragraph) if isinstance(paragraph, str) else paragraph for paragraph in paragraphs]
    return build_article(blocks, title=title, language=language)
