import contextlib
import struct
import zipfile
from io import BytesIO

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.article import ParagraphKind
from agent.errors import ArticleError, EmptyArticle, UnsupportedDocument
from agent.formats.word import MAX_UNPACKED_BYTES, read_word

HEADING, TEXT, ITEM, QUOTE, CELL = ParagraphKind


def saved(document: Document) -> bytes:
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def with_xml(*paragraphs: str) -> bytes:
    """A document whose paragraphs are these pieces of WordprocessingML."""
    document = docx.Document()
    for xml in paragraphs:
        document.element.body.insert_element_before(parse_xml(f"<w:p {nsdecls('w')}>{xml}</w:p>"), "w:sectPr")
    return saved(document)


def run(text: str, tag: str = "t") -> str:
    return f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r>'


def field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (f"{run('kept ')}<w:ins>{run('added')}</w:ins><w:del>{run('gone', 'delText')}</w:del>", "kept added"),
        (f"<w:moveFrom>{run('from')}</w:moveFrom><w:moveTo>{run('to')}</w:moveTo>", "to"),
        (f"<w:del><w:ins>{run('both')}</w:ins></w:del>{run('kept')}", "kept"),
        (f"{run('see ')}<w:hyperlink>{run('the site')}</w:hyperlink>", "see the site"),
        (f"{field('begin')}{run(' REF x ', 'instrText')}{field('separate')}{run('Table 1')}{field('end')}", "Table 1"),
        (f"{field('begin')}{run('no')}{field('separate')}{run('yes')}{field('end')}", "yes"),
        (
            f"<w:smartTag>{run('smart')}</w:smartTag><w:sdt><w:sdtContent>{run('box')}</w:sdtContent></w:sdt>",
            "smartbox",
        ),
        ("<w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:tab/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r>", "a b c-d"),
        (f"{run('a')}<w:r><w:commentReference w:id='1'/><w:footnoteReference w:id='1'/></w:r>{run('b')}", "ab"),
    ],
)
def test_text_with_tracked_changes_accepted(xml, text):
    assert read_word(with_xml(xml), "a.docx").text == text


def test_kinds_and_levels():
    document = docx.Document()
    document.add_heading("The title", 0)
    document.add_heading("Head", 2)
    document.add_paragraph("text")
    document.add_paragraph("item", style="List Bullet")
    document.add_paragraph("quote", style="Intense Quote")
    table = document.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "tall"
    table.cell(0, 1).text, table.cell(1, 1).text = "b", "c"
    assert [(p.kind, p.level, p.text) for p in read_word(saved(document), "a.docx").paragraphs] == [
        (HEADING, 1, "The title"),
        (HEADING, 2, "Head"),
        (TEXT, 0, "text"),
        (ITEM, 0, "item"),
        (QUOTE, 0, "quote"),
        *((CELL, 0, text) for text in ("tall", "b", "c")),
    ]


def test_a_heading_is_known_in_another_language_and_by_the_style_it_is_based_on():
    document = docx.Document()
    document.styles["Heading 1"].element.set(qn("w:styleId"), "berschrift1")
    house = document.styles.add_style("House head", 1)
    house.element.get_or_add_basedOn().val = "berschrift1"
    document.add_paragraph("Kopf", style="Heading 1")
    document.add_paragraph("Haus", style="House head")
    found = [(p.kind, p.level) for p in read_word(saved(document), "a.docx").paragraphs]
    assert found == [(HEADING, 1), (HEADING, 1)]


def test_numbering_and_outline_level_say_what_a_paragraph_is():
    numbered = "<w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr>"
    outlined = "<w:pPr><w:outlineLvl w:val='1'/></w:pPr>"
    article = read_word(with_xml(numbered + run("item"), outlined + run("head")), "a.docx")
    assert [(p.kind, p.level) for p in article.paragraphs] == [(ITEM, 0), (HEADING, 2)]


def test_title_and_language_of_the_properties():
    document = docx.Document()
    document.core_properties.title, document.core_properties.language = "Mine", "en-GB"
    document.add_heading("Head", 1)
    article = read_word(saved(document), "a.docx")
    assert (article.title, article.language) == ("Mine", "en-GB")
    assert read_word(saved(document), "a.docx", title="Given", language="fr").title == "Given"


def test_a_location_is_the_number_of_the_paragraph():
    document = docx.Document()
    for text in ("one", "", "two words"):
        document.add_paragraph(text)
    article = read_word(saved(document), "a.docx")
    place = article.locate(article.text.index("words"))
    assert (place.line, place.column, article.paragraphs[1].origin) == (3, 5, 2)


def test_a_document_without_text_is_an_empty_article():
    with pytest.raises(EmptyArticle):
        read_word(saved(docx.Document()), "a.docx")


def archive(**parts: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


WHOLE = with_xml(run("Some words."))
TYPES = "[Content_Types].xml"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE[: len(WHOLE) // 2], "not a whole .docx file: copy or download it again"),
        (WHOLE[:100], "not a whole .docx file"),
        (b"", "not a whole .docx file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "protected by a password or is a Word 97-2003 file"),
        (archive(readme=b"hello"), "a zip archive, not a Word document"),
        (archive(**{TYPES: b"<Types"}), "broken or not a Word document: open it in Word"),
        (archive(**{TYPES: b"", "word/document.xml": bytes(MAX_UNPACKED_BYTES + 1)}), "which no article needs"),
        (archive(**{TYPES: b"", "word/document.xml": bytes(10_000_000)}), "which no article needs"),
        (archive(**{TYPES: b"", **{f"p{n}": b"" for n in range(5_000)}}), "5,001 parts"),
    ],
    ids=["half", "start", "nothing", "old", "zip", "no types", "bomb", "ratio", "entries"],
)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(data, message):
    with pytest.raises(UnsupportedDocument, match=message) as error:
        read_word(data, "news.docx")
    assert "'news.docx'" in str(error.value)


def test_a_part_that_unpacks_to_more_than_it_says_is_refused():
    size = struct.pack("<I", 5_000_000)
    bomb = archive(**{TYPES: b"", "word/document.xml": bytes(5_000_000)}).replace(size, struct.pack("<I", 50))
    with pytest.raises(UnsupportedDocument):
        read_word(bomb, "a.docx")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_damaged_document_is_read_or_refused(changes):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(ArticleError):
        assert read_word(bytes(data), "a.docx").text
