"""`patterns-peers`: our rules against proselint and write-good, over the same text, each in its own process.

Theirs over ours, per rule and 1,000 words. proselint is compared twice: with all of its checks, each
counted as a rule; and with the checks that its Vale pack has rules for, which are the same rules twice.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from agent.article import Article
from agent.formats.reading import article_from_text, read_article
from agent.guideline import Guideline, GuidelinePack
from agent.patterns import ArticleView, CompiledRules, compile_rules
from agent.vale import import_vale
from tests.bench.measure import Measurement, benchmark, median_ms, medians_ms

RATIO = 5.0
ENOUGH_WORDS = 5000
Span = tuple[int, int]

# proselint's checks, or groups of them, by the rule of the Vale pack; two rules have none.
SAME_RULES = {
    "Airlinese": ["industrial_language.airlinese"],
    "AnimalLabels": ["terms.animal_adjectives"],
    "Annotations": ["annotations"],
    "Apologizing": ["misc.apologizing"],
    "Archaisms": ["archaism"],
    "But": ["misc.but"],
    "Cliches": ["cliches"],
    "CorporateSpeak": ["industrial_language.corporate_speak"],
    "Currency": ["misc.currency"],
    "DateCase": ["dates_times.am_pm.lowercase_periods"],
    "DateMidnight": ["dates_times.am_pm.midnight_noon"],
    "DateSpacing": ["dates_times.am_pm.spacing"],
    "DenizenLabels": ["terms.denizen_labels"],
    "Diacritical": ["typography.diacritical_marks"],
    "GenderBias": ["social_awareness.sexism"],
    "GroupTerms": ["terms.venery"],
    "Hedging": ["hedging"],
    "Hyperbole": ["typography.punctuation.hyperbole"],
    "Jargon": ["industrial_language.jargon"],
    "LGBTOffensive": ["social_awareness.lgbtq.offensive"],
    "LGBTTerms": ["social_awareness.lgbtq.terms"],
    "Malapropisms": ["malapropisms"],
    "Needless": ["needless_variants"],
    "Nonwords": ["nonwords"],
    "Oxymorons": ["oxymorons"],
    "P-Value": ["psychology.p_equals_zero"],
    "RASSyndrome": ["redundancy.ras_syndrome"],
    "Skunked": ["skunked_terms"],
    "Spelling": ["spelling.consistency"],
    "Typography": [
        "typography.symbols.copyright",
        "typography.symbols.ellipsis",
        "typography.symbols.multiplication",
        "typography.symbols.trademark",
    ],
    "Uncomparables": ["uncomparables"],
    "Very": ["weasel_words.very"],
}

NODE = Path(".cache/write-good")
# Without its list of adverbs, which the Vale pack lacks, and without E-Prime, which is off by default.
NODE_RULES = 7
NODE_SCRIPT = """
const writeGood = require('write-good'), fs = require('fs');
const text = fs.readFileSync(0, 'utf8'), times = [];
let found = [];
for (let i = 0; i < 60; i++) {
  const t = process.hrtime.bigint(); found = writeGood(text, { adverb: false });
  times.push(Number(process.hrtime.bigint() - t) / 1e6);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ ms: times[30], spans: found.map((f) => [f.index, f.index + f.offset]) }));
"""


class Side(NamedTuple):
    """What one of the two took for the text, with how many rules, and what it found."""

    ms: float
    rules: int
    spans: set[Span]


@benchmark("patterns-peers")
def peers() -> Iterator[Measurement]:
    corpora = os.environ.get("COPYDESK_CORPORA")
    if not corpora:
        yield _unmeasured("patterns-peers", "set COPYDESK_CORPORA to the folder of rule packs")
        return
    article = _prose(Path(corpora))
    yield from _proselint(article, import_vale(Path(corpora) / "vale" / "proselint").pack)
    yield _write_good(article, import_vale(Path(corpora) / "vale" / "write-good").pack)


def _prose(corpora: Path) -> Article:
    """The same plain text for everybody: the first posts, at least 5,000 words."""
    parts: list[str] = []
    for post in sorted((corpora / "articles" / "18f").glob("*.md")):
        parts.append(read_article(post.read_bytes(), post.name).text)
        if len(" ".join(parts).split()) > ENOUGH_WORDS:
            break
    text = "\n\n".join(parts)
    article = article_from_text(text)
    if article.text != text:
        raise AssertionError("the offsets of all must count in the same text")
    return article


def _proselint(article: Article, pack: GuidelinePack) -> Iterator[Measurement]:
    from proselint.checks import __register__
    from proselint.config import DEFAULT
    from proselint.registry import CheckRegistry
    from proselint.tools import LintFile

    registry = CheckRegistry()
    registry.register_many(__register__)

    def lint(checks: dict[str, bool]) -> set[Span]:
        found = LintFile("", article.text).lint(DEFAULT | {"checks": checks})
        return {(r.check_result.span[0] - 1, r.check_result.span[1] - 1) for r in found}

    def compared(name: str, checks: dict[str, bool], rules: int, pack: GuidelinePack, note: str) -> Measurement:
        compiled = _compiled(pack)
        theirs, ours = medians_ms(partial(lint, checks), partial(_spans, article, compiled), rounds=11)
        sides = Side(theirs, rules, lint(checks)), Side(ours, len(compiled), _spans(article, compiled))
        measurement = _compared(name, article, *sides)
        return replace(measurement, note=f"{note}; {measurement.note}")

    same = {check: True for checks in SAME_RULES.values() for check in checks}
    same_pack = _only(pack, lambda name: name in SAME_RULES)
    theirs, ours = _entries(registry.get_all_enabled(same)), sum(_entries(g.rules) for g in same_pack.guidelines)
    note = f"the same rules twice, theirs with {theirs} words or patterns and ours with {ours}"
    yield compared("patterns-peers/proselint", same, len(same_pack.guidelines), same_pack, note)
    enabled = registry.get_all_enabled(DEFAULT["checks"])
    note = f"all of its checks ({_entries(enabled)} words or patterns), each counted as a rule, against all of the pack"
    yield compared("patterns-peers/proselint-all", DEFAULT["checks"], len(enabled), pack, note)


def _entries(rules: Iterable[Any]) -> int:
    """How many words or patterns rules or checks look for."""
    return sum(
        max([1, *(len(getattr(kind, key, ())) for key in ("tokens", "swap", "either", "items"))])
        for kind in (getattr(rule, "check_type", rule) for rule in rules)
    )


def _write_good(article: Article, pack: GuidelinePack) -> Measurement:
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
    run = [node, "-e", NODE_SCRIPT]
    done = subprocess.run(run, input=article.text, capture_output=True, text=True, cwd=NODE, check=True)
    answer = json.loads(done.stdout)
    compiled = _compiled(_only(pack, lambda rule: rule != "E-Prime"))
    theirs = Side(answer["ms"], NODE_RULES, {(start, end) for start, end in answer["spans"]})
    took = median_ms(lambda: _spans(article, compiled), repeats=25)
    return _compared(name, article, theirs, Side(took, len(compiled), _spans(article, compiled)))


def _only(pack: GuidelinePack, wanted: Callable[[str], bool]) -> GuidelinePack:
    """The rules with certain names, without the style's."""
    guidelines = tuple(guideline for guideline in pack.guidelines if wanted(guideline.id.partition(".")[2]))
    return GuidelinePack(name=pack.name, guidelines=guidelines)


def _compiled(pack: GuidelinePack) -> list[CompiledRules]:
    def compiled(guideline: Guideline) -> CompiledRules:
        return compile_rules(guideline.rules, quotations=guideline.quotations)

    return [compiled(guideline) for guideline in pack.guidelines]


def _spans(article: Article, compiled: list[CompiledRules]) -> set[Span]:
    view = ArticleView(article)
    return {(match.start, match.end) for rules in compiled for match in rules.find(view)}


def _compared(name: str, article: Article, theirs: Side, ours: Side) -> Measurement:
    """How many findings of one the other's touch is said in the note."""
    thousands = article.words / 1000
    mine, their = (side.ms / thousands / side.rules for side in (ours, theirs))
    ratio = their / mine
    note = (
        f"ours {ours.ms / thousands:.2f} ms for {ours.rules} rules, theirs {theirs.ms / thousands:.2f} ms for "
        f"{theirs.rules}; of their {len(theirs.spans)} findings ours touch {_touched(theirs.spans, ours.spans)}, "
        f"of our {len(ours.spans)} theirs touch {_touched(ours.spans, theirs.spans)}"
    )
    return Measurement(name, mine, "ms", f"ratio >= {RATIO:g}", ratio >= RATIO, f"{their:.3g} ms a rule", ratio, note)


def _touched(these: set[Span], those: set[Span]) -> int:
    return sum(any(start < b and a < end for a, b in those) for start, end in these)


def _unmeasured(name: str, why: str) -> Measurement:
    return Measurement(name, None, "ms", f"ratio >= {RATIO:g}", None, note=why)
