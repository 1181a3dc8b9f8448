"""The application: settings, a store and a trail set go in, an ASGI application comes out."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import render
from api.access import guarding
from api.access.accounts import Accounts, Lasting
from api.access.entry import Entry
from api.access.failures import Failures
from api.access.gate import Gate
from api.access.pace import Pace
from api.access.proxies import Proxies
from api.by_country import CountryCounts
from api.countries import Countries
from api.declared import declare
from api.deps import refuse_unknown
from api.guard import Guard
from api.handed import HandedSets
from api.headers import SecurityHeaders
from api.health import Trouble, untroubled
from api.lists.bouncers import Bouncers
from api.lists.kept import BlockLists
from api.lookup import TrailLookup
from api.moments import Clock, wall_clock
from api.problems import MEDIA_TYPE, Problem, add_handlers
from api.routes import (
    accounts,
    audit,
    cleared,
    countries,
    crowdsec,
    custom,
    decisions,
    document,
    events,
    exceptions,
    feeds,
    handing,
    health,
    hosts,
    lists,
    lookup,
    metrics,
    observables,
    outbox,
    pages,
    related,
    sensors,
    session,
    sources,
    stream,
    summary,
    taxii,
    threats,
    trails,
    triage,
)
from api.sending.outbox import Outbox, outbox_path
from api.streams import Streams
from feeds.status import Statuses
from stores.contract import Store
from stores.desk import Desk, open_desk
from stores.observables import FILE, ObservableMemory
from trailhound import __version__
from trailhound.settings import Settings

API_PREFIX = "/api/v1"
_DESCRIPTION = (
    "What Trailhound found in the logs of Zeek and Suricata. All routes are read with GET or HEAD. Every error is a "
    "problem document (RFC 9457). A query parameter that a route does not have is an error."
)
_TAGS = (
    ("summary", "Totals and timelines."),
    ("events", "Matches, as ECS documents."),
    ("threats", "Events grouped by source and trail."),
    ("hosts", "Hosts of the site, by what their threats add up to."),
    ("sources", "Where records came from."),
    ("trails", "Trails that were met, and the trail set in force."),
    ("feeds", "Where trails come from, and how old they are."),
    ("sensors", "What is read, and how far."),
    ("observables", "Names, addresses and hashes that were ever seen in traffic, whether they met a trail or not."),
    ("access", "Who may what: users, sessions, keys."),
    ("lists", "Block lists for firewalls."),
    ("acting", "What people make of events, and do about them."),
    ("outbox", "What is sent out to others."),
    ("taxii", "Detections for clients of TAXII 2.1."),
    ("operation", "Health and metrics."),
)
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be answered as it is."},
    422: {"model": Problem, "description": "A parameter is unknown or cannot be used."},
    500: {"model": Problem, "description": "Something is broken; the log of Trailhound says more."},
    503: {"model": Problem, "description": "The store does not answer; `Retry-After` says when to try again."},
}


class _App(FastAPI):
    """FastAPI whose OpenAPI document gives problems the media type that they have."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            guarding.describe(self, document)
            for method, operation in guarding.by_method(document):
                for response in operation["responses"].values():
                    _name_problems(response)
                declare(method, operation)
        return super().openapi()


def _name_problems(response: dict[str, Any]) -> None:
    for media in list(response.get("content", {}).values()):
        if media.get("schema", {}).get("$ref", "").endswith("/Problem"):
            response["content"] = {MEDIA_TYPE: media}


def create_app(
    settings: Settings,
    store: Store,
    trails: TrailLookup,
    *,
    desk: Desk | None = None,
    clock: Clock = wall_clock,
    trouble: Trouble = untroubled,
) -> FastAPI:
    """Make the application. It does not close the store."""
    app = _App(
        title="Trailhound",
        version=__version__,
        summary="Threat matches in the logs of Zeek and Suricata.",
        description=_DESCRIPTION,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS],
        # The pages that FastAPI brings for these load scripts from elsewhere, which fails on hosts without internet.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect from `/fail2ban/` would tell a foreign client that there is a list.
        redirect_slashes=False,
    )
    attach(app, settings, store, trails, desk=desk, clock=clock, trouble=trouble)
    _add_routes(app)
    guarding.check_owners(app)
    app.add_exception_handler(guarding.LogInFirst, guarding.to_log_in)
    add_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=3)
    app.add_middleware(Gate)
    app.add_middleware(Guard, names=(settings.api.host, *settings.api.names), max_body=settings.api.max_body_bytes)
    app.add_middleware(Proxies, trusted=settings.api.trusted_proxies)
    app.add_middleware(SecurityHeaders)
    return app


def attach(
    app: FastAPI,
    settings: Settings,
    store: Store,
    trails: TrailLookup,
    *,
    desk: Desk | None = None,
    clock: Clock,
    trouble: Trouble = untroubled,
) -> None:
    """Give an application what its routes ask for (`api.deps`). Without a desk it is that of this host."""
    app.state.settings = settings
    app.state.store = store
    app.state.trails = trails
    app.state.desk = desk or open_desk(settings.state_dir)
    app.state.accounts = Accounts(
        settings.state_dir / "accounts.sqlite",
        lasting=Lasting(int(settings.api.session_hours * 3600), int(settings.api.idle_minutes * 60)),
    )
    app.state.pace = Pace(settings.api.requests_per_minute, settings.api.requests_at_once)
    app.state.entry = Entry(app.state.accounts, Failures())
    app.state.observables = ObservableMemory(settings.state_dir / FILE, settings.observables.max_rows)
    app.state.countries = Countries(settings.countries.database)
    app.state.by_country = CountryCounts(app.state.countries)
    app.state.clock = clock
    app.state.streams = Streams(store)
    app.state.trouble = trouble
    app.state.lists = BlockLists(store, settings, app.state.desk, trails)
    app.state.bouncers = Bouncers(app.state.lists, app.state.desk)
    app.state.handed = HandedSets(settings)
    app.state.outbox = Outbox(outbox_path(settings))
    app.state.feeds = Statuses(settings.shelf_path, settings.feeds.file)
    app.state.templates = render.environment()


def _add_routes(app: FastAPI) -> None:
    strict = [Depends(refuse_unknown)]
    versioned = APIRouter(prefix=API_PREFIX, dependencies=strict)
    for module in (
        summary,
        events,
        threats,
        related,
        sources,
        countries,
        trails,
        lookup,
        stream,
        feeds,
        sensors,
        observables,
        session,
        triage,
        decisions,
        cleared,
        custom,
        exceptions,
        audit,
        outbox,
    ):
        versioned.include_router(module.router)
    for router in (accounts.admins, accounts.own, health.versioned, hosts.router):
        versioned.include_router(router)
    app.include_router(versioned, responses=_PROBLEMS)
    app.include_router(health.router, dependencies=strict, responses={422: _PROBLEMS[422]})
    app.include_router(metrics.router, dependencies=strict, responses={422: _PROBLEMS[422]})
    app.include_router(lookup.classic, responses=_PROBLEMS)
    app.include_router(lists.router, responses=_PROBLEMS)
    app.include_router(lists.by_name, responses=_PROBLEMS)
    app.include_router(crowdsec.router, responses=_PROBLEMS)
    app.include_router(handing.router, responses=_PROBLEMS)
    app.include_router(taxii.router, dependencies=strict, responses=_PROBLEMS)
    app.include_router(session.pages)
    app.include_router(document.router)
    app.include_router(pages.router)
