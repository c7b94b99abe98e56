"""Bytes of a text file into text with one kind of line end."""

import codecs
import re

from agent.errors import UnsupportedDocument

READABLE = "a .docx, .md, .html or .txt file"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Word 97-2003, and any Office file under a password

_OTHER_KINDS = {b"%PDF-": "a PDF", b"{\\rtf": "an RTF file", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture"}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What text may hold below U+0020: tab, line ends, vertical tab, form feed, DOS's end of file, escape.
_CONTROLS = bytes(sorted(set(range(0x20)) - {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B}))
_MAX_CONTROLS = 0.01  # share of all bytes
_LINE_END = re.compile(r"\r\n?")


def decoded(data: bytes, filename: str) -> str:
    """Text in UTF-8, or in UTF-16 with its byte order mark; raises UnsupportedDocument for anything else."""
    for start, kind in _OTHER_KINDS.items():
        if data.startswith(start):
            raise UnsupportedDocument(f"{filename!r} is {kind}, which can't be read: send {READABLE}")
    if data.startswith(OLE):
        raise UnsupportedDocument(f"{filename!r} is a Word 97-2003 file: open it in Word and save it as .docx")
    mark, encoding = next(((mark, name) for mark, name in _MARKS.items() if data.startswith(mark)), (b"", "utf-8"))
    body = data[len(mark) :]
    if encoding == "utf-8":
        _refuse_binary(body, filename)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnsupportedDocument(
            f"{filename!r} is not {encoding.upper()}: byte {len(mark) + error.start} is "
            f"0x{body[error.start]:02X}; open it in an editor and save it as UTF-8"
        ) from error
    if (place := text.find("\x00")) >= 0:
        raise UnsupportedDocument(f"{filename!r} is not a text file (character {place} is NUL): send {READABLE}")
    return text


def with_one_line_end(source: str) -> str:
    """The source with "\\n" as its only line end; lines and columns stay."""
    return _LINE_END.sub("\n", source) if "\r" in source else source


def _refuse_binary(data: bytes, filename: str) -> None:
    if (place := data.find(0)) >= 0:
        raise UnsupportedDocument(f"{filename!r} is not a text file (byte {place} is NUL): send {READABLE}")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > _MAX_CONTROLS * len(data):
        raise UnsupportedDocument(f"{filename!r} is not a text file ({controls:,} control characters): send {READABLE}")
