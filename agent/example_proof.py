"""Proves a pack's examples by its patterns.

A pattern guideline finds every violation and nothing in a compliant example. A prompt guideline's
fallback finds at least one violation, because the others may be for the model alone, and likewise
nothing in a compliant example.
"""

from pathlib import Path

from agent.article import Article, Block, ParagraphKind, build_article
from agent.errors import PackProblem
from agent.finding import Finding, Method
from agent.guideline import Guideline, Kind
from agent.guideline_file import GuidelineFile
from agent.pack_files import read_pack_files
from agent.patterns import ArticleView, check_patterns


def prove_examples(folder: Path) -> tuple[PackProblem, ...]:
    """The examples of a folder's guidelines that don't behave; raises PackError if it can't be loaded."""
    return tuple(problem for file in read_pack_files(folder) for problem in _unproved(file))


def example_article(example: str, language: str = "en") -> Article:
    """An example as an article: paragraphs between blank lines, headings after "# "."""
    blocks = []
    for text in example.split("\n\n"):
        heading = text.startswith("# ")
        kind = ParagraphKind.HEADING if heading else ParagraphKind.TEXT
        blocks.append(Block(text.removeprefix("# "), kind, level=1 if heading else 0))
    return build_article(blocks, language=language)


def _unproved(file: GuidelineFile) -> list[PackProblem]:
    guideline = file.guideline
    if not guideline.rules:
        return []
    missed, problems = [], []
    for (field, index), line in file.example_lines.items():
        if not getattr(guideline, field)[index].strip():
            problems.append(PackProblem(file.name, line, "this example is empty: write one, or take the line out"))
    if problems:
        return problems
    for index, example in enumerate(guideline.violations):
        if not _findings(guideline, example):
            message = f"the patterns don't find this violation: {_shown(example)}"
            missed.append(PackProblem(file.name, file.example_lines["violations", index], message))
    for index, example in enumerate(guideline.compliant):
        if findings := _findings(guideline, example):
            message = f'the patterns find "{findings[0].quote}" in this compliant example: {_shown(example)}'
            problems.append(PackProblem(file.name, file.example_lines["compliant", index], message))
    if guideline.kind is Kind.PATTERN:
        return missed + problems
    if missed and len(missed) == len(guideline.violations):
        message = "the fallback finds none of the violations: add one that it finds, or mend it"
        problems.insert(0, PackProblem(file.name, missed[0].line, message))
    return problems


def _findings(guideline: Guideline, example: str) -> tuple[Finding, ...]:
    language = guideline.languages[0] if guideline.languages else "en"
    return check_patterns(guideline, ArticleView(example_article(example, language)), method=Method.PATTERN)


def _shown(example: str) -> str:
    line = " ".join(example.split())
    return f'"{line}"' if len(line) <= 60 else f'"{line[:57]}..."'
