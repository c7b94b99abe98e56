"""A report on a terminal, as an editor would want to read it."""

from collections import Counter

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from agent.article import PLACEHOLDER, Article
from agent.check import Verdict
from agent.finding import Finding, Method, Severity
from agent.report import ComplianceReport, ReportStatus
from agent.score import Band
from pipelines.output.sheet import Checked, Sheet, Unreadable

STYLES = {Severity.BREACH: "bold red", Severity.WARNING: "yellow", Severity.ADVICE: "cyan"}
BANDS = {Band.GREEN: "bold green", Band.AMBER: "bold yellow", Band.RED: "bold red"}
CONTEXT_CHARACTERS = 60
_HOW: dict[str, str] = {
    Method.MODEL: "by the model",
    Method.PATTERN: "by patterns",
    Method.FALLBACK: "by fallback patterns",
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.FAILED: "failed",
    Verdict.NOT_CHECKED: "not checked",
}


def print_sheets(console: Console, sheets: list[Sheet]) -> None:
    for sheet in sheets:
        console.print(_sheet(sheet))
    if len(sheets) > 1:
        console.print(_summary(sheets))


def _sheet(sheet: Sheet) -> RenderableType:
    if isinstance(sheet, Unreadable):
        return Group(_heading(sheet.name, Text("not checked", "bold red")), Text(str(sheet.error)), Text())
    titles = {outcome.guideline: outcome.title for outcome in sheet.report.outcomes}
    findings = [_finding(finding, sheet.article, titles[finding.guideline]) for finding in sheet.report.findings]
    parts: list[RenderableType] = [_heading(sheet.name, _score(sheet.report)), _facts(sheet.report)]
    parts += [_gap(*gap) for gap in _gaps(sheet.report)]
    parts += [Text(f"! {remark}", "yellow") for remark in sheet.report.remarks]
    parts += [Text(), *(findings or [Text("Nothing to fix.", "green"), Text()])]
    if sheet.report.score and sheet.report.score.contributions:
        parts += [_contributions(sheet.report, titles), Text()]
    return Group(*parts)


def _heading(name: str, right: Text) -> RenderableType:
    line = Table.grid(expand=True, padding=(0, 2, 0, 0))
    line.add_column(overflow="fold", ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(Text(name, "bold"), right)
    return Group(line, Rule(style="dim"))


def _score(report: ComplianceReport) -> Text:
    if report.score is None or report.band is None:
        return Text("no score: nothing could be checked", "bold red")
    partial = " · partial" if report.status is ReportStatus.PARTIAL else ""
    return Text(f"{report.score.value} of 100 · {report.band}{partial}", BANDS[report.band])


def _facts(report: ComplianceReport) -> Text:
    counts = [_counted(count, severity) for severity, count in report.by_severity().items() if count]
    methods = Counter(outcome.method or outcome.verdict for outcome in report.outcomes)
    how = ", ".join(f"{count} {_HOW.get(method, method)}" for method, count in methods.items())
    if len(methods) == 1:
        how = f"all {how.partition(' ')[2]}"
    version = f"version {report.version.number}" if report.version.number else f"pack {report.version.pack}"
    evidence = f", {report.version.evidence}" if report.version.evidence else ""
    facts = [
        f"{report.article.words:,} words",
        f"{len(report.outcomes)} {'guideline' if len(report.outcomes) == 1 else 'guidelines'} ({how})",
        f"{version}{evidence}",
    ]
    spent = _spent(report)
    counted = ", ".join(counts) if counts else "no findings"
    return Text("\n".join(filter(None, (" · ".join(facts), spent))), "dim") + Text(f"\n{counted}")


def _spent(report: ComplianceReport) -> str:
    """What the model was asked, and what that cost; nothing where none was asked."""
    usage = report.usage
    facts = []
    if usage.calls or usage.retries:
        tried_again = f" and {usage.retries} tried again" if usage.retries else ""
        cached = f" ({usage.cached_tokens:,} cached by the provider)" if usage.cached_tokens else ""
        facts.append(f"{usage.calls} calls to the model{tried_again}")
        facts.append(f"{usage.input_tokens:,} tokens in{cached}, {usage.output_tokens:,} out")
        facts.append("cost unknown: no price is set" if usage.cost is None else f"cost {usage.cost:.4f}")
    if report.unanchored:
        facts.append(f"{report.unanchored} quoted words that are not in the article, left out")
    if report.kept:
        facts.append(f"{report.kept:,} verdicts on paragraphs kept from earlier checks")
    return " · ".join(facts)


def _counted(count: int, severity: Severity) -> str:
    plural = {Severity.BREACH: "breaches", Severity.WARNING: "warnings", Severity.ADVICE: "pieces of advice"}
    singular = {Severity.ADVICE: "piece of advice"}
    return f"{count} {singular.get(severity, severity) if count == 1 else plural[severity]}"


def _gaps(report: ComplianceReport) -> list[tuple[str, list[str]]]:
    """Reasons why guidelines weren't checked as the version says, each with the titles it holds for."""
    reasons: dict[str, list[str]] = {}
    for outcome in report.unchecked:
        how = "checked by fallback" if outcome.method else outcome.verdict.replace("_", " ")
        reasons.setdefault(f"{how}: {outcome.reason}", []).append(outcome.title)
    return list(reasons.items())


def _gap(reason: str, titles: list[str]) -> Text:
    return Text(f"! {', '.join(titles)}: {reason}", "yellow")


def _finding(finding: Finding, article: Article, title: str) -> RenderableType:
    location = article.locate(finding.start)
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=8)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    where = Text(f"{location.line}:{location.column}", "dim")
    grid.add_row(Text(finding.severity, STYLES[finding.severity]), Text(title, "bold"), where)
    grid.add_row("", _in_context(finding, article), "")
    grid.add_row("", Text(finding.message), "")
    if finding.suggestions:
        grid.add_row("", Text("Suggested: ", "dim") + Text(" or ".join(finding.suggestions), "green"), "")
    return Padding(grid, (0, 0, 1, 0))


def _in_context(finding: Finding, article: Article) -> Text:
    paragraph = article.paragraph_at(finding.start)
    start = max(paragraph.start, finding.start - CONTEXT_CHARACTERS)
    end = min(max(paragraph.end, finding.end), finding.end + CONTEXT_CHARACTERS)
    before, after = article.text[start : finding.start], article.text[finding.end : end]
    if start > paragraph.start:
        before = "…" + before.partition(" ")[2]
    if end < paragraph.end:
        after = after.rpartition(" ")[0] + " …"
    quote = Text(finding.quote, f"underline {STYLES[finding.severity]}")
    return Text(_readable(before), "dim") + quote + Text(_readable(after), "dim")


def _readable(text: str) -> str:
    """Names what stands for inline code and other things that are no text."""
    return text.replace(PLACEHOLDER, "[code]")


def _contributions(report: ComplianceReport, titles: dict[str, str]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", title="What the score is made of", title_justify="left")
    table.title_style = "bold"
    table.add_column("guideline")
    table.add_column("findings", justify="right")
    table.add_column("points", justify="right")
    for part in report.score.contributions if report.score else ():
        table.add_row(titles[part.guideline], str(part.findings), f"-{part.points}")
    if report.score:
        lowest = f"average of the guidelines {report.score.average}, lowest {report.score.minimum}"
        table.add_section()
        table.add_row(Text(f"left of 100 ({lowest})", "dim"), "", Text(str(report.score.value), "bold"))
    return table


def _summary(sheets: list[Sheet]) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", title=f"{len(sheets)} articles", title_justify="left")
    table.title_style = "bold"
    table.add_column("article", overflow="fold")
    for name in ("score", "breach", "warning", "advice"):
        table.add_column(name, justify="right")
    for sheet in sheets:
        if isinstance(sheet, Checked):
            counts = [str(count or "") for count in sheet.report.by_severity().values()]
            score = sheet.report.score
            table.add_row(sheet.name, str(score.value) if score else "none", *counts)
        else:
            table.add_row(sheet.name, Text("error", "red"), "", "", "")
    return table
