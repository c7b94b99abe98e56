"""`patterns-200` and `patterns-peers`: deterministic rules by themselves, and against proselint and write-good."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from agent.article import Article
from agent.formats.reading import article_from_text
from agent.guideline import Guideline, GuidelinePack, Quotations
from agent.patterns import ArticleView, CompiledRules, compile_rules
from agent.rules import Existence, Rule
from agent.vale import import_vale
from tests.bench.article import thousand_words
from tests.bench.measure import Measurement, benchmark, median_ms

LITERALS, EXPRESSIONS = 170, 30
LIMIT_MS = 3.0
PEER_RATIO = 5.0
NODE = Path(".cache/write-good")
NODE_SCRIPT = """
const writeGood = require('write-good'), fs = require('fs');
const text = fs.readFileSync(0, 'utf8'), times = [];
let found = [];
for (let i = 0; i < 60; i++) {
  const t = process.hrtime.bigint(); found = writeGood(text);
  times.push(Number(process.hrtime.bigint() - t) / 1e6);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ ms: times[30], spans: found.map((f) => [f.index, f.index + f.offset]) }));
"""
# The checks write-good runs by default; E-Prime is off there.
WRITE_GOOD_RULES = 7


def _two_hundred() -> tuple[Rule, ...]:
    """Literals that mostly don't occur, and expressions of the kind that house styles have."""
    literals = [f"{a} {b}" for a in _WORDS for b in _WORDS][:LITERALS]
    expressions = [rf"\b{a}(?:s|ed|ing)? (?:of|the) \w+" for a in _WORDS] + [rf"\b\d+ ?{a}\b" for a in _WORDS]
    return tuple(
        Existence(message="m", tokens=(token,), nonword=token in expressions, ignorecase=True)
        for token in (*literals, *expressions[:EXPRESSIONS])
    )


_WORDS = "very plan work river order place part page week safe church winter mill vote chair".split()


@benchmark("patterns-200")
def two_hundred_rules() -> Iterator[Measurement]:
    article = thousand_words()
    rules = compile_rules(_two_hundred(), quotations=Quotations.INCLUDED)
    found = len(rules.find(ArticleView(article)))
    took = median_ms(lambda: rules.find(ArticleView(article))) * 1000 / article.words
    note = f"{len(rules.matchers)} rules, {found} matches, per 1,000 words"
    yield Measurement("patterns-200", took, "ms", f"<= {LIMIT_MS:g} ms", took <= LIMIT_MS, note=note)


@benchmark("patterns-peers")
def peers() -> Iterator[Measurement]:
    corpora = os.environ.get("COPYDESK_CORPORA")
    if not corpora:
        yield _unmeasured("patterns-peers", "set COPYDESK_CORPORA to the folder of rule packs")
        return
    text = _prose(Path(corpora))
    yield _proselint(text, import_vale(Path(corpora) / "vale" / "proselint").pack)
    yield _write_good(text, import_vale(Path(corpora) / "vale" / "write-good").pack)


def _prose(corpora: Path) -> str:
    """The same plain text for everybody: the first posts, at least 5,000 words."""
    from agent.formats.reading import read_article

    parts: list[str] = []
    for post in sorted((corpora / "articles" / "18f").glob("*.md")):
        parts.append(read_article(post.read_bytes(), post.name).text)
        if len(" ".join(parts).split()) > 5000:
            break
    return "\n\n".join(parts)


def _proselint(text: str, pack: GuidelinePack) -> Measurement:
    from proselint.checks import __register__
    from proselint.config import DEFAULT
    from proselint.registry import CheckRegistry
    from proselint.tools import LintFile

    registry = CheckRegistry()
    registry.register_many(__register__)
    checks = len(registry.get_all_enabled(DEFAULT["checks"]))
    theirs = {(r.check_result.span[0] - 1, r.check_result.span[1] - 1) for r in LintFile("text", text).lint(DEFAULT)}
    took = median_ms(lambda: LintFile("text", text).lint(DEFAULT), repeats=7, warm_up=1)
    entries = sum(len(getattr(check.check_type, "items", "1")) for check in __register__)
    compared = _compared("patterns-peers/proselint", text, pack, took, checks, theirs)
    ours = sum(_entries(rule) for guideline in pack.guidelines for rule in guideline.rules)
    # A check there holds 24 words or patterns, a rule here 48: by what is looked for the ratio is another.
    by_entry = (compared.ratio or 0) * checks / entries * ours / len(pack.guidelines)
    note = f"by word or pattern looked for ({ours} and {entries}) the ratio is {by_entry:.1f}; {compared.note}"
    return replace(compared, note=note)


def _write_good(text: str, pack: GuidelinePack) -> Measurement:
    name = "patterns-peers/write-good"
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return _unmeasured(name, "node and npm are missing: apt-get install nodejs npm")
    if not (NODE / "node_modules" / "write-good").is_dir():
        NODE.mkdir(parents=True, exist_ok=True)
        install = [npm, "install", "--silent", "--no-save", "--prefix", str(NODE), "write-good@1.0.8"]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            return _unmeasured(name, f"npm could not install write-good: {done.stderr.strip()[-200:]}")
    done = subprocess.run([node, "-e", NODE_SCRIPT], input=text, capture_output=True, text=True, cwd=NODE, check=True)
    answer = json.loads(done.stdout)
    ours = GuidelinePack(name=pack.name, guidelines=tuple(g for g in pack.guidelines if not g.id.endswith("E-Prime")))
    return _compared(name, text, ours, answer["ms"], WRITE_GOOD_RULES, {tuple(span) for span in answer["spans"]})


def _compared(
    name: str, text: str, pack: GuidelinePack, their_ms: float, their_rules: int, theirs: set[tuple[int, int]]
) -> Measurement:
    """Time per rule and 1,000 words, theirs over ours; how many of their findings ours touch, and the reverse."""
    article = article_from_text(text)
    if article.text != text:
        raise AssertionError("the offsets of both must count in the same text")
    compiled = [_compiled(guideline) for guideline in pack.guidelines]
    ours = _spans(article, compiled)
    our_ms = median_ms(lambda: _spans(article, compiled), repeats=15)
    per_thousand = 1000 / article.words
    mine, their = our_ms * per_thousand / len(compiled), their_ms * per_thousand / their_rules
    ratio = their / mine
    note = (
        f"ours {our_ms * per_thousand:.2f} ms for {len(compiled)} rules, theirs {their_ms * per_thousand:.2f} ms for "
        f"{their_rules}; of their {len(theirs)} findings ours touch {_touched(theirs, ours)}, "
        f"of our {len(ours)} theirs touch {_touched(ours, theirs)}"
    )
    return Measurement(
        name, mine, "ms", f"ratio >= {PEER_RATIO:g}", ratio >= PEER_RATIO, f"{their:.3g} ms a rule", ratio, note
    )


def _entries(rule: Rule) -> int:
    """How many words or patterns a rule looks for."""
    return len(getattr(rule, "tokens", ()) or getattr(rule, "swap", ()) or getattr(rule, "either", ()) or "1")


def _compiled(guideline: Guideline) -> CompiledRules:
    return compile_rules(guideline.rules, quotations=guideline.quotations)


def _spans(article: Article, compiled: list[CompiledRules]) -> set[tuple[int, int]]:
    view = ArticleView(article)
    return {(match.start, match.end) for rules in compiled for match in rules.find(view)}


def _touched(these: set[tuple[int, int]], those: set[tuple[int, int]]) -> int:
    return sum(any(start < b and a < end for a, b in those) for start, end in these)


def _unmeasured(name: str, why: str) -> Measurement:
    return Measurement(name, None, "ms", f"ratio >= {PEER_RATIO:g}", None, note=why)
