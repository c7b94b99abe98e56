"""A made-up news article of about 1,000 words, long enough to measure on."""

from pathlib import Path

from agent.article import Article
from agent.formats.reading import article_from_text


def thousand_words() -> Article:
    return article_from_text(Path(__file__).with_name("article.txt").read_text(encoding="utf-8"))
