import contextlib
import html
from io import BytesIO

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ArticleError, ContentTooLarge, EmptyArticle, UnsupportedDocument
from agent.formats.reading import (
    MAX_FILE_BYTES,
    article_from_html,
    article_from_paragraphs,
    article_from_text,
    read_article,
)
from tests.effort import takes_less_than

# style of Word, tag of HTML, mark of Markdown, text
SAMPLE = (
    ("Heading 1", "h1", "# ", "Council to close 3 libraries"),
    ("Normal", "p", "", "The council said on Monday that it “can’t afford” them – R&D costs 5 < 6."),
    ("Heading 2", "h2", "## ", "What happens next 🙂"),
    ("List Bullet", "li", "- ", "Readers lose a meeting place."),
    ("List Bullet", "li", "- ", "Staff (12 people) move."),
    ("Quote", "blockquote", "> ", "It is a sad day, and 日本語 too."),
)
TEXT = "\n\n".join(text for *_, text in SAMPLE)


def sample_docx() -> bytes:
    document = docx.Document()
    for style, _, _, text in SAMPLE:
        document.add_paragraph(text, style=style)
    buffer = BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_the_same_document_has_the_same_text_in_every_format():
    markdown = "\n\n".join(mark + text for _, _, mark, text in SAMPLE)
    page = "\n".join(f"<{tag}>{html.escape(text)}</{tag}>" for _, tag, _, text in SAMPLE)
    articles = {
        "docx": read_article(sample_docx(), "a.docx"),
        "markdown": read_article(markdown.encode(), "a.md"),
        "html": read_article(page.encode(), "a.html"),
        "txt": read_article(TEXT.encode(), "a.txt"),
        "pasted": article_from_text(TEXT),
        "pane": article_from_paragraphs([text for *_, text in SAMPLE]),
        "api": article_from_html(page),
    }
    assert {name: article.text for name, article in articles.items()} == dict.fromkeys(articles, TEXT)
    kinds = {name: [(p.kind, p.level) for p in articles[name].paragraphs] for name in ("docx", "markdown", "html")}
    assert kinds["docx"] == kinds["markdown"] == kinds["html"]
    assert articles["docx"].title == articles["markdown"].title == articles["html"].title == SAMPLE[0][3]
    assert articles["docx"].content_hash == articles["markdown"].content_hash == articles["html"].content_hash


@pytest.mark.parametrize("name", ["a.txt", "a.TEXT", "a.md", "a.markdown", "a.html", "a.htm", "a", "a.log", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_names_and_encodings(name, encoding):
    assert read_article("Größe 🙂 – ok".encode(encoding), name).text == "Größe 🙂 – ok"


@pytest.mark.parametrize("name", ["a", "upload.bin", "a.docx", "a.txt"])
def test_a_word_file_is_known_by_its_content(name):
    assert read_article(sample_docx(), name).text == TEXT


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ("Größe".encode("latin-1"), "a.txt", "'a.txt' is not UTF-8: byte 2 is 0xF6; open it in an editor and save it"),
        (b"\xff\xfea\x00\x00\xd8", "a.md", "'a.md' is not UTF-16-LE: byte 4 is"),
        (b"\xff\xfe\x00\x00a\x00", "a.txt", "character 0 is NUL"),
        ("no mark".encode("utf-16-le"), "a.txt", r"'a.txt' is not a text file \(byte 1 is NUL\): send a .docx, .md"),
        (b"\x7fELF\x01\x02\x00", "a", "'a' is not a text file"),
        (b"words \x01\x02\x03\x04", "a.html", "4 control characters"),
        (b"%PDF-1.7 text", "a.pdf", "'a.pdf' is a PDF, which can't be read: send a .docx"),
        (b"{\\rtf1 text}", "a.doc", "is an RTF file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 junk", "a.doc", "Word 97-2003 file"),
        (b"PK\x03\x04 and no more", "a.txt", "not a whole .docx file"),
        (b"plain words", "a.docx", "not a whole .docx file"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(data, name, message):
    with pytest.raises(UnsupportedDocument, match=message):
        read_article(data, name)


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a"])
@pytest.mark.parametrize("data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf"])
def test_nothing_but_white_space_is_an_empty_article(data, name):
    with pytest.raises(EmptyArticle):
        read_article(data, name)


def test_limits_of_bytes_and_characters():
    with pytest.raises(ContentTooLarge, match=r"'a.txt' has 10,000,001 bytes, over the limit of 10,000,000"):
        read_article(b"a" * (MAX_FILE_BYTES + 1), "a.txt")
    with pytest.raises(ContentTooLarge, match="200,001 characters, over the limit of 200,000"):
        read_article(b"a" * 200_001, "a.txt")


def test_a_title_given_wins():
    assert read_article(b"---\ntitle: Its own\n---\n# Head", "a.md", title="Given", language="de").title == "Given"
    assert read_article(b"# Head", "a.md", language="de").language == "de"


@given(st.binary(max_size=300), st.sampled_from(["a.txt", "a.md", "a.html", "a.docx", "a"]), st.booleans())
def test_any_bytes_are_read_or_refused(data, name, zipped):
    with contextlib.suppress(ArticleError):
        assert read_article(b"PK\x03\x04" + data if zipped else data, name).text


def test_a_post_of_a_thousand_words_is_read_at_once():
    source = ("Some *plain* words with a [link](https://example.org/) in a line of\nthe post.\n\n" * 84).encode()
    assert 900 < read_article(source, "a.md").words < 1_100
    assert takes_less_than(0.2, lambda: read_article(source, "a.md"))  # about 10 ms
