"""Events as they are stored."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.responses import StreamingResponse

from api import export
from api.access.guarding import needs
from api.access.principal import Scope
from api.answers import EventsAnswer
from api.deps import CursorParam, Limit, QueryDep, StoreDep
from api.problems import Problem
from stores.contract import EventOrder

router = APIRouter(tags=["events"], dependencies=[needs(Scope.READ)])
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
    "/events/export",
    operation_id="exportEvents",
    summary="All events, as lines",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One event a line, or a row of its main fields after a row of headings.",
            "content": {
                "application/x-ndjson": {"example": '{"@timestamp": "2026-02-01T12:00:00.000000Z"}\n'},
                "text/csv": {"example": "time,id,threat\r\n2026-02-01T12:00:00.000000Z,697f3bc0,0f2a\r\n"},
            },
        }
    },
)
def export_events(
    store: StoreDep,
    query: QueryDep,
    format_: Annotated[
        Literal["ndjson", "csv"],
        Query(alias="format", description="Whole ECS documents (`ndjson`), or rows for a spreadsheet (`csv`)."),
    ] = "ndjson",
    order: Annotated[EventOrder, Query(description="The order of the lines.")] = EventOrder.NEWEST,
    limit: Annotated[int | None, Query(ge=1, le=100_000_000, description="How many at most; all without it.")] = None,
) -> StreamingResponse:
    """Give all events that meet all conditions. An answer that breaks off is not whole."""
    return StreamingResponse(
        export.lines(store, query, format_, order=order, limit=limit),
        media_type=export.MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="events.{format_}"'},
    )


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
