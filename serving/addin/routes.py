"""The editor page at `/`, the task pane that Word opens, and what installs it."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response

from serving.access.caller import Permission
from serving.addin.manifests import icons, listing, packaged, xml_manifest
from serving.addin.place import OFFICE, Place
from serving.pages.layout import PAGES
from serving.pages.rendering import ASK_EACH_TIME, HEADERS, answered, render

A_DAY = "public, max-age=86400"  # Office refuses icons that may not be kept

router = APIRouter(include_in_schema=False)

IfNoneMatch = Annotated[str, Header()]


async def place(request: Request) -> Place:
    """The place of the application that answers."""
    found: Place = request.app.state.place
    return found


Here = Annotated[Place, Depends(place)]


@router.get("/")
async def editor_page(here: Here, if_none_match: IfNoneMatch = "") -> Response:
    body = render(
        "editor.html", signs_in=here.signs_in, pages=[one for one in PAGES if one[2] is not Permission.ADMINISTER]
    )
    page = answered(body, policy=here.page_policy(), if_none_match=if_none_match)
    page.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return page


@router.get("/addin/taskpane.html")
async def task_pane(here: Here, if_none_match: IfNoneMatch = "") -> Response:
    body = render("taskpane.html", office=f"{OFFICE}/lib/1/hosted/office.js", signs_in=here.signs_in)
    return answered(body, policy=here.word_policy(), if_none_match=if_none_match)


@router.get("/addin/help.html")
async def help_page(here: Here, if_none_match: IfNoneMatch = "") -> Response:
    return answered(render("help.html"), policy=here.page_policy(), if_none_match=if_none_match)


@router.get("/addin/settings.json")
async def settings(here: Here) -> Response:
    """How the pane signs in."""
    return JSONResponse(here.settings(), headers={**HEADERS, "Cache-Control": ASK_EACH_TIME})


@router.get("/addin/manifest.xml")
async def manifest(here: Here) -> Response:
    """For Word without Microsoft 365, the iPad, a catalogue in SharePoint."""
    body = xml_manifest(listing(here, version("copydesk")))
    return Response(body, media_type="application/xml", headers={**HEADERS, "Cache-Control": ASK_EACH_TIME})


@router.get("/addin/manifest.zip")
async def package(here: Here) -> Response:
    """For the Microsoft 365 admin centre."""
    body = packaged(listing(here, version("copydesk")))
    return Response(body, media_type="application/zip", headers={**HEADERS, "Cache-Control": ASK_EACH_TIME})


@router.get("/addin/icons/{name}")
async def icon(name: str) -> Response:
    body = icons().get(name)
    if body is None:
        return Response(f"There is no icon {name!r} here.", status_code=404, media_type="text/plain")
    return Response(body, media_type="image/png", headers={"Cache-Control": A_DAY, "X-Content-Type-Options": "nosniff"})
