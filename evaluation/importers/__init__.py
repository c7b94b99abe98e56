"""Labelled articles from the exports of annotation tools and corpora: one module a format."""
