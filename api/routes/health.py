"""Health, for supervisors and load balancers."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api import health
from api.answers import HealthAnswer
from api.deps import FeedsDep, NowDep, StoreDep, TroubleDep

router = APIRouter(tags=["operation"])
versioned = APIRouter(tags=["operation"])
_ILL: dict[int | str, dict[str, Any]] = {503: {"description": "Something does not work.", "model": HealthAnswer}}


@versioned.get("/health", operation_id="getApiHealth", summary="Whether everything works", responses=_ILL)
@router.get("/healthz", operation_id="getHealth", summary="Whether everything works", responses=_ILL)
def get_health(store: StoreDep, now: NowDep, trouble: TroubleDep, feeds: FeedsDep, response: Response) -> HealthAnswer:
    """Answer 200 when all is well, 503 with the reasons when it is not. Warnings alone leave it at 200."""
    found = health.health(store, now, trouble, feeds.now)
    response.status_code = 503 if found.reasons else 200
    return HealthAnswer(
        status="degraded" if found.reasons else "ok", reasons=tuple(found.reasons), warnings=tuple(found.warnings)
    )


@router.get(
    "/ping", operation_id="ping", summary="Whether this process answers at all", response_class=PlainTextResponse
)
def ping() -> str:
    """Answer `pong`, whatever the state of the store."""
    return "pong"
