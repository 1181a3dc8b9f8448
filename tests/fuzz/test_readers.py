"""Readers and engine take any bytes: hypothesis makes them up from what hurts."""

import json
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.formats import ARRAY, array_lines, detect
from tests.fuzz.checks import FORMATS, check
from tests.fuzz.seeds import AT, CELLS, SEEDS, TYPES, event
from tests.matchers.build import tsv
from trailhound.errors import SourceError
from trailhound.event import to_ecs

LOGS = sorted(TYPES)
HOSTILE = (
    "a" * 10_240,
    ".".join(["a"] * 500),
    ".".join(["evil"] * 500) + ".evil.example",
    "a" * 10_240 + ".evil.example",
    "evil.example\0.org",
    "\0evil.example",
    "evil.example" + "." * 600,
    "еvil.example",  # noqa: RUF001 - a Cyrillic letter is the point
    "ｅvil。example",  # noqa: RUF001 - full-width forms, which UTS 46 makes plain
    "evil\u200b.example",
    "evil.example\u202e",
    "xn--" + "9" * 60 + ".example",
    "%" * 5_000,
    "%25" * 3_000,
    "/" + "%2e%2e/" * 1_000 + "gate.php",
    "/" + "/" * 5_000,
    "/?" + "a=b&" * 3_000,
    "http://" * 500,
    "[" * 3_000,
    "203.0.113.5" * 300,
    "::" * 3_000,
    "[2001:db8::5]:" + "9" * 6_000,
    "203.0.113.5:" + "1" * 5_000,
    "fe80::1%" + "z" * 3_000,
    "9" * 5_000,
    "-" + "9" * 30,
    "1e999",
    "nan",
    "\\x" * 2_000,
    "\\x00\\xff\\x0a\\x09",
    "CN=" * 2_000,
    "<" * 5_000 + "@evil.example",
    "\ud800",
    "",
    "-",
    "(empty)",
    ",",
)
TRUE = ("evil.example", "www.EVIL.example.", "203.0.113.5", "::ffff:203.0.113.5", "/gate.php", "a.badtld", "c3" * 16)
VALUES = st.sampled_from((*HOSTILE, *TRUE)) | st.text(max_size=30)


@st.composite
def tsv_logs(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a log under a true header with hostile cells; tabs and ends of lines in them cut the rows anywhere."""
    log = draw(st.sampled_from(LOGS))
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        cells = [*AT, *CELLS[log]]
        for place in draw(st.sets(st.integers(0, len(cells) - 1), max_size=4)):
            cells[place] = draw(VALUES).encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
        rows.append(cells)
    return log, tsv(log, TYPES[log], rows)


JSON_VALUES = st.recursive(
    VALUES | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("hash", "a", "rrname")), inner),
    max_leaves=5,
)
EVE_PARTS = ("dns", "http", "tls", "quic", "flow", "fileinfo", "alert")
EVE_NAMES = (
    *("rrname", "rdata", "answers", "grouped", "queries", "hostname", "url", "http_user_agent", "xff", "sni"),
    *("subject", "fingerprint", "ja3", "ja3s", "ja4", "start", "md5", "sha256", "type", "id"),
)


@st.composite
def eve_logs(draw: st.DrawFn) -> bytes:
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        type_ = draw(st.sampled_from((*EVE_PARTS, "stats", "")))
        part = draw(st.dictionaries(st.sampled_from(EVE_NAMES), JSON_VALUES, max_size=5) | JSON_VALUES)
        top = draw(st.dictionaries(st.sampled_from(("timestamp", "src_ip", "dest_ip", "dest_port")), JSON_VALUES))
        lines.append(event(type_, **({type_: part} if type_ else {}), **top))
    return b"".join(lines)


@st.composite
def json_logs(draw: st.DrawFn) -> tuple[str, bytes]:
    log = draw(st.sampled_from(LOGS))
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        row: dict[str, Any] = {"_path": log, "ts": 1767600000.5}
        row |= draw(st.dictionaries(st.sampled_from(sorted(TYPES[log])), JSON_VALUES, max_size=5))
        rows.append(row)
    return log, b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@settings(max_examples=150, deadline=None)
@given(tsv_logs(), st.lists(st.integers(1, 20), max_size=3))
def test_zeek_tsv_with_hostile_cells_is_read_or_refused(log: tuple[str, bytes], cuts: list[int]) -> None:
    check("zeek-tsv", log[1], log[0], cuts)


@settings(max_examples=150, deadline=None)
@given(json_logs(), st.lists(st.integers(1, 4), max_size=3))
def test_zeek_json_with_hostile_values_is_read_or_refused(log: tuple[str, bytes], cuts: list[int]) -> None:
    check("zeek-json", log[1], log[0], cuts)


@settings(max_examples=150, deadline=None)
@given(eve_logs(), st.lists(st.integers(1, 4), max_size=3))
def test_eve_with_hostile_values_is_read_or_refused(log: bytes, cuts: list[int]) -> None:
    check("eve", log, "eve", cuts)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 600), st.integers(0, 40), st.binary(max_size=40))
def test_true_logs_that_are_cut_and_spoilt_anywhere_are_read_or_refused(
    seed: tuple[str, bytes], place: int, length: int, instead: bytes
) -> None:
    format_, data = seed
    check(format_, data + data[:place] + instead + data[place + length :] + data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FORMATS), st.binary(max_size=300))
@example("zeek-tsv", b"#separator \n#fields\x00ts\n1\n")
@example("zeek-tsv", b"#separator \\x31\n#fields1ts1query\n1767600000.5\x311\n")
@example("zeek-tsv", b"#separator \\x0a\n#fields\nts\n1\n")
@example("zeek-tsv", b"#separator \\x09\n#set_separator\t\n#fields\tts\tquery\tqtype\tanswers\n1\ta\t1\tb,c\n")
@example("zeek-tsv", b"#fields\t" + b"ts\t" * 3_000 + b"\n" + b"1\t" * 2_999 + b"1\n")
@example("zeek-tsv", b"#fields\tts\tts\tquery\tqtype\n1\tx\tevil.example\t1\n")
@example("zeek-tsv", b"#fields\tts\tquery\tqtype\n2001767600000\tevil.example\t1\n")
@example("zeek-json", b'{"ts": 1, "query": ' + b"[" * 100_000 + b"}\n")
@example("eve", b'{"timestamp": 1, "event_type": "dns", "dns": ' + b'{"a":' * 100_000 + b"\n")
@example("zeek-json", b'{"ts": ' + b"9" * 5_000 + b', "query": "a", "qtype": 1}\n')
@example("zeek-json", b'{"ts": 1, "query": "evil.example", "qtype": 1, "\xff": 1}\n')
@example("eve", b'{"timestamp": "2026-01-05T12:00:00Z", "flow_id": 1e400, "event_type": "dns"}\n')
@example("eve", b'{"timestamp": "2026-01-05T12:00:00Z"}\n')
def test_any_bytes_are_read_or_refused(format_: str, data: bytes) -> None:
    check(format_, data)


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_how_a_log_is_cut_changes_nothing(format_: str, data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from([seed for own, seed in SEEDS if own == format_]), max_size=6))
    cuts = data.draw(st.lists(st.integers(1, 30), max_size=4))
    content = b"".join(lines)
    whole, parts = check(format_, content), check(format_, content, cuts=cuts)
    assert (whole.records, whole.bad_lines) == (parts.records, parts.bad_lines)
    assert sum(event.count for event in whole.events) == sum(event.count for event in parts.events)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.sampled_from(SEEDS).map(lambda seed: seed[1]))
@example(b"[" * 100_000)
@example(b'{"ts":' * 50_000)
@example(b"#separator")
@example(b"#" * 65_536)
def test_any_bytes_are_of_a_format_or_of_none(data: bytes) -> None:
    assert detect(data) in (None, ARRAY, *FORMATS)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=100))
@example(b"[" * 100_000)
@example(b"[" * 5_000 + b"]" * 5_000 + b"]")
@example(b'{"a": "\xff"}]')
@example(b"1e999, null, {}]")
def test_an_array_is_read_or_refused(data: bytes) -> None:
    with suppress(SourceError):
        for lines in array_lines(BytesIO(b"[" + data), Path("eve.json")):
            check("eve", lines)


def test_the_true_logs_meet_trails() -> None:
    for format_ in FORMATS:
        met = [event for own, seed in SEEDS if own == format_ for event in check(own, seed).events]
        assert {event.trail.value for event in met} >= {"evil.example", "url.example/bad/path", "host.example/"}
        assert all(to_ecs(event)["trailhound"]["count"] == 1 for event in met)


def test_a_damaged_line_spoils_no_other() -> None:
    good = event("dns", dns={"type": "query", "id": 7, "rrname": "evil.example", "rrtype": "A"})
    stretch = check("eve", good[:40] + b"\n" + good)
    assert [line.number for line in stretch.bad_lines] == [1]
    assert [event.trail.value for event in stretch.events] == ["evil.example", "203.0.113.5"]
