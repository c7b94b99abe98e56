"""Word documents (.docx) as they read with all tracked changes accepted.

Left out: tracked deletions and what was moved away, comments, foot- and endnotes, headers and footers,
text boxes, pictures, formulas (one U+FFFC stands for one), fields' instructions, the table of contents.
A tab and a break in a line are one character each. Hidden text counts. A paragraph whose mark alone is
deleted isn't joined with the next. Every paragraph of the body, of tables too, counts for a location:
paragraph n is line n.
"""

import logging
import struct
import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import docx
from docx.document import Document
from docx.exceptions import PythonDocxError
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError

from agent.article import Article, build_article
from agent.errors import UnsupportedDocument
from agent.formats.encoding import OLE
from agent.formats.passage import first_heading, language_tag
from agent.formats.word_body import WordBody

MAX_ENTRIES = 5_000
MAX_UNPACKED_BYTES = 60_000_000
MAX_RATIO = 150  # of the whole file; real documents reach 30
_RATIO_MATTERS_FROM = 5_000_000  # bytes unpacked

# What zipfile, lxml and python-docx raise on broken files.
_BROKEN = (
    *(BadZipFile, SyntaxError, OpcError, PythonDocxError, zlib.error, struct.error, EOFError, OSError),
    *(KeyError, IndexError, ValueError, TypeError, AttributeError, AssertionError, NotImplementedError, RuntimeError),
)
_log = logging.getLogger(__name__)


def read_word(data: bytes, filename: str, *, title: str = "", language: str = "") -> Article:
    """Raises UnsupportedDocument, EmptyArticle and ContentTooLarge."""
    if data.startswith(OLE):
        raise UnsupportedDocument(
            f"{filename!r} is protected by a password or is a Word 97-2003 file: "
            "open it in Word, remove the password and save it as .docx"
        )
    _refuse_bomb(data, filename)
    try:
        document = docx.Document(BytesIO(data))
        found_title, found_language = _metadata(document)
        blocks = WordBody(document.part.styles.element).blocks(document.element.body)
    except _BROKEN as error:
        _log.warning("python-docx can't open %r: %s: %s", filename, type(error).__name__, error)
        raise UnsupportedDocument(
            f"{filename!r} is broken or not a Word document: open it in Word and save it as .docx again"
        ) from error
    return build_article(
        blocks,
        title=title.strip() or found_title or first_heading(blocks),
        language=language or language_tag(found_language),
    )


def _metadata(document: Document) -> tuple[str, str]:
    """Title and language of the core properties; python-docx invents some where the file has none."""
    relations = document.part.package.rels.values()
    if not any(relation.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for relation in relations):
        return "", ""
    properties = document.core_properties
    return (properties.title or "").strip(), properties.language or ""


def _refuse_bomb(data: bytes, filename: str) -> None:
    """Reads the archive's directory only; zipfile never unpacks more of an entry than that says."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except _BROKEN as error:
        raise UnsupportedDocument(
            f"{filename!r} is not a whole .docx file: copy or download it again, or save it again in Word"
        ) from error
    if not any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise UnsupportedDocument(f"{filename!r} is a zip archive, not a Word document: send the document itself")
    unpacked = sum(entry.file_size for entry in entries)
    ratio = unpacked / max(1, len(data))
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED_BYTES
        or (unpacked > _RATIO_MATTERS_FROM and ratio > MAX_RATIO)
    ):
        raise UnsupportedDocument(
            f"{filename!r} unpacks to {unpacked:,} bytes in {len(entries):,} parts, {ratio:.0f} times its size, "
            "which no article needs: copy its text into a new document"
        )
