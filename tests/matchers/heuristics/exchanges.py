"""Requests and answers in the clear, as the logs of both programs have them, and what heuristics find in them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.formats import reader_of
from ingest.stretch import match
from matchers.engine import Engine
from matchers.events import Events
from tests.matchers.build import MAX_LINE, NOON, matched, tsv
from tests.matchers.heuristics.questions import START
from trailhound.event import Event

FORMATS = ("zeek-tsv", "zeek-json", "eve")
HOME, ABROAD = "10.0.0.7", "192.0.2.80"
_TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "method": "string",
    "host": "string",
    "uri": "string",
    "user_agent": "string",
    "status_code": "count",
    "resp_fuids": "vector[string]",
    "resp_mime_types": "vector[string]",
    "resp_server": "string",
    "resp_set_cookie": "string",
    "resp_location": "string",
    "resp_sinkhole": "string",
    "resp_title": "string",
    "resp_content_type": "string",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its answer. `time` is seconds after `START`; `marks` are headers, and the title."""

    uri: str
    host: str | None = "www.example.com"
    time: float = 0
    client: str = HOME
    server: str = ABROAD
    status: int | None = None
    agent: str | None = None
    port: int = 80
    mime: str | None = None
    file: str | None = None
    marks: Mapping[str, str] | None = None


def log(format_: str, exchanges: Sequence[Exchange]) -> bytes:
    if format_ == "zeek-tsv":
        return tsv("http", _TYPES, [_row(one, number) for number, one in enumerate(exchanges)])
    make: Callable[[Exchange, int], object] = _object if format_ == "zeek-json" else _event
    return b"".join(json.dumps(make(one, number)).encode() + b"\n" for number, one in enumerate(exchanges))


def found(machine: Engine, format_: str, exchanges: Sequence[Exchange]) -> list[Event]:
    """Give what heuristics found, and look that none failed."""
    return _checked(machine, matched(machine, format_, log(format_, exchanges), "http").events)


def found_by_sensor(machine: Engine, sensor: str, name: str, format_: str, data: bytes) -> list[Event]:
    reader = reader_of(format_, machine.wanted(), name)
    events = Events(sensor, "a file", lambda: NOON)
    return _checked(machine, match(reader, machine, data, events, max_line=MAX_LINE).events)


def _checked(machine: Engine, events: Iterable[Event]) -> list[Event]:
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if "rule.name" in event.ecs]


def _object(one: Exchange, number: int) -> dict[str, object]:
    said = {
        "ts": START + one.time,
        "uid": f"C{number}",
        "id.orig_h": one.client,
        "id.orig_p": 40_000 + number % 20_000,
        "id.resp_h": one.server,
        "id.resp_p": one.port,
        "method": "GET",
        "host": one.host,
        "uri": one.uri,
        "user_agent": one.agent,
        "status_code": one.status,
        "resp_fuids": [one.file] if one.file else None,
        "resp_mime_types": [one.mime] if one.mime else None,
        **{f"resp_{name.replace('-', '_')}": value for name, value in (one.marks or {}).items()},
    }
    return {name: value for name, value in said.items() if value is not None}


def _row(one: Exchange, number: int) -> Sequence[str]:
    said = _object(one, number)
    return [_cell(said.get(name)) for name in _TYPES]


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return "-" if value is None else str(value).replace("\\", "\\x5c").replace("\t", "\\x09")


def _event(one: Exchange, number: int) -> dict[str, object]:
    http: dict[str, object] = {
        "hostname": one.host,
        "url": one.uri,
        "http_user_agent": one.agent,
        "http_content_type": one.mime or (one.marks or {}).get("content-type"),
        "http_method": "GET",
        "status": one.status,
    }
    headers = [
        {"name": {"sinkhole": "X-Sinkhole"}.get(name, name.title()), "value": value}
        for name, value in (one.marks or {}).items()
        if name != "title"
    ]
    if headers:
        http["response_headers"] = headers
    return {
        "timestamp": datetime.fromtimestamp(START + one.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "flow_id": number,
        "event_type": "http",
        "src_ip": one.client,
        "src_port": 40_000 + number % 20_000,
        "dest_ip": one.server,
        "dest_port": one.port,
        "proto": "TCP",
        "http": {name: value for name, value in http.items() if value is not None},
    }
