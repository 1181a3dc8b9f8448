"""The live stream."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.access.guarding import needs
from api.access.principal import Scope
from api.deps import QueryDep, StoreDep
from api.problems import Problem
from api.streams import StreamAnswer, Streams
from stores.contract import EventOrder
from trailhound.errors import StoreDamaged, StoreError, StoreUnavailable

router = APIRouter(tags=["events"], dependencies=[needs(Scope.READ)])
_EVENT = 'event: event\ndata: {"@timestamp": "2026-02-01T12:00:00.000000Z"}\nid: WyJpbmdlc3RlZCIsMV0\n\n'


@router.get(
    "/stream",
    operation_id="streamEvents",
    summary="Events as they arrive",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Server-sent events.", "content": {"text/event-stream": {"example": _EVENT}}},
        400: {"description": "`Last-Event-ID` is none of ours.", "model": Problem},
        503: {"description": "There are as many streams as there may be.", "model": Problem},
    },
)
async def stream_events(
    request: Request,
    store: StoreDep,
    query: QueryDep,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            min_length=1,
            max_length=4096,
            description="The id of the last event that came; what arrived since then comes first.",
        ),
    ] = None,
) -> StreamAnswer:
    """Give events that meet all conditions as they arrive, for a quarter of an hour; then connect again."""
    streams: Streams = request.app.state.streams
    if streams.is_full or streams.is_ended:
        raise HTTPException(503, "There are as many streams as there may be.", headers={"Retry-After": "5"})
    if last_event_id is None:
        cursor = await run_in_threadpool(store.latest)
    else:
        cursor = last_event_id
        try:
            await run_in_threadpool(store.events, query, order=EventOrder.INGESTED, limit=1, cursor=cursor)
        except (StoreUnavailable, StoreDamaged):
            raise
        except StoreError as error:
            raise HTTPException(400, "Last-Event-ID: the id of an event of this stream was expected.") from error
    return StreamAnswer(streams, streams.follow(store, query, cursor))
