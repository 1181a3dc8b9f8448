"""Health, for supervisors and load balancers."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api import health
from api.access.guarding import CallerDep, needs, public
from api.access.principal import Scope
from api.answers import HealthAnswer
from api.deps import CountriesDep, FeedsDep, NowDep, StoreDep, TroubleDep

router = APIRouter(tags=["operation"], dependencies=[public()])
versioned = APIRouter(tags=["operation"], dependencies=[needs(Scope.READ)])
_ILL: dict[int | str, dict[str, Any]] = {503: {"description": "Something does not work.", "model": HealthAnswer}}


@versioned.get("/health", operation_id="getApiHealth", summary="Whether everything works", responses=_ILL)
@router.get("/healthz", operation_id="getHealth", summary="Whether everything works", responses=_ILL)
def get_health(
    store: StoreDep,
    now: NowDep,
    trouble: TroubleDep,
    feeds: FeedsDep,
    countries: CountriesDep,
    caller: CallerDep,
    response: Response,
) -> HealthAnswer:
    """Answer 200 when all is well, 503 with the reasons when it is not. Warnings alone leave it at 200.

    Whoever has no credentials for reading learns the state alone.
    """
    found = health.health(store, now, trouble, feeds.now)
    response.status_code = 503 if found.reasons else 200
    may_know = caller.principal is not None and Scope.READ in caller.principal.scopes
    return HealthAnswer(
        status="degraded" if found.reasons else "ok",
        reasons=tuple(found.reasons) if may_know else (),
        warnings=tuple(filter(None, (*found.warnings, countries.problem))) if may_know else (),
    )


@router.get(
    "/ping", operation_id="ping", summary="Whether this process answers at all", response_class=PlainTextResponse
)
def ping() -> str:
    """Answer `pong`, whatever the state of the store."""
    return "pong"
