"""`/promotions`: when which version became champion, and what stands behind it."""

from typing import NamedTuple

from fastapi import APIRouter, Response

from registry.statement import Kind, Promotion
from serving.evidence import Evidence
from serving.pages.layout import PageRoute, page
from serving.pages.links import run_link
from serving.pages.rulings import Decided, decisions_of, shown
from serving.pages.run_tables import title_of
from serving.pages.visitor import Use, Visitor
from serving.ports.versions import ServedVersion

KINDS = {
    Kind.GATE: "Passed the gate",
    Kind.FIRST: "First champion, held to the floors: there was none to compare it with",
    Kind.FORCED: "Forced: no gate said that it may serve",
    Kind.ROLLBACK: "Rolled back to",
}

router = APIRouter(include_in_schema=False, route_class=PageRoute)


class Entry(NamedTuple):
    """One promotion."""

    version: ServedVersion
    evidence: Evidence
    promotion: Promotion
    title: str
    decided: Decided


@router.get("/promotions")
async def promotions_page(use: Use, caller: Visitor) -> Response:
    versions = await use.versions.all()
    decisions = await decisions_of(use.decisions, versions)
    entries = [
        Entry(
            version,
            version.evidence,
            version.evidence.promotion,
            _title(version.evidence.promotion),
            shown(
                version.evidence,
                decisions.get(version.stamp.number),
                run_link(version.evidence.statement.run, use.settings.mlflow_public_url),
                lambda id: title_of(versions, id),
            ),
        )
        for version in versions
        if version.evidence and version.evidence.promotion
    ]
    entries.sort(key=lambda entry: entry.promotion.at, reverse=True)
    silent = sorted(version.stamp.number for version in versions if version.evidence is None)
    tried = sorted(version.stamp.number for version in versions if version.evidence and not version.evidence.promotion)
    return page(
        "promotions.html",
        caller,
        here="/promotions",
        entries=entries,
        silent=silent,
        tried=tried,
        served=bool(versions),
    )


def _title(promotion: Promotion) -> str:
    if promotion.is_ungated and promotion.kind is not Kind.FORCED:
        return f"{KINDS[promotion.kind]}, and no gate said that it may serve"
    return KINDS[promotion.kind]
