"""The page for people, and the files it links to. It works without any script."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import health, render
from api.chart import HEIGHT, LEFT, RIGHT, WIDTH, chart
from api.deps import NowDep, StoreDep, TrailsDep
from api.lookup import TrailLookup
from api.moments import duration
from api.problems import RETRY_SECONDS
from api.timeline import timeline
from api.translate import severity_word
from stores import contract
from stores.contract import Dimension
from trailhound import __version__
from trailhound.errors import StoreError, TrailSetError

router = APIRouter(include_in_schema=False)
PeriodName = Literal["1h", "24h", "7d", "30d", "all"]
PERIODS: Mapping[PeriodName, str] = {
    "1h": "last hour",
    "24h": "last 24 hours",
    "7d": "last 7 days",
    "30d": "last 30 days",
    "all": "all time",
}
SHOWN_THREATS = 50


@router.get("/", response_class=HTMLResponse)
def get_page(
    request: Request,
    store: StoreDep,
    trails: TrailsDep,
    now: NowDep,
    period: Annotated[PeriodName, Query()] = "24h",
    refresh: Annotated[Literal["on", "off"], Query()] = "on",
) -> HTMLResponse:
    """Show totals, the timeline and the riskiest threats of a period."""
    templates = request.app.state.templates
    shared = {"period": period, "periods": PERIODS, "refresh": refresh == "on", "version": __version__}
    try:
        view = _view(store, trails, period, now)
    except StoreError:
        page = templates.get_template("unavailable.html").render(shared)
        return HTMLResponse(page, status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})
    return HTMLResponse(templates.get_template("overview.html").render(shared | view))


def _view(store: contract.Store, trails: TrailLookup, period: PeriodName, now: int) -> dict[str, Any]:
    query = contract.Query() if period == "all" else contract.Query(since=max(0, now - duration(period)), until=now)
    page = store.threats(query, limit=SHOWN_THREATS)
    return {
        "summary": store.summary(query),
        "chart": chart(timeline(store, query, Dimension.GROUP, now=now)),
        "size": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT},
        "threats": [(threat, severity_word(threat.severity)) for threat in page.threats],
        "total": page.total,
        "reasons": health.reasons(store, now),
        "trails": _trails(trails),
        "now": now,
    }


def _trails(trails: TrailLookup) -> int | None:
    try:
        return trails.info().trails
    except TrailSetError:
        return None


@router.get("/static/{name}")
def get_asset(name: str) -> Response:
    """Give a file that the page links to; its address names its content, so it may be kept for ever."""
    try:
        content = render.asset(name)
    except KeyError:
        raise HTTPException(404) from None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=render.ASSETS[name], headers=headers)
