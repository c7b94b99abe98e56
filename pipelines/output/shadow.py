"""What a shadow has shown: on a terminal, with the words on which the versions differ, and as JSON."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agent.article import Article
from pipelines.output.surroundings import end_of, start_of
from serving.disagreements import Disagreement, Excerpt, FoundBy, excerpt
from serving.job import Job
from serving.shadow import Agreement, CheckState, Shadow, Spent, Tally
from serving.sign_test import Evidence

ALPHA = 0.05
CONTEXT_CHARACTERS = 150  # of a long sentence, on either side of the words
MARKS = {FoundBy.CHAMPION: "−", FoundBy.CHALLENGER: "+"}  # what a promotion would take away, and bring
STYLES = {FoundBy.CHAMPION: "red", FoundBy.CHALLENGER: "green"}
NOT_KEPT = "the article is no longer kept"
NO_PLACE = "an earlier release compared it and kept no places"


@dataclass(frozen=True)
class Compared:
    """An article on which the versions differ."""

    job: Job
    article: Article | None  # None: it is no longer kept


@dataclass(frozen=True)
class ShadowReport:
    shadow: Shadow
    counts: Mapping[str, int]  # of articles, by what became of them
    today: Spent
    in_all: Spent
    tally: Tally
    disagreements: Sequence[Disagreement]  # those to be shown, by article
    left: int  # those that aren't
    articles: Mapping[str, Compared]  # by job


def print_shadow(console: Console, report: ShadowReport) -> None:
    _print_head(console, report)
    if report.tally.guidelines:
        console.print()
        _print_agreement(console, report.tally)
    console.print()
    console.print(_verdict(report.tally.overall), soft_wrap=True)
    if report.disagreements:
        _print_disagreements(console, report)


def shadow_json(report: ShadowReport) -> dict[str, Any]:
    shadow = report.shadow
    return {
        "version": shadow.version,
        "champion": shadow.champion,
        "share": shadow.share,
        "started": shadow.started.isoformat(),
        "ended": shadow.ended.isoformat() if shadow.ended else None,
        "reason": shadow.reason,
        "articles": dict(report.counts),
        "today": _spent(report.today),
        "in_all": _spent(report.in_all),
        "overall": _evidence(report.tally.overall, 1),
        "guidelines": [
            {
                "guideline": each.guideline,
                "articles": each.articles,
                "both": each.both,
                "only_champion": each.only_champion,
                "only_challenger": each.only_challenger,
                **_evidence(each.evidence, len(report.tally.guidelines)),
            }
            for each in report.tally.guidelines
        ],
        "disagreements": [_disagreement(one, report.articles[one.job]) for one in report.disagreements],
        "disagreements_left_out": report.left,
    }


def _spent(spent: Spent) -> dict[str, Any]:
    return {"articles": spent.checks, "calls": spent.calls, "cost": spent.cost}


def _evidence(evidence: Evidence, tests: int) -> dict[str, Any]:
    return {
        "articles_less": evidence.less,
        "articles_more": evidence.more,
        "e_value": min(evidence.highest, sys.float_info.max),  # JSON has no infinity
        "finds_less": evidence.rejects(ALPHA, tests=tests),
    }


def _disagreement(one: Disagreement, compared: Compared) -> dict[str, Any]:
    place, shown = one.place, _excerpt(one, compared)
    return {
        "job": one.job,
        "document_id": compared.job.request.document_id,
        "guideline": one.guideline,
        "only": one.found_by,
        "fingerprint": place.fingerprint,
        **({"start": place.start, "end": place.end, "paragraph": place.paragraph} if place.end else {}),
        "words": shown.text[shown.start : shown.end] if shown else None,
        "sentence": shown.text if shown else None,
    }


def _print_head(console: Console, report: ShadowReport) -> None:
    shadow, counts = report.shadow, report.counts
    state = f"ended {shadow.ended:%Y-%m-%d %H:%M}: {shadow.reason}" if shadow.ended else "checks"
    console.print(
        f"[bold]Version {shadow.version}[/] in the shadow of version {shadow.champion}, {shadow.share:.0%} of the "
        f"documents since {shadow.started:%Y-%m-%d %H:%M} UTC; {state}",
        soft_wrap=True,
    )
    named = {state: counts.get(state, 0) for state in (CheckState.COMPARED, CheckState.WAITING)}
    others = {why: count for why, count in counts.items() if why not in named}
    said = ", ".join(f"{count} {state}" for state, count in (named | others).items())
    cap = f"{shadow.checks_a_day} articles" if shadow.budget is None else f"{shadow.budget:g}"
    cost = f"today {report.today.checks} articles, {report.today.calls} calls, {report.today.cost:.2f} of {cap}"
    in_all = f"in all {report.in_all.calls} calls, {report.in_all.cost:.2f}"
    console.print(f"{said}; {cost}; {in_all}", soft_wrap=True)
    if not shadow.ended and named[CheckState.WAITING] >= shadow.most_waiting:
        console.print(
            "As many wait as a day may check, so no more are sampled for now: a smaller --share fits the cap",
            style="yellow",
            soft_wrap=True,
        )


def _print_agreement(console: Console, found: Tally) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("guideline", "articles", "both", "only champion", "only challenger", "less / more", "finds less"):
        table.add_column(name, justify="left" if name == "guideline" else "right")
    for each in (each for each in found.guidelines if _has_found(each)):
        less = each.evidence.rejects(ALPHA, tests=len(found.guidelines))
        differs = each.only_champion + each.only_challenger > 0
        table.add_row(
            each.guideline,
            str(each.articles),
            str(each.both),
            Text(str(each.only_champion), STYLES[FoundBy.CHAMPION] if each.only_champion else ""),
            Text(str(each.only_challenger), STYLES[FoundBy.CHALLENGER] if each.only_challenger else ""),
            f"{each.evidence.less} / {each.evidence.more}",
            Text(f"yes, e = {each.evidence.highest:.3g}", "red") if less else f"e = {each.evidence.highest:.3g}",
            style="" if differs else "dim",
        )
    if table.row_count:
        console.print(table)
    if silent := len(found.guidelines) - table.row_count:
        console.print(f"By {silent} of {len(found.guidelines)} guidelines neither version found anything", style="dim")


def _has_found(each: Agreement) -> bool:
    return each.both + each.only_champion + each.only_challenger > 0


def _verdict(overall: Evidence) -> Text:
    on = f"on {overall.less} articles it found less, on {overall.more} more"
    if overall.rejects(ALPHA):
        return Text(f"It finds less than the champion (e = {overall.highest:.3g} >= {1 / ALPHA:g}): {on}.", "red")
    return Text(f"Nothing shows that it finds less (e = {overall.highest:.3g} < {1 / ALPHA:g}): {on}.")


def _print_disagreements(console: Console, report: ShadowReport) -> None:
    count = len(report.disagreements) + report.left
    legend = [Text(f"{MARKS[by]} only the {by}", STYLES[by]) for by in FoundBy]
    console.print()
    title = Text.assemble(("Disagreements to review", "bold"), f": {count}")
    console.print(Text("   ").join([title, *legend]), soft_wrap=True)
    width = max(len(name) for one in report.disagreements for name in _names(one))
    for job, some in groupby(report.disagreements, lambda one: one.job):
        console.print()
        compared = report.articles[job]
        found = _found(list(some), compared, width=width, plain=console.color_system is None)
        console.print(_article(compared.job), soft_wrap=True)
        console.print(Padding(found, (0, 0, 0, 2)))
    console.print()
    if report.left:
        console.print(f"{report.left} more: --all", style="dim")
    if any(one.found_by is FoundBy.CHAMPION for one in report.disagreements):
        hint = "Ask about one of the champion's: copydesk why JOB/FINDING. The challenger's are in no report."
        console.print(hint, style="dim", soft_wrap=True)


def _article(job: Job) -> Text:
    name = job.request.title or job.request.document_id
    facts = Text(f"job {job.id}, {job.submitted:%Y-%m-%d %H:%M} UTC", "dim")
    return Text("\n").join([Text(name, "bold"), facts]) if name else facts


def _names(one: Disagreement) -> list[str]:
    """The guideline, and what `copydesk why` takes."""
    return [one.guideline, *([one.place.fingerprint] if one.found_by is FoundBy.CHAMPION else [])]


def _found(some: Sequence[Disagreement], compared: Compared, *, width: int, plain: bool) -> Table:
    """A line each: whose it is, its names, the sentence."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, min_width=width)
    table.add_column(ratio=1, overflow="fold")
    for one in some:
        guideline, *fingerprint = _names(one)
        name = Text("\n").join([Text(guideline), *(Text(each, "dim") for each in fingerprint)])
        style = STYLES[one.found_by]
        table.add_row(Text(MARKS[one.found_by], f"bold {style}"), name, _words(one, compared, style, plain=plain))
    return table


def _words(one: Disagreement, compared: Compared, style: str, *, plain: bool) -> Text:
    shown, place = _excerpt(one, compared), one.place
    if shown is None:
        where = f": characters {place.start}-{place.end}, paragraph {place.paragraph + 1}" if place.end else ""
        return Text(f"({NOT_KEPT if place.end else NO_PLACE}{where})", "yellow")
    before, words, after = shown.text[: shown.start], shown.text[shown.start : shown.end], shown.text[shown.end :]
    marked = Text(f"[{words}]" if plain else words, f"underline {style}")
    return Text(end_of(before, CONTEXT_CHARACTERS)) + marked + Text(start_of(after, CONTEXT_CHARACTERS))


def _excerpt(one: Disagreement, compared: Compared) -> Excerpt | None:
    article, place = compared.article, one.place
    return excerpt(article, place) if article and 0 < place.end <= len(article.text) else None
