"""Trails: those that were met, and those in force."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api import translate
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import CheckAnswer, SeenTrail, SeenTrailsAnswer, TrailsInfoAnswer
from api.deps import QueryDep, StoreDep, TrailsDep
from stores.contract import Dimension
from trailhound.canonical import MAX_TEXT

router = APIRouter(tags=["trails"], dependencies=[needs(Scope.READ)])
MAX_CHECKED = 100
Checkable = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


@router.get("/trails", operation_id="listSeenTrails", summary="Trails with the most records")
def list_seen_trails(
    store: StoreDep,
    query: QueryDep,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 10,
) -> SeenTrailsAnswer:
    """Give the trails that records met, the commonest first."""
    total = store.distinct(query, Dimension.TRAIL)
    return SeenTrailsAnswer(
        trails=tuple(
            SeenTrail(trail=one.value, count=one.count, severity=translate.severity_word(one.severity))
            for one in store.top(query, Dimension.TRAIL, limit=limit)
        ),
        total=total.count,
        approximate=total.is_approximate,
    )


@router.get("/trails/check", operation_id="checkTrails", summary="What the trail set says of values")
def check_trails(
    trails: TrailsDep,
    value: Annotated[
        tuple[Checkable, ...],
        Query(
            min_length=1,
            max_length=MAX_CHECKED,
            description="Domain, address, network, address:port, URL, path, hash, user agent or e-mail; repeatable.",
            openapi_examples={"domain": {"value": ["www.evil.example"]}, "address": {"value": ["192.0.2.1"]}},
        ),
    ],
) -> CheckAnswer:
    """Look values up as if they had stood in a log, parents and networks included."""
    return CheckAnswer(results=tuple(translate.checked(one) for one in trails.explain(value)))


@router.get("/trails/info", operation_id="getTrailsInfo", summary="The trail set in force")
def get_trails_info(trails: TrailsDep) -> TrailsInfoAnswer:
    """Give the size, age and checksum of the trail set."""
    info = trails.info()
    return TrailsInfoAnswer(
        trails=info.trails,
        by_kind=dict(info.by_kind),
        by_class=dict(info.by_class),
        built=translate.iso_seconds(info.built),
        checksum=info.checksum,
    )
