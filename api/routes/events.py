"""Events as they are stored."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from api.answers import EventsAnswer
from api.deps import CursorParam, Limit, QueryDep, StoreDep
from api.problems import Problem
from stores.contract import EventOrder

router = APIRouter(tags=["events"])
_EXAMPLE = {"@timestamp": "2026-02-01T12:00:00.000000Z", "event": {"id": "697f3bc0a1b2c3d4e5f60718293a4b5c"}}


@router.get("/events", operation_id="listEvents", summary="Events, as full ECS documents")
def list_events(
    store: StoreDep,
    query: QueryDep,
    order: Annotated[
        EventOrder, Query(description="`ingested` is the order of arrival: a reader that polls misses nothing late.")
    ] = EventOrder.NEWEST,
    limit: Limit = 100,
    cursor: CursorParam = None,
) -> EventsAnswer:
    """Give the events that meet all conditions, a page at a time."""
    page = store.events(query, order=order, limit=limit, cursor=cursor)
    return EventsAnswer(events=tuple(page.events), next=page.next)


@router.get(
    "/events/{event_id}",
    operation_id="getEvent",
    summary="One event",
    response_model=dict[str, Any],
    responses={
        200: {"description": "The ECS document.", "content": {"application/json": {"example": _EXAMPLE}}},
        404: {"description": "There is no such event.", "model": Problem},
    },
)
def get_event(store: StoreDep, event_id: Annotated[str, Path(max_length=128)]) -> Mapping[str, Any]:
    """Give one event as a full ECS document."""
    event = store.event(event_id)
    if event is None:
        raise HTTPException(404, "There is no event of this id.")
    return event
