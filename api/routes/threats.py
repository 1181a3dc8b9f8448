"""Threats: events grouped by source and trail."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import translate
from api.answers import ThreatsAnswer
from api.deps import CursorParam, Limit, QueryDep, StoreDep
from stores.contract import ThreatOrder

router = APIRouter(tags=["threats"])


@router.get("/threats", operation_id="listThreats", summary="Threats, the riskiest first")
def list_threats(
    store: StoreDep,
    query: QueryDep,
    order: Annotated[ThreatOrder, Query(description="What comes first is what has the most of it.")] = ThreatOrder.RISK,
    limit: Limit = 50,
    cursor: CursorParam = None,
) -> ThreatsAnswer:
    """Give the threats made of the events that meet all conditions, a page at a time."""
    page = store.threats(query, order=order, limit=limit, cursor=cursor)
    return ThreatsAnswer(
        threats=tuple(translate.threat(found) for found in page.threats),
        total=page.total,
        approximate=page.is_total_approximate,
        next=page.next,
    )
