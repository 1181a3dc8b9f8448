"""The page for people, and the files it links to. It works without any script."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import health, hosts, render
from api.access.guarding import CallerDep, needs, public
from api.access.principal import Scope
from api.chart import HEIGHT, LEFT, RIGHT, WIDTH, chart
from api.deps import DeskDep, FeedsDep, NowDep, SettingsDep, StoreDep, TrailsDep, TroubleDep
from api.lookup import TrailLookup
from api.moments import duration
from api.problems import RETRY_SECONDS
from api.timeline import timeline
from api.translate import sensor, severity_word
from feeds.status import Status, Statuses
from stores import contract
from stores.contract import Dimension
from trailhound import __version__
from trailhound.errors import StoreError, TrailhoundError, TrailSetError
from trailhound.record import MICROSECONDS

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
SHOWN_HOSTS = 10
SHOWN_LOGS = 100


@router.get("/", response_class=HTMLResponse, dependencies=[needs(Scope.READ, page=True)])
def get_page(
    request: Request,
    store: StoreDep,
    desk: DeskDep,
    settings: SettingsDep,
    trails: TrailsDep,
    now: NowDep,
    trouble: TroubleDep,
    feeds: FeedsDep,
    caller: CallerDep,
    period: Annotated[PeriodName, Query()] = "24h",
    refresh: Annotated[Literal["on", "off"], Query()] = "on",
) -> HTMLResponse:
    """Show totals, the timeline, the hosts at the highest risk and the riskiest threats of a period."""
    templates = request.app.state.templates
    shared: dict[str, Any] = {"period": period, "periods": PERIODS, "refresh": refresh == "on", "version": __version__}
    shared |= {"session": caller.session}
    try:
        query = _query(period, now)
        whole = query if query.since is not None else replace(query, since=0)
        at_risk = hosts.hosts(store, desk, settings, whole, now=now, limit=SHOWN_HOSTS)
        view = _view(store, trails, query, now) | _hosts(at_risk) | _state(store, now, trouble, feeds)
    except StoreError:
        page = templates.get_template("unavailable.html").render(shared)
        return HTMLResponse(page, status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})
    return HTMLResponse(templates.get_template("overview.html").render(shared | view))


def _query(period: PeriodName, now: int) -> contract.Query:
    return contract.Query() if period == "all" else contract.Query(since=max(0, now - duration(period)), until=now)


def _hosts(page: hosts.HostPage) -> dict[str, Any]:
    shown = [
        (one, severity_word(one.severity), [part.tactic for part in one.parts if part.tactic is not None])
        for one in page.hosts
        if one.severity is not None
    ]
    return {"hosts": shown, "total_hosts": page.total}


def _view(store: contract.Store, trails: TrailLookup, query: contract.Query, now: int) -> dict[str, Any]:
    page = store.threats(query, limit=SHOWN_THREATS)
    return {
        "summary": store.summary(query),
        "chart": chart(timeline(store, query, Dimension.GROUP, now=now)),
        "size": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT},
        "threats": [(threat, severity_word(threat.severity)) for threat in page.threats],
        "total": page.total,
        "trails": _trails(trails),
        "now": now,
    }


def _state(store: contract.Store, now: int, trouble: str | None, feeds: Statuses) -> dict[str, Any]:
    found = health.health(store, now, trouble, feeds.now)
    logs = sorted(store.sensors(), key=lambda status: (status.problem is None, status.warning is None))
    return {
        "reasons": found.reasons,
        "warnings": found.warnings,
        "logs": [(status, sensor(status, now)) for status in logs[:SHOWN_LOGS]],
        "total_logs": len(logs),
        "feeds": _feeds(feeds, now // MICROSECONDS),
    }


def _feeds(feeds: Statuses, seconds: int) -> list[tuple[Status, int | None, str]]:
    """Give the feeds that are on and were ever tried, with age in seconds and state, those in trouble first."""
    try:
        found = [status for status in feeds.now() if status.enabled and status.tried]
    except TrailhoundError:
        return []  # It is among the warnings.
    shown = sorted(found, key=lambda status: (not status.stale(seconds), not status.error))
    return [(status, status.age(seconds), "old" if status.stale(seconds) else "well") for status in shown]


def _trails(trails: TrailLookup) -> int | None:
    try:
        return trails.info().trails
    except TrailSetError:
        return None


@router.get("/static/{name}", dependencies=[public()])
def get_asset(name: str) -> Response:
    """Give a file that the page links to; its address names its content, so it may be kept for ever."""
    try:
        content = render.asset(name)
    except KeyError:
        raise HTTPException(404) from None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=render.ASSETS[name], headers=headers)
