"""The loop: true counts, stable ids, and the same events however a log is cut or written."""

import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers.asked import REMEMBERED
from matchers.observers import custom
from tests.matchers.build import NOON, counts, engine, matched, trail, tsv
from trailhound.event import Event, to_ecs
from trailhound.severity import Direction
from trailhound.trail import TrailClass, TrailKind

DNS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.resp_h": "addr", "query": "string"}
LISTED = [trail(TrailKind.DOMAIN, "evil.example"), trail(TrailKind.IPV4, "203.0.113.5", TrailClass.C2)]


def dns(*queries: str, client: str = "10.0.0.1") -> bytes:
    rows = [(f"{n}.5", f"C{n}", client, "10.0.0.53", query) for n, query in enumerate(queries, 1)]
    return tsv("dns", DNS, rows)


def facts(events: Sequence[Event]) -> list[tuple[Any, ...]]:
    return sorted((event.id, event.count, event.start, event.end, event.observed, event.message) for event in events)


def test_like_matches_of_a_stretch_are_one_event_with_a_true_count() -> None:
    content = dns("evil.example", "fine.example", "EVIL.example", "www.evil.example", "evil.example.")
    events = {event.observed: event for event in matched(engine(LISTED), "zeek-tsv", content, "dns").events}
    assert {name: event.count for name, event in events.items()} == {"evil.example": 3, "www.evil.example": 1}
    event = events["evil.example"]
    assert (event.start, event.end) == (1_500_000, 5_500_000)
    assert event.message == "10.0.0.1 asked for evil.example: test"
    assert (event.sensor, event.dataset, event.role, event.ingested) == (
        "sensor",
        "zeek.dns",
        "dns.question.name",
        NOON,
    )
    assert event.direction is Direction.INTERNAL


def test_what_differs_in_who_or_what_is_another_event() -> None:
    machine = engine(LISTED)
    events = matched(machine, "zeek-tsv", dns("evil.example"), "dns").events
    events += matched(machine, "zeek-tsv", dns("evil.example", client="10.0.0.2"), "dns").events
    assert counts(events) == {("10.0.0.1", "evil.example"): 1, ("10.0.0.2", "evil.example"): 1}
    assert len({event.id for event in events}) == 2


def test_a_replay_of_the_same_bytes_makes_the_same_events() -> None:
    content = dns("evil.example", "evil.example", "a.evil.example")
    first, second = (matched(engine(LISTED), "zeek-tsv", content, "dns").events for _ in range(2))
    assert facts(first) == facts(second)


@given(st.permutations([f"{name}.evil.example" for name in ("a", "a", "b", "b", "b")]))
def test_the_event_of_a_group_is_named_after_its_earliest_record(queries: Sequence[str]) -> None:
    rows = [(f"{n}.5", f"C{n}", "10.0.0.1", "10.0.0.53", query) for n, query in enumerate(queries, 1)]
    machine = engine(LISTED)
    forward = matched(machine, "zeek-tsv", tsv("dns", DNS, rows), "dns").events
    backward = matched(machine, "zeek-tsv", tsv("dns", DNS, rows[::-1]), "dns").events
    assert facts(forward) == facts(backward)


# One visit as each tool writes it: a look-up with its answer, a connection, a request, a TLS handshake.
ENDS = {"id.orig_h": "10.0.0.1", "id.orig_p": 40000, "id.resp_h": "203.0.113.5", "id.resp_p": 80}
VISIT: Sequence[dict[str, Any]] = (
    {"_path": "dns", "uid": "C1", **ENDS, "id.resp_h": "10.0.0.53", "id.resp_p": 53, "trans_id": 7, "proto": "udp"}
    | {"query": "www.evil.example", "answers": ["cdn.example", "203.0.113.5"], "qtype": 1},
    {"_path": "http", "uid": "C2", **ENDS, "trans_depth": 1, "method": "GET", "host": "www.evil.example"}
    | {"uri": "/gate.php?x=1", "user_agent": "Evil", "status_code": 200},
    {"_path": "conn", "uid": "C2", **ENDS, "proto": "tcp", "conn_state": "SF"},
    {"_path": "ssl", "uid": "C3", **ENDS, "id.resp_p": 443, "server_name": "evil.example", "ja3": "ab" * 16}
    | {"cipher": "x", "established": True},
    {"_path": "conn", "uid": "C3", **ENDS, "id.resp_p": 443, "proto": "tcp", "conn_state": "SF"},
)
WEB = {"src_ip": "10.0.0.1", "src_port": 40000, "dest_ip": "203.0.113.5", "dest_port": 80, "proto": "TCP"}
LOOK_UP = {**WEB, "dest_ip": "10.0.0.53", "dest_port": 53, "proto": "UDP", "flow_id": 1}
ANSWERS = [{"rrtype": "CNAME", "rdata": "cdn.example"}, {"rrtype": "A", "rdata": "203.0.113.5"}]
FLOW = {"start": "2026-01-05T08:00:00.000000+0000", "pkts_toserver": 5, "pkts_toclient": 4}
HTTP = {"hostname": "www.evil.example", "url": "/gate.php?x=1", "http_user_agent": "Evil", "status": 200}
EVE: Sequence[dict[str, Any]] = (
    {"event_type": "dns", **LOOK_UP, "dns": {"type": "query", "id": 7, "rrname": "www.evil.example"}},
    {
        "event_type": "dns",
        **LOOK_UP,
        "dns": {"type": "answer", "id": 7, "rrname": "www.evil.example", "answers": ANSWERS},
    },
    {"event_type": "alert", **WEB, "flow_id": 2, "alert": {"signature": "s", "signature_id": 1}, "http": HTTP},
    {"event_type": "http", **WEB, "flow_id": 2, "http": HTTP},
    {"event_type": "flow", **WEB, "flow_id": 2, "flow": FLOW, "tcp": {"state": "closed"}},
    {
        "event_type": "tls",
        **WEB,
        "dest_port": 443,
        "flow_id": 3,
        "tls": {"sni": "evil.example", "ja3": {"hash": "ab" * 16}},
    },
    {"event_type": "flow", **WEB, "dest_port": 443, "flow_id": 3, "flow": FLOW, "tcp": {"state": "closed"}},
)
ALL = [
    *LISTED,
    trail(TrailKind.PATH, "/gate.php"),
    trail(TrailKind.USER_AGENT, "evil"),
    trail(TrailKind.JA3, "ab" * 16),
    trail(TrailKind.DOMAIN, "cdn.example"),
]


def lines(items: Sequence[dict[str, Any]], **more: object) -> bytes:
    return b"".join(json.dumps({**item, **more}).encode() + b"\n" for item in items)


def visit_in_tsv() -> list[tuple[str, bytes]]:
    """Write the visit as Zeek writes it, a file for each log."""
    files = []
    for log in ("dns", "http", "ssl", "conn"):
        rows = [row for row in VISIT if row["_path"] == log]
        names = [name for name in rows[0] if name != "_path"]
        types = {"ts": "time", **{name: _zeek_type(rows[0][name]) for name in names}}
        files.append((log, tsv(log, types, [["1.0", *(_zeek_cell(row[name]) for name in names)] for row in rows])))
    return files


def _zeek_type(value: object) -> str:
    return {bool: "bool", int: "count", list: "vector[string]"}.get(type(value), "string")


def _zeek_cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return {True: "T", False: "F"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def test_a_visit_gives_the_same_in_every_format() -> None:
    machine = engine(ALL)
    tsv_events = [event for log, data in visit_in_tsv() for event in matched(machine, "zeek-tsv", data, log).events]
    in_json = matched(engine(ALL), "zeek-json", lines(VISIT, ts=1.0), "x").events
    in_eve = matched(engine(ALL), "eve", lines(EVE, timestamp="2026-01-05T08:00:09.000000+0000"), "eve").events
    assert counts(tsv_events) == counts(in_json)
    assert counts(in_eve) == counts(in_json)
    assert counts(in_json)["10.0.0.1", "203.0.113.5"] == 3  # An answer and two connections, each told once.
    assert counts(in_json)["10.0.0.1", "evil.example"] == 3


@given(st.lists(st.integers(1, len(EVE) - 1)))
def test_what_counts_once_counts_once_wherever_the_log_is_cut(places: list[int]) -> None:
    content = lines(EVE, timestamp="2026-01-05T08:00:09.000000+0000")
    whole = matched(engine(ALL), "eve", content, "eve")
    parts = matched(engine(ALL), "eve", content, "eve", places)
    assert counts(parts.events) == counts(whole.events)
    assert {event.id for event in parts.events} == {event.id for event in whole.events}
    assert parts.records == whole.records == len(EVE)


def test_a_cell_that_means_one_thing_in_a_set_means_another_in_a_text() -> None:
    types = {"ts": "time", "id.orig_h": "addr", "query": "string", "answers": "vector[string]", "trans_id": "count"}
    both = "a.example,evil.example"
    machine = engine(LISTED)
    first = matched(machine, "zeek-tsv", tsv("dns", types, [["1.0", "10.0.0.1", both, "-", "1"]]), "dns")
    second = matched(machine, "zeek-tsv", tsv("dns", types, [["1.0", "10.0.0.1", "x", both, "1"]]), "dns")
    plain = {**types, "answers": "string"}
    third = matched(machine, "zeek-tsv", tsv("dns", plain, [["1.0", "10.0.0.1", "x", both, "1"]]), "dns")
    fourth = matched(machine, "zeek-tsv", tsv("dns", types, [["1.0", "10.0.0.1", "x", both, "1"]]), "dns")
    assert [len(stretch.events) for stretch in (first, second, third, fourth)] == [0, 1, 0, 1]


def test_a_row_that_turns_out_unreadable_is_told_with_its_line() -> None:
    types = {**DNS, "qtype": "count"}
    rows = [("1.0", "C1", "10.0.0.1", "10.0.0.53", "evil.example", qtype) for qtype in ("1", "many")]
    stretch = matched(engine(LISTED), "zeek-tsv", tsv("dns", types, rows), "dns")
    assert stretch.records == 1
    assert [(bad.number, bad.reason) for bad in stretch.bad_lines] == [
        (9, "column qtype: 'many' is not of its type"),
    ]


def test_what_is_remembered_is_bounded() -> None:
    machine = engine(LISTED)
    for start in range(0, 300_000, 30_000):
        matched(machine, "zeek-tsv", dns(*(f"h{n}.example" for n in range(start, start + 30_000))), "dns")
    matched(machine, "zeek-tsv", dns(*(f"{n}{'x' * 5000}" for n in range(300))), "dns")
    known = [answers for asked in machine._asked.values() for answers in asked._answers.values()]
    cells = [cell for answers in known for cell in (*answers.young, *answers.old, *answers.hot)]
    assert len(cells) < 3 * REMEMBERED
    assert max(len(cell) for cell in cells if isinstance(cell, bytes)) < 1000


HOSTILE = [
    "x" * 10_000,
    ".".join(["a"] * 500),
    ".".join(["é"] * 500),
    "a\0b.evil.example",
    "%" * 10_000,
    "%25" * 3_000,
    "еvil.example",  # noqa: RUF001 - a homograph
    "host:" + "9" * 5_000,
    "[" * 100,
    "[::1" + "%" * 200,
    "http://" + "a@" * 3000 + "evil",
    "." * 300,
    "\u202egro.live",
    "💩" * 30,
    "1" * 5_000,
    "::" * 2000,
    "X -> " + "1.2.3.4," * 2000,
    "CN=" * 2000,
    "\x7f\x1b[31m",
]
COLUMNS = {
    "dns": ["id.orig_h", "query", "answers", "rcode_name", "proto", "uid"],
    "http": ["id.resp_h", "host", "uri", "user_agent", "referrer", "proxied", "method", "resp_mime_types"],
    "ssl": ["server_name", "subject", "cert_chain_fps", "fingerprint", "ja3", "ja4", "issuer", "cipher"],
    "x509": ["fingerprint", "certificate.subject", "san.dns", "certificate.serial"],
    "files": ["md5", "sha1", "sha256", "mime_type", "filename", "source"],
    "conn": ["conn_state", "history", "service"],
}


def hostile_rows() -> list[dict[str, Any]]:
    rows = []
    for log, columns in COLUMNS.items():
        for column in columns:
            row = {"_path": log, "ts": 1.0, "uid": "C1", **ENDS, "id.resp_h": "203.0.113.5"}
            rows += [{**row, column: value} for value in (*HOSTILE, HOSTILE, [], 10**30, -1, True)]
        numbers = {
            "id.resp_p": 10**30,
            "orig_bytes": 2**64,
            "duration": 1e300,
            "total_bytes": -(2**70),
            "trans_id": 1e9,
        }
        rows.append({"_path": log, "ts": 1.0, **ENDS, "id.resp_h": "203.0.113.5", **numbers})
    return rows


def test_hostile_values_match_nothing_and_every_event_can_be_written() -> None:
    rows = hostile_rows()
    stretch = matched(engine(LISTED), "zeek-json", lines(rows), "x")
    assert stretch.records + len(stretch.bad_lines) == len(rows)
    assert stretch.records > len(rows) * 0.6
    assert {event.trail.value for event in stretch.events} == {"203.0.113.5"}
    for event in stretch.events:
        written = orjson.dumps(to_ecs(event))
        assert len(written) < 1_000_000


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "\\u0000"])
def test_a_lone_surrogate_or_a_nul_in_json_does_no_harm(text: str) -> None:
    line = b'{"_path":"dns","ts":1.0,"id.orig_h":"203.0.113.5","query":"' + text.encode() + b'.evil.example"}\n'
    stretch = matched(engine(LISTED), "zeek-json", line, "x")
    for event in stretch.events:
        assert event.trail.value == "203.0.113.5"
        assert orjson.loads(orjson.dumps(to_ecs(event)))["source"]["ip"] == "203.0.113.5"
    assert stretch.records + len(stretch.bad_lines) == 1


def test_bytes_that_are_no_text_do_no_harm_in_a_zeek_log() -> None:
    content = dns("\udcff\udcfe.evil.example", "\\xff\\x00.evil.example", "evil.example")
    stretch = matched(engine(LISTED), "zeek-tsv", content, "dns")
    assert [event.observed for event in stretch.events] == ["evil.example"]


def test_a_value_that_is_long_is_cut_in_the_event() -> None:
    machine = engine([trail(TrailKind.PATH, "/gate.php")])
    row = {"_path": "http", "ts": 1.0, **ENDS, "host": "a.example", "uri": f"/gate.php?{'x' * 100_000}"}
    (event,) = matched(machine, "zeek-json", lines([row]), "x").events
    assert len(event.observed) <= 2048
    assert len(orjson.dumps(to_ecs(event))) < 40_000


def test_a_log_of_the_site_is_matched_by_what_its_columns_hold() -> None:
    columns = {"sender": "email", "link": "url", "peer": "address", "helo": "name", "hash": "file-hash"}
    listed = [
        *LISTED,
        trail(TrailKind.EMAIL, "eve@evil.example"),
        trail(TrailKind.URL, "site.example/x"),
        trail(TrailKind.FILE_MD5, "ab" * 16),
    ]
    rows = [
        {"sender": "Eve <eve@evil.example>"},
        {"link": "https://www.site.example/x?y"},
        {"link": "http://evil.example:8080"},
        {"link": "http://203.0.113.5/x"},
        {"peer": "203.0.113.5"},
        {"helo": "203.0.113.5"},
        {"helo": "mail.evil.example"},
        {"hash": "AB" * 16},
        {"helo": "fine.example"},
    ]
    machine = engine(listed, custom=[custom("mail", columns)])
    content = lines([{"_path": "mail", "ts": float(n), "id.orig_h": "10.0.0.1", **row} for n, row in enumerate(rows)])
    found = {event.start // 1_000_000: event for event in matched(machine, "zeek-json", content, "mail").events}
    assert [found[n].trail.value if n in found else None for n in range(len(rows))] == [
        "eve@evil.example",
        "site.example/x",
        "evil.example",
        "203.0.113.5",
        "203.0.113.5",
        "203.0.113.5",
        "evil.example",
        "ab" * 16,
        None,
    ]
    assert found[0].role == "zeek.mail.sender"


def test_a_log_that_nobody_observes_is_left_alone() -> None:
    stretch = matched(engine(LISTED), "zeek-json", b'{"_path":"weird","ts":1.0,"name":"evil.example"}\n', "x")
    assert (stretch.records, stretch.events, stretch.bad_lines) == (1, [], [])
