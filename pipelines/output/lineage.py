"""Where a finding comes from, on a terminal: a chain, link by link, from the words to what editors said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.rule import Rule
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from agent.finding import Method
from pipelines.output.surroundings import end_of, start_of
from pipelines.output.text import CONTEXT_CHARACTERS, STYLES
from serving.evidence import Figure
from serving.feedback import Action
from serving.job import Job
from serving.lineage import Lineage, Said
from serving.model_change import named
from serving.rulings import Ruling

if TYPE_CHECKING:
    from pipelines.why import InMlflow

LABEL_WIDTH = 12
WHEN = "%Y-%m-%d %H:%M UTC"
GOOD, MISSING, LOUD = "green", "yellow", "bold red"
_HOW = {
    Method.MODEL: "a language model read it",
    Method.PATTERN: "patterns",
    Method.FALLBACK: "fallback patterns, because the version's model was down",
}
_SAID = {Action.ACCEPT: "accepted", Action.DISMISS: "dismissed", Action.UNDO: "taken back"}


@dataclass(frozen=True)
class Link:
    """One link of the chain: a bullet in its colour, its name, and lines that say it."""

    name: str
    lines: tuple[Text, ...]
    style: str = GOOD
    last: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        body = Text("\n").join(self.lines)
        bullet, dim, name = Style.parse(self.style), Style.parse("dim"), Style.parse("bold")
        lines = console.render_lines(body, options.update(width=options.max_width - LABEL_WIDTH - 2), pad=False)
        for number, line in enumerate(lines):
            yield Segment("● ", bullet) if number == 0 else Segment("  " if self.last else "│ ", dim)
            yield Segment((self.name if number == 0 else "").ljust(LABEL_WIDTH), name)
            yield from line
            yield Segment.line()
        if not self.last:
            yield Segment("│", dim)
            yield Segment.line()


def print_lineage(console: Console, lineage: Lineage, logged: "InMlflow", others: Sequence[Job]) -> None:
    console.print(_heading(lineage))
    console.print(Rule(style="dim"))
    if others:
        first = f"the same finding stands in {len(others)} other {'check' if len(others) == 1 else 'checks'}"
        console.print(Text(f"The newest check; {first}, such as {others[0].id}/{lineage.finding}", "dim"))
    console.print()
    for link in links(lineage, logged):
        console.print(link)


def links(lineage: Lineage, logged: "InMlflow") -> list[Link]:
    return [
        _words(lineage),
        _rule(lineage),
        _judged(lineage),
        _version(lineage),
        _evaluation(lineage),
        _decision(lineage),
        _promotion(lineage),
        _mlflow(lineage, logged),
        _editors(lineage),
    ]


def _heading(lineage: Lineage) -> Table:
    line = Table.grid(expand=True, padding=(0, 2, 0, 0))
    line.add_column(overflow="fold", ratio=1)
    line.add_column(justify="right", no_wrap=True)
    words = lineage.words
    line.add_row(Text(f"Why “{' '.join(words.quote.split())}”?", "bold"), Text(words.severity, STYLES[words.severity]))
    return line


def _words(lineage: Lineage) -> Link:
    words = lineage.words
    article = f" of “{lineage.title}”" if lineage.title else ""
    document = f", document {lineage.document_id}" if lineage.document_id else ""
    where = f"paragraph {words.paragraph + 1}{article}, characters {words.start}-{words.end}"
    lines = [_in_context(lineage), Text(words.message)]
    if words.suggestions:
        lines.append(Text("Suggested: ", "dim") + Text(" or ".join(words.suggestions), "green"))
    lines += [Text(where, "dim"), Text(f"job {lineage.job_id}{document}, finding {lineage.finding}", "dim")]
    return Link("words", tuple(lines), GOOD if words.passage is not None else MISSING)


def _in_context(lineage: Lineage) -> Text:
    words = lineage.words
    quote = Text(words.quote, f"underline {STYLES[words.severity]}")
    if words.passage is None:
        return quote + Text("  (the article is no longer kept)", MISSING)
    end = words.at + len(words.quote)
    before = end_of(words.passage[: words.at], CONTEXT_CHARACTERS)
    after = start_of(words.passage[end:], CONTEXT_CHARACTERS)
    return Text(before, "dim") + quote + Text(after, "dim")


def _rule(lineage: Lineage) -> Link:
    rule = lineage.rule
    lines = [Text(rule.title) + Text(f" · {rule.guideline}", "dim")]
    if rule.digest is None:
        return Link("guideline", (*lines, Text("as it was then is not known here any more", MISSING)), MISSING)
    prompt = rule.prompt.removeprefix("prompts:/").rpartition("/") if rule.prompt else None
    kept = f"prompt {prompt[0]}, version {prompt[2]}" if prompt else "patterns, no prompt"
    return Link("guideline", (*lines, Text(f"{kept} · digest {rule.digest[:12]} · each {rule.scope}", "dim")))


def _judged(lineage: Lineage) -> Link:
    judged = lineage.judged
    by_design = judged.method is Method.PATTERN and judged.model is None
    lines = [Text(_HOW[judged.method] + (": the version declares no model" if by_design else ""))]
    if judged.reason:
        lines.append(Text(judged.reason, MISSING))
    if judged.model:
        sampling = f"temperature {judged.model.temperature}, seed {judged.model.seed}"
        lines.append(Text(f"deployment {judged.model.deployment} · {sampling}", "dim"))
    if judged.answered_by:
        lines.append(Text(f"answered by {', '.join(map(named, judged.answered_by))}"))
    elif judged.method is Method.MODEL:
        lines.append(Text("kept from an earlier check; what answered then was not", MISSING))
    return Link("method", tuple(lines), MISSING if judged.method is Method.FALLBACK else GOOD)


def _version(lineage: Lineage) -> Link:
    version = lineage.version
    name = f"version {version.number} of {version.name}" if version.number else f"pack {version.pack} from files"
    digests = f"digest {version.digest[:12]} · code {version.code_digest[:12]} · pack {version.pack}"
    return Link("agent", (Text(name), Text(f"{digests} {version.pack_digest[:12]}", "dim")))


def _evaluation(lineage: Lineage) -> Link:
    measured, promoted = lineage.measured, lineage.promoted
    if measured is None:
        why = "not known here" if promoted is None else f"none: {_forced(lineage)}"
        return Link("evaluation", (Text(why, MISSING),), MISSING)
    lines = []
    if measured.precision is None or measured.recall is None:
        lines.append(Text(f"no figures for {lineage.rule.guideline}", MISSING))
    else:
        labelled = f" on {measured.labelled:g} labelled violations" if measured.labelled is not None else ""
        lines.append(Text(f"precision {_figure(measured.precision)}, recall {_figure(measured.recall)}{labelled}"))
    run = f" · MLflow run {measured.evaluation}" if measured.evaluation else ""
    lines.append(Text(f"{measured.labelled_set}{run}", "dim"))
    if measured.answered_by:
        lines.append(Text(f"answered by {', '.join(map(named, measured.answered_by))}", "dim"))
    if lineage.noted:
        lines.append(Text(f"since then also by {', '.join(map(named, lineage.noted))}", MISSING))
    if lineage.expired:
        lines.append(Text(f"EXPIRED since {lineage.expired.since:{WHEN}}: {lineage.expired.reason}", LOUD))
    return Link("evaluation", tuple(lines), LOUD if lineage.expired else GOOD)


def _decision(lineage: Lineage) -> Link:
    decided = lineage.decided
    if decided is None:
        why = "not known here" if lineage.promoted is None else "none: no gate said that it may serve"
        return Link("decision", (Text(why, MISSING),), MISSING)
    against = ", the first champion, held to the floors" if decided.first else ""
    if decided.against:
        against = f", against version {decided.against}"
    people = f", approved by {', '.join(decided.approved_by)}" if decided.approved_by else ""
    lines = [Text(decided.outcome, "bold green") + Text(against)]
    if decided.ruling is not None:
        lines.append(Text(f"{lineage.rule.guideline}: {decided.ruling}") + Text(_changes(decided.rulings), "dim"))
    lines += [
        Text(f"by {decided.who}{people}, {decided.at:{WHEN}}"),
        Text(f"policy {decided.policy} · set {decided.set_digest[:12]} · MLflow run {decided.run}", "dim"),
    ]
    return Link("decision", tuple(lines))


def _changes(rulings: Sequence[Ruling]) -> str:
    """Each in the unit of its figure; more is better."""
    each = [f"{ruling.measure} {_figure(ruling.figure)}, margin {ruling.margin:g}" for ruling in rulings]
    return f" (change of {'; of '.join(each)})" if each else ""


def _promotion(lineage: Lineage) -> Link:
    promoted = lineage.promoted
    if promoted is None:
        return Link("promotion", (Text(lineage.version.evidence or "never promoted", MISSING),), MISSING)
    when = f"{promoted.at:{WHEN}} by {promoted.who}"
    before = f", after version {promoted.previous}" if promoted.previous else ", the first champion"
    lines = [Text(f"{promoted.kind}, {when}{before}")]
    if promoted.ungated:
        lines = [Text(f"FORCED, {when}{before}", LOUD), Text(promoted.evidence.partition(": ")[2], "red")]
    elif promoted.reason:
        lines.append(Text(promoted.reason))
    lines.append(Text(f"record {promoted.record}, signed with key {promoted.signer}", "dim"))
    if not promoted.same_record:
        lines.append(Text(f"checked under an earlier promotion, record {lineage.version.record}", MISSING))
    return Link("promotion", tuple(lines), LOUD if promoted.ungated else GOOD)


def _mlflow(lineage: Lineage, logged: "InMlflow") -> Link:
    run = logged.run or lineage.run
    if not run:
        return Link("MLflow", (Text(logged.fault or "no run yet", MISSING),), MISSING)
    lines = [Text(f"run {run}"), *([Text(logged.run_page, "dim")] if logged.run_page else [])]
    if logged.fault:
        lines.append(Text(logged.fault, MISSING))
    elif logged.trace:
        lines += [Text(f"trace {logged.trace}"), *([Text(logged.trace_page, "dim")] if logged.trace_page else [])]
    else:
        lines.append(Text("no trace: COPYDESK_MLFLOW_TRACE_RATE says how many jobs get one", "dim"))
    return Link("MLflow", tuple(lines))


def _editors(lineage: Lineage) -> Link:
    lines = tuple(map(_entry, lineage.feedback)) or (Text("nothing yet", "dim"),)
    return Link("editors", lines, last=True)


def _entry(said: Said) -> Text:
    reason = f", {said.reason}" if said.reason else ""
    comment = f": {said.comment}" if said.comment else ""
    state = f" ({said.state})" if said.action is Action.DISMISS and said.state != "dismissed" else ""
    return Text(f"{_SAID[said.action]}{reason}{state} by {said.who}, {said.at:{WHEN}}{comment}")


def _forced(lineage: Lineage) -> str:
    return next((gap.partition(": ")[2] for gap in lineage.gaps if "without an evaluation" in gap), "forced")


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return "undefined"
    interval = f" [{figure.low:.2f}, {figure.high:.2f}]" if figure.low is not None and figure.high is not None else ""
    return f"{figure.value:.2f}{interval}"
