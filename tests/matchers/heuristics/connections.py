"""Connections as the logs of both programs have them, and what heuristics find in them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from matchers.engine import Engine
from tests.matchers.build import matched, tsv
from tests.matchers.heuristics.questions import START
from trailhound.event import Event

FORMATS = ("zeek-tsv", "zeek-json", "eve")
INTRUDER, VICTIM = "203.0.113.9", "10.0.0.7"
# What became of a connection -> transport, Zeek's state, history and packets of the source; Suricata's state of the
# session (None: it opened none), flags of both sides and packets of the other. As both wrote them of like captures.
_OUTCOMES: Mapping[str, tuple[str, str, str, int, str | None, str, str, int]] = {
    "silent": ("tcp", "S0", "S", 1, "syn_sent", "02", "00", 0),
    "refused": ("tcp", "REJ", "Sr", 1, "closed", "02", "14", 1),
    "let go": ("tcp", "RSTO", "ShR", 2, "closed", "06", "12", 1),
    "half open": ("tcp", "S1", "Sh", 1, "syn_recv", "02", "12", 1),
    "withdrawn": ("tcp", "RSTOS0", "SR", 2, "closed", "06", "00", 0),
    "null": ("tcp", "OTH", "-", 1, None, "00", "00", 0),
    "fin": ("tcp", "SH", "F", 1, None, "00", "00", 0),
    "fin refused": ("tcp", "RSTR", "Fr", 1, None, "00", "00", 1),
    "null refused": ("tcp", "RSTRH", "r", 1, None, "00", "00", 1),
    "bare ack": ("tcp", "OTH", "A", 1, "established", "10", "00", 0),
    "in use": ("tcp", "SF", "ShADadFf", 12, "closed", "1b", "1b", 17),
    "broken off": ("tcp", "RSTO", "ShADadR", 12, "closed", "1e", "1a", 17),
    "picked up": ("tcp", "OTH", "DadA", 40, "established", "18", "18", 40),
    "unheard": ("udp", "S0", "D", 1, None, "", "", 0),
    "answered": ("udp", "SF", "Dd", 1, None, "", "", 1),
    "ping": ("icmp", "OTH", "-", 1, None, "", "", 0),
}
_TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "proto": "enum",
    "conn_state": "string",
    "history": "string",
    "orig_pkts": "count",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection; `time` is seconds after `START`."""

    port: int
    time: float = 0
    outcome: str = "silent"
    source: str = INTRUDER
    target: str = VICTIM
    near_port: int = 50_000


def ports(numbers: Iterable[int], outcome: str = "silent", step: float = 1, start: float = 0) -> list[Connection]:
    """Make tries of one host's ports, one after the other."""
    return [Connection(port, start + place * step, outcome) for place, port in enumerate(numbers)]


def hosts(
    number: int, port: int, outcome: str = "silent", source: str = INTRUDER, step: float = 0.1, net: str = "10.1"
) -> list[Connection]:
    """Make tries of one port of many hosts."""
    return [
        Connection(port, place * step, outcome, source, f"{net}.{place // 250}.{place % 250 + 1}")
        for place in range(number)
    ]


def log(format_: str, connections: Sequence[Connection]) -> bytes:
    if format_ == "zeek-tsv":
        rows = [_zeek(one, number) for number, one in enumerate(connections)]
        return tsv("conn", _TYPES, [[str(row[name]) for name in _TYPES] for row in rows])
    made = _json if format_ == "zeek-json" else _eve
    return b"".join(json.dumps(made(one, number)).encode() + b"\n" for number, one in enumerate(connections))


def found(machine: Engine, format_: str, connections: Sequence[Connection], cuts: Sequence[int] = ()) -> list[Event]:
    """Give what heuristics found, and look that none failed."""
    events = matched(machine, format_, log(format_, connections), "conn", cuts).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if "rule.name" in event.ecs]


def _zeek(one: Connection, number: int) -> dict[str, object]:
    transport, state, history, packets, *_ = _OUTCOMES[one.outcome]
    return {
        "ts": START + one.time,
        "uid": f"C{number}",
        "id.orig_h": one.source,
        "id.orig_p": one.near_port,
        "id.resp_h": one.target,
        "id.resp_p": one.port,
        "proto": transport,
        "conn_state": state,
        "history": history,
        "orig_pkts": packets,
    }


def _json(one: Connection, number: int) -> dict[str, object]:
    return {name: value for name, value in _zeek(one, number).items() if value != "-"}


def _eve(one: Connection, number: int) -> dict[str, object]:
    transport, _, _, packets, state, sent, answered, heard = _OUTCOMES[one.outcome]
    began = datetime.fromtimestamp(START + one.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    late = datetime.fromtimestamp(START + one.time + 60, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    session = {"tcp_flags_ts": sent, "tcp_flags_tc": answered, **({"state": state} if state is not None else {})}
    return {
        "timestamp": late,
        "flow_id": number,
        "event_type": "flow",
        "src_ip": one.source,
        "src_port": one.near_port,
        "dest_ip": one.target,
        "dest_port": one.port,
        "proto": transport.upper(),
        "flow": {"start": began, "pkts_toserver": packets, "pkts_toclient": heard},
        **({"tcp": session} if transport == "tcp" else {}),
    }
