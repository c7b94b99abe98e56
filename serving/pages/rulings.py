"""What the gate ruled, in words and figures, for every page that tells of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from registry.statement import Kind
from serving.evidence import Evidence
from serving.pages import wording
from serving.pages.tables import Column, Linked, Row, Table, figure
from serving.ports.versions import GateDecisions, ServedVersion
from serving.rulings import SEPARATOR, GateDecision, Ground, OnGuideline, Quantity, Ruling

MOST_GROUNDS = 5  # that a short list shows
HUNDREDFOLD = {Quantity.RECALL_CHANGE, Quantity.RECALL, Quantity.FAILED}
CHANGES = {Quantity.RECALL_CHANGE, Quantity.ALARMS_CHANGE}
UNITS: Mapping[str, str] = {
    Quantity.RECALL_CHANGE: "points of recall gained",
    Quantity.ALARMS_CHANGE: "false alarms avoided in 1,000 words",
    Quantity.RECALL: "% of the labelled violations",
    Quantity.ALARMS: "false alarms in 1,000 words",
    Quantity.RATIO: "times the champion’s",
    Quantity.FAILED: "% of the checks",
}
LIMITS = {
    Quantity.RECALL_CHANGE: "margin",
    Quantity.ALARMS_CHANGE: "margin",
    Quantity.RECALL: "floor",
    Quantity.ALARMS: "ceiling",
    Quantity.RATIO: "limit",
    Quantity.FAILED: "limit",
}
SAID = {  # what follows a figure, what follows its interval, and digits
    Quantity.RECALL_CHANGE: (" points", " gained", 1),
    Quantity.ALARMS_CHANGE: ("", " avoided in 1,000 words", 2),
    Quantity.RECALL: (" %", "", 0),
    Quantity.ALARMS: ("", "", 2),
    Quantity.RATIO: (" times the champion’s", "", 2),
    Quantity.FAILED: (" %", " of the checks", 1),
}
HEADINGS = {
    "PROMOTE": "What carried it, the tightest first",
    "BLOCK": "What blocked it, the worst first",
    "INCONCLUSIVE": "What kept it open",
}
KINDS = {"worse": "worse", "drop within margin": "drop", "not enough data": "open", "no worse": "held"}  # classes
DID = {"for": "carried it", "against": "blocked it", "open": "kept it open", "note": "noted"}
TIERS = {
    "critical": "critical: must be no worse by itself",
    "supporting": "supporting: decides together with the others of its category",
    "advisory": "advisory: reported, and decides nothing",
}
NO_GATE = "Forced: no gate decided, so nothing was claimed of it."
NOT_TOLD = (
    "Its claims aren’t told here: a worker of this release tells of them once it serves the version. The decision in "
    "MLflow has them."
)

Titles = Callable[[str], str]  # of a guideline by its id


class Claimed(NamedTuple):
    """One thing that a decision rests on, as it is shown."""

    name: str  # empty: `said` is a sentence of its own
    verdict: str
    said: str
    kind: str  # class


class Decided(NamedTuple):
    """A decision as it is shown; without claims `why` says why there are none."""

    version: str
    against: str | None  # the champion's number, empty for one from files; None: there was none
    outcome: str
    labelled_set: str
    made: datetime
    run: Linked | str | None
    heading: str
    claims: tuple[Claimed, ...]
    why: str

    @property
    def first(self) -> tuple[Claimed, ...]:
        return self.claims[:MOST_GROUNDS]

    @property
    def rest(self) -> tuple[Claimed, ...]:
        return self.claims[MOST_GROUNDS:]


class Last(NamedTuple):
    """What a gate ruled of one guideline, the last time that it had to."""

    decided: Decided
    words: str
    kind: str
    claims: tuple[Claimed, ...]
    tier: str  # what that means for the decision


async def decisions_of(decisions: GateDecisions, versions: Sequence[ServedVersion]) -> dict[str, GateDecision]:
    """By version, of those that workers told of."""
    runs = {one.stamp.number: one.evidence.statement.run for one in versions if one.evidence}
    found = await decisions.of(runs.values())
    return {number: found[run] for number, run in runs.items() if run in found}


def shown(evidence: Evidence, decision: GateDecision | None, run: Linked | str | None, titles: Titles) -> Decided:
    """`run` leads to the decision in MLflow."""
    statement = evidence.statement
    claims = tuple(_claimed(ground, titles) for ground in decision.deciding) if decision else ()
    return Decided(
        version=str(statement.number),
        against=decision.against if decision else _against(evidence),
        outcome=decision.outcome if decision else statement.outcome,
        labelled_set=statement.labelled_set,
        made=decision.made or statement.made if decision else statement.made,
        run=run,
        heading=HEADINGS.get(decision.outcome, "What decided it") if decision else "",
        claims=claims,
        why="" if claims else NOT_TOLD if statement.run else NO_GATE,
    )


def last_on(
    guideline: str, told: Sequence[tuple[Evidence, GateDecision, Linked | str | None]], titles: Titles
) -> Last | None:
    """Of the newest decision that claimed something of the guideline; else of the newest that says why it didn't."""
    newest = sorted(told, key=lambda one: one[1].made or one[0].statement.made, reverse=True)
    said = [(one, found) for one in newest if (found := one[1].on(guideline))]
    if not said:
        return None
    (evidence, decision, run), found = next((one for one in said if one[1].rulings), said[0])
    return Last(
        shown(evidence, decision, run, titles),
        found.words,
        kind_of(found),
        tuple(_claimed(_ground(ruling), titles)._replace(name=ruling.measure) for ruling in found.rulings),
        TIERS.get(found.rulings[0].tier, found.rulings[0].tier) if found.rulings else "",
    )


def _against(evidence: Evidence) -> str | None:
    statement = evidence.statement
    return str(statement.champion or "") if statement.kind is Kind.GATE else None


def kind_of(found: OnGuideline) -> str:
    """The class of the gravest verdict; none where nothing was claimed."""
    kinds = {KINDS.get(ruling.verdict, "") for ruling in found.rulings}
    return next((kind for kind in KINDS.values() if kind in kinds), "")


def lines_of(found: OnGuideline) -> list[tuple[str, str]]:
    """For a chart: what is said, and its class; of two measures that differ a line each."""
    if len({ruling.verdict for ruling in found.rulings}) < 2:
        return [(found.words.partition(":")[0], kind_of(found))]
    return [(f"{ruling.measure} {ruling.verdict}", KINDS.get(ruling.verdict, "")) for ruling in found.rulings]


def ruling_table(told: Sequence[tuple[str, GateDecision]], titles: Titles) -> Table:
    """Every claim of the decisions about these versions."""
    columns = (
        Column("version", "Version"),
        Column("claim", "Claim", prose=True),
        Column("id", "Of"),
        Column("tier", "Tier"),
        Column("ruling", "Ruling"),
        Column("did", "In the decision"),
        figure("estimate", "Estimate", lambda value: wording.interval(value, 2)),
        Column("unit", "Unit"),
        Column("limit", "Margin, floor or limit", wording.decimal, numeric=True),
        Column("missing_groups", "Labelled groups missing", wording.whole, numeric=True),
    )
    rows = [row for number, decision in told for row in _rows(number, decision, titles)]
    return Table("rulings", "What the gate claimed, claim by claim", columns, tuple(rows))


def _rows(version: str, decision: GateDecision, titles: Titles) -> list[Row]:
    of = {ruling.name: ruling for ruling in decision.rulings}
    # A floor has the name of the claim on the same figure: what is meant says the quantity.
    others = (ground for ground in decision.grounds if ground.name not in of or ground.quantity not in CHANGES)
    grounds = [*map(_ground, of.values()), *others]
    rows = list[Row]()
    for ground in grounds:
        if not ground.name:
            continue
        ruling = of.get(ground.name) if ground.quantity in CHANGES else None
        subject = ground.name.partition(SEPARATOR)[0]
        scaled = _scaled(ground)
        rows.append(
            {
                "version": version,
                "claim": _title(ground.name, titles),
                "id": subject,
                "tier": ruling.tier if ruling else None,
                "ruling": ground.verdict,
                "did": DID.get(ground.weight, "nothing"),
                "estimate": scaled.figure,
                "unit": UNITS.get(ground.quantity),
                "limit": scaled.limit,
                "missing_groups": ruling.missing_groups if ruling else None,
            }
        )
    return rows


def _ground(ruling: Ruling) -> Ground:
    return Ground(
        weight=ruling.weight,
        text="",
        name=ruling.name,
        verdict=ruling.verdict,
        quantity=Quantity.RECALL_CHANGE if ruling.measure == "recall" else Quantity.ALARMS_CHANGE,
        value=ruling.change,
        low=ruling.low,
        high=ruling.high,
        limit=ruling.margin,
    )


def _claimed(ground: Ground, titles: Titles) -> Claimed:
    kind = KINDS.get(ground.verdict, "held" if ground.weight == "for" else "")
    if not ground.name or ground.quantity not in set(Quantity):
        return Claimed("", "", ground.text, kind)
    return Claimed(_title(ground.name, titles), ground.verdict, _in_figures(ground), kind)


def _in_figures(ground: Ground) -> str:
    """+1.2 points (−3.0 to +5.4) gained, margin 10.0 points"""
    if ground.value is None:
        return "nothing is labelled"
    quantity, scaled = Quantity(ground.quantity), _scaled(ground)
    unit, after, digits = SAID[quantity]
    show = wording.change_interval if quantity in CHANGES else wording.interval
    number, separator, ends = show(scaled.figure, digits).partition(" ")
    limit = f"{LIMITS[quantity]} {wording.decimal(scaled.limit, digits)}{'' if quantity is Quantity.RATIO else unit}"
    return f"{number}{unit}{separator}{ends}{after}, {limit}"


def _scaled(ground: Ground) -> Ground:
    """Parts as hundredths."""
    if ground.quantity not in HUNDREDFOLD:
        return ground
    keys = ("value", "low", "high", "limit")
    return ground.model_copy(update={key: _hundredfold(getattr(ground, key)) for key in keys})


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _title(name: str, titles: Titles) -> str:
    """The guideline's title in its id's place."""
    subject, separator, rest = name.partition(SEPARATOR)
    return f"{titles(subject)}{separator}{rest}"
