from hypothesis import given
from hypothesis import strategies as st

from agent.article import Block, ParagraphKind, build_article
from agent.formats.reading import read_article
from agent.stored_article import dump_article, load_article

BLOCKS = st.lists(
    st.builds(Block, st.text(min_size=1), st.sampled_from(ParagraphKind), st.integers(0, 6)), max_size=8
).filter(lambda blocks: any(block.text.strip() for block in blocks))


@given(BLOCKS, st.text(), st.sampled_from(["en", "de-AT"]))
def test_an_article_comes_back_whole(blocks: list[Block], title: str, language: str) -> None:
    article = build_article(blocks, title=title, language=language)
    stored = load_article(dump_article(article))
    assert stored == article
    assert stored.content_hash == article.content_hash


def test_a_document_comes_back_with_its_paragraphs() -> None:
    article = read_article("# Hitze 🌡\n\n- eins\n- zwei\n\n> gesagt\n".encode(), "a.md", language="de")
    assert load_article(dump_article(article)) == article
