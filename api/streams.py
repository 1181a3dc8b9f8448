"""Live streams: each gives the events of a query as they arrive, as server-sent events.

One look at the store in every second serves all streams; only when something has arrived does each ask for what is its
own. So a hundred streams that nothing happens to cost as much as one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from stores.contract import EventOrder, EventPage, Query, Store
from trailhound.errors import StoreError

MAX_STREAMS = 100
LOOK_SECONDS = 1.0
ALIVE_SECONDS = 15.0
# A stream ends after a while, so that whoever may no longer see it does not go on; clients come back by themselves.
LONGEST_SECONDS = 900.0
RETRY_MILLISECONDS = 3000
_PAGE = 100


class Streams:
    """The streams of one application: how many there are, and what has arrived. For one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._looked = float("-inf")
        self._latest: str | None = None
        self.number = 0
        self.is_ended = False

    @property
    def is_full(self) -> bool:
        return self.number >= MAX_STREAMS

    def end(self) -> None:
        """Let all streams end soon, for good."""
        self.is_ended = True

    async def latest(self, since: float) -> str | None:
        """Give the end of the order of arrival, looked at after a moment of the monotonic clock."""
        async with self._turn:
            if self._looked <= since:
                await asyncio.sleep(self._looked + LOOK_SECONDS - time.monotonic())
                began = time.monotonic()
                self._latest = await run_in_threadpool(self._store.latest)
                self._looked = began
            return self._latest

    async def follow(self, store: Store, query: Query, cursor: str | None) -> AsyncIterator[bytes]:
        """Give what arrives after a cursor and is found by a query. `store` is as whoever asks may see it."""
        began = said = time.monotonic()
        yield f"retry: {RETRY_MILLISECONDS}\n{_place(cursor)}\n".encode()
        known: str | None = None
        asked = float("-inf")
        while not self.is_ended and time.monotonic() - began < LONGEST_SECONDS:
            found = False
            try:
                latest = await self.latest(asked)
                async for page in _new(store, query, cursor, wanted=latest != known):
                    found, cursor = True, page.next
                    yield _events(page.events, cursor)
            except StoreError:
                return  # The client comes back; meanwhile the store may have.
            asked = time.monotonic()
            if found:
                said = asked
            elif latest != known:
                # All up to there was looked through.
                cursor = known = latest
                yield f"{_place(cursor)}\n".encode()
            elif asked - said > ALIVE_SECONDS:
                said = asked
                yield b": still here\n\n"


async def _new(store: Store, query: Query, cursor: str | None, *, wanted: bool) -> AsyncIterator[EventPage]:
    """Give the pages of what has arrived."""
    while wanted:
        page = await run_in_threadpool(store.events, query, order=EventOrder.INGESTED, limit=_PAGE, cursor=cursor)
        if page.events:
            yield page
        cursor, wanted = page.next, len(page.events) == _PAGE


class StreamAnswer(StreamingResponse):
    """The answer that is a stream; it counts as long as it lasts."""

    def __init__(self, streams: Streams, content: AsyncIterator[bytes]) -> None:
        super().__init__(
            content,
            media_type="text/event-stream",
            # Proxies that gather answers before they pass them on would hold a stream up for ever.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._streams = streams
        streams.number += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.number -= 1


def _place(cursor: str | None) -> str:
    """Tell a client where it stands, without an event."""
    return f"id: {cursor}\n" if cursor else ""


def _events(events: Sequence[Mapping[str, Any]], cursor: str | None) -> bytes:
    """Write a page of events; only after the last of them it is known where to go on."""
    written = [f"event: event\ndata: {orjson.dumps(event).decode()}\n" for event in events]
    written[-1] += _place(cursor)
    return "".join(f"{one}\n" for one in written).encode()
