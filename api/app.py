"""The application: settings, a store and a trail set go in, an ASGI application comes out."""

from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from api import render
from api.blocklist import BlockLists
from api.deps import refuse_unknown
from api.guard import Guard
from api.handed import HandedSets
from api.headers import SecurityHeaders
from api.health import Trouble, untroubled
from api.lookup import TrailLookup
from api.moments import Clock, wall_clock
from api.problems import MEDIA_TYPE, Problem, add_handlers
from api.routes import events, feeds, handing, health, lists, metrics, pages, sensors, sources, summary, threats, trails
from feeds.status import Statuses
from stores.contract import Store
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
    ("sources", "Where records came from."),
    ("trails", "Trails that were met, and the trail set in force."),
    ("feeds", "Where trails come from, and how old they are."),
    ("sensors", "What is read, and how far."),
    ("lists", "Block lists for firewalls."),
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
            for operation in (path["get"] for path in super().openapi()["paths"].values()):
                for response in operation["responses"].values():
                    _name_problems(response)
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
        docs_url=None,
        redoc_url=None,
        # A redirect from `/fail2ban/` would tell a foreign client that there is a list.
        redirect_slashes=False,
    )
    attach(app, settings, store, trails, clock=clock, trouble=trouble)
    _add_routes(app)
    add_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=3)
    app.add_middleware(Guard, names=(settings.api.host, *settings.api.names))
    app.add_middleware(SecurityHeaders)
    return app


def attach(
    app: FastAPI,
    settings: Settings,
    store: Store,
    trails: TrailLookup,
    *,
    clock: Clock,
    trouble: Trouble = untroubled,
) -> None:
    """Give an application what its routes ask for (`api.deps`)."""
    app.state.settings = settings
    app.state.store = store
    app.state.trails = trails
    app.state.clock = clock
    app.state.trouble = trouble
    app.state.lists = BlockLists(store, settings)
    app.state.handed = HandedSets(settings)
    app.state.feeds = Statuses(settings.shelf_path, settings.feeds.file)
    app.state.templates = render.environment()


def _add_routes(app: FastAPI) -> None:
    strict = [Depends(refuse_unknown)]
    versioned = APIRouter(prefix=API_PREFIX, dependencies=strict)
    for module in (summary, events, threats, sources, trails, feeds, sensors):
        versioned.include_router(module.router)
    versioned.include_router(health.versioned)
    app.include_router(versioned, responses=_PROBLEMS)
    app.include_router(health.router, dependencies=strict, responses={422: _PROBLEMS[422]})
    app.include_router(metrics.router, dependencies=strict, responses={422: _PROBLEMS[422]})
    app.include_router(lists.router, responses=_PROBLEMS)
    app.include_router(handing.router, responses=_PROBLEMS)
    app.include_router(pages.router)
