"""An article as it is stored between submitting and checking: its canonical paragraphs, as JSON."""

import json

from agent.article import PARAGRAPH_GAP, Article, Paragraph, ParagraphKind


def dump_article(article: Article) -> bytes:
    paragraphs = [[p.text, p.kind, p.level, p.origin] for p in article.paragraphs]
    value = {"title": article.title, "language": article.language, "paragraphs": paragraphs}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def load_article(data: bytes) -> Article:
    """The article that was dumped; lines and columns of its file aren't kept."""
    value = json.loads(data)
    paragraphs: list[Paragraph] = []
    start = 0
    for index, (text, kind, level, origin) in enumerate(value["paragraphs"]):
        paragraphs.append(Paragraph(index, start, text, ParagraphKind(kind), level, origin))
        start += len(text) + len(PARAGRAPH_GAP)
    return Article(
        text=PARAGRAPH_GAP.join(paragraph.text for paragraph in paragraphs),
        paragraphs=tuple(paragraphs),
        title=value["title"],
        language=value["language"],
    )
