import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from api import streams as module
from api.streams import MAX_STREAMS, Streams
from stores.contract import Query, Store
from tests.api.client import AppClient, refused
from tests.stores.factory import make_attack, make_event
from trailhound.severity import Severity


@pytest.fixture(autouse=True)
def _long_streams(_short_streams: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SECONDS", 60.0)


def _read(chunks: bytes) -> tuple[list[dict[str, object]], str]:
    """Read events and the last id, as a browser does."""
    events, last = [], ""
    for block in chunks.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        last = fields.get("id", last)
        if "data" in fields:
            events.append(json.loads(fields["data"]))
    return events, last


async def _until(stream: AsyncIterator[bytes], number: int) -> tuple[list[dict[str, object]], str]:
    text = b""
    async for chunk in stream:
        text += chunk
        if len(_read(text)[0]) >= number and _read(text)[1]:
            break
    return _read(text)


def test_a_stream_gives_what_arrives_from_now_on(filled: Store) -> None:
    async def follow() -> tuple[list[dict[str, object]], str]:
        streams = Streams(filled)
        stream = streams.follow(filled, Query(severities=(Severity.HIGH,)), filled.latest())
        await anext(stream)
        filled.append([make_attack(source_ip="80.94.92.77", severity=Severity.HIGH), make_event(identity="other")])
        return await asyncio.wait_for(_until(stream, 1), 10)

    events, _ = asyncio.run(follow())
    assert [event["source"]["ip"] for event in events] == ["80.94.92.77"]  # type: ignore[index]


def test_a_stream_goes_on_after_the_last_event_and_gives_each_once(filled: Store) -> None:
    async def follow() -> list[str]:
        seen: list[str] = []
        cursor = filled.latest()
        for turn in range(3):
            filled.append([make_event(identity=f"{turn}-{number}") for number in range(150)])
            stream = Streams(filled).follow(filled, Query(), cursor)
            events, cursor = await asyncio.wait_for(_until(stream, 150), 20)
            seen += [event["event"]["id"] for event in events]  # type: ignore[index]
        return seen

    seen = asyncio.run(follow())
    assert len(seen) == len(set(seen)) == 450


def test_a_narrow_stream_does_not_look_through_the_same_twice(filled: Store) -> None:
    async def follow() -> str:
        streams = Streams(filled)
        stream = streams.follow(filled, Query(sensors=("nowhere",)), filled.latest())
        await anext(stream)
        filled.append([make_event(identity="passed over")])
        while True:
            _, place = _read(await asyncio.wait_for(anext(stream), 10))
            if place == filled.latest():
                return place

    assert asyncio.run(follow()) == filled.latest()


def test_streams_end_when_the_server_does(filled: Store) -> None:
    async def follow() -> None:
        streams = Streams(filled)
        stream = streams.follow(filled, Query(), None)
        await anext(stream)
        streams.end()
        async for _ in stream:
            pass

    asyncio.run(asyncio.wait_for(follow(), 10))


def test_a_quiet_stream_says_that_it_is_there(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALIVE_SECONDS", 0.05)

    async def follow() -> bytes:
        stream = Streams(filled).follow(filled, Query(), filled.latest())
        while True:
            chunk = await asyncio.wait_for(anext(stream), 10)
            if chunk.startswith(b":"):
                return chunk

    assert asyncio.run(follow()).endswith(b"\n\n")


def test_there_are_so_many_streams_and_no_more(client: AppClient, app: FastAPI) -> None:
    app.state.streams.number = MAX_STREAMS
    answer = client.get("/api/v1/stream")
    refused(answer, 503)
    assert answer.headers["retry-after"]


def test_a_stream_of_the_application_is_counted_while_it_lasts(
    client: AppClient, app: FastAPI, filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.2)
    answer = client.get("/api/v1/stream", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert "content-encoding" not in answer.headers
    assert app.state.streams.number == 0


@pytest.mark.parametrize("place", ["nonsense", "AAAA", "MTIzNDU2"])
def test_a_place_that_nobody_gave_is_refused(client: AppClient, place: str) -> None:
    refused(client.get("/api/v1/stream", headers={"Last-Event-ID": place}), 400)
