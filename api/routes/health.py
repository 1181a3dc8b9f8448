"""Health, for supervisors and load balancers."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from api import health
from api.answers import HealthAnswer
from api.deps import NowDep, StoreDep

router = APIRouter(tags=["operation"])


@router.get(
    "/healthz",
    operation_id="getHealth",
    summary="Whether everything works",
    responses={503: {"description": "Something does not work.", "model": HealthAnswer}},
)
def get_health(store: StoreDep, now: NowDep, response: Response) -> HealthAnswer:
    """Answer 200 when all is well, 503 with the reasons when it is not."""
    found = tuple(health.reasons(store, now))
    response.status_code = 503 if found else 200
    return HealthAnswer(status="degraded" if found else "ok", reasons=found)


@router.get(
    "/ping", operation_id="ping", summary="Whether this process answers at all", response_class=PlainTextResponse
)
def ping() -> str:
    """Answer `pong`, whatever the state of the store."""
    return "pong"
