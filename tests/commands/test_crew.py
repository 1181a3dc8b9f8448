"""Several processes at one file come to what one comes to that reads it from beginning to end."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest import formats, segments
from ingest.batch import BadLine
from ingest.scan import FileReport, Scanned, scan_file
from matchers.engine import Engine
from matchers.events import Events
from tests.ingest.living import header, name, row
from tests.matchers import build
from trailhound.commands.crew import Crew
from trailhound.errors import TrailhoundError
from trailhound.event import Event
from trailhound.trail import TrailKind

MAX_LINE = 600
BLOCK = 2048
LINES = 400
_CONN = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "proto": "enum",
    "conn_state": "string",
}
Line = Callable[[random.Random], bytes]


def make_engine() -> Engine:
    trails = [build.trail(TrailKind.DOMAIN, name(number)) for number in range(20)]
    return build.engine([*trails, build.trail(TrailKind.IPV4, "203.0.113.5")])


def refuse() -> Engine:
    raise TrailhoundError("no engine today")


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with Crew(2, make_engine, MAX_LINE) as at_work:
        yield at_work


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "CHUNK", BLOCK)
    monkeypatch.setattr(segments, "SIZE", 2)


def outcome(scanned: Iterator[Scanned]) -> tuple[list[Event], list[BadLine], list[int], FileReport]:
    events, bad_lines, read = [], [], []
    last: Scanned | None = None
    for last in scanned:
        read.append(last.read)
        if last.stretch is not None:
            events += last.stretch.events
            bad_lines += last.stretch.bad_lines
    assert last is not None
    assert last.stretch is None
    return events, bad_lines, read, last.report


def both_ways(crew: Crew, path: Path) -> FileReport:
    """Scan a file alone and with the crew, see that the outcome is the same, and give the report."""
    alone = outcome(scan_file(path, make_engine(), "sensor", max_line=MAX_LINE, now=lambda: 0))
    format_ = segments.format_of(path)
    assert format_ is not None
    assert len(list(segments.segments(path, format_))) > 5
    shared = outcome(crew.scan(path, format_, make_engine(), Events("sensor", str(path))))
    assert shared == alone
    assert alone[3].events > 5
    return alone[3]


def _conn_row(draw: random.Random) -> bytes:
    far = draw.choice(("203.0.113.5", "192.0.2.1"))
    cells = (f"{1_700_000_000 + draw.randrange(999)}.5", f"C{draw.randrange(40)}", "10.0.0.5", "4000", far, "443")
    return ("\t".join([*cells, "tcp", "SF"]) + "\n").encode()


def _json_line(draw: random.Random) -> bytes:
    ends = {"id.orig_h": "10.0.0.5", "id.orig_p": 4, "id.resp_h": draw.choice(("203.0.113.5", "192.0.2.1"))}
    line = {"ts": 1_700_000_000.5 + draw.randrange(999), "uid": f"C{draw.randrange(40)}", **ends, "id.resp_p": 443}
    query = name(draw.randrange(60))
    kinds: tuple[dict[str, object], ...] = (
        {"_path": "dns", "query": query, "trans_id": 4, "qtype": 1},
        {"_path": "dns", "query": query},
        {"_path": "conn", "conn_state": "SF", "proto": "tcp"},
        {"_path": "http", "host": query, "uri": "/", "trans_depth": 1, "method": "GET"},
    )
    return json.dumps({**line, **draw.choice(kinds)}).encode() + b"\n"


def _late_json_line(draw: random.Random) -> bytes:
    line = {"_path": f"late{draw.randrange(3)}", "ts": 1.5, "server_name": name(3), "cipher": "x", "established": True}
    return json.dumps(line).encode() + b"\n"


def _eve_line(draw: random.Random) -> bytes:
    stamp = f"2026-01-01T00:{draw.randrange(60):02d}:00.000000+0000"
    ends = {"src_ip": "10.0.0.5", "src_port": 4, "dest_ip": draw.choice(("203.0.113.5", "192.0.2.1")), "dest_port": 80}
    query = name(draw.randrange(60))
    http = {"http": {"hostname": query, "url": "/x", "http_method": "GET"}}
    kind, more = draw.choice(
        (
            ("http", http),
            ("alert", {**http, "app_proto": "http", "alert": {"signature": "s", "signature_id": 1}}),
            ("dns", {"dns": {"type": "query", "id": 4, "rrname": query, "rrtype": "A"}}),
            ("dns", {"dns": {"type": "answer", "id": 4, "rrname": query, "rrtype": "A", "answers": []}}),
            ("flow", {"flow": {"start": stamp, "pkts_toclient": 4}}),
        )
    )
    line = {"timestamp": stamp, "flow_id": draw.randrange(40), "event_type": kind, **ends, "proto": "TCP", **more}
    return json.dumps(line).encode() + b"\n"


def _dns_row(draw: random.Random) -> bytes:
    return row(draw.randrange(999), name(draw.randrange(60)))


_BAD: tuple[Line, ...] = (
    lambda _: b"nonsense\n",
    lambda _: b"\n",
    lambda draw: b"x" * draw.choice((500, 700, 3 * BLOCK, 9 * BLOCK)) + b"\n",
    lambda _: b"\xef\xbb\xbf{}\r\n",
)
_HEADERS: tuple[Line, ...] = (
    lambda _: header(),
    lambda _: build.tsv("conn", _CONN, []),
    lambda _: b"#close\t2026-01-01-00-00-00\n",
    lambda _: b"#unset_field\t?\n",
    lambda _: b"#separator \\x09\n",
    lambda _: b"#fields\tts\tquery\n",
)
_KINDS: dict[str, tuple[Line, tuple[Line, ...], tuple[Line, ...]]] = {
    "dns.log": (lambda _: header(), (_dns_row,), _BAD),
    "all.log": (lambda _: header(), (_dns_row, _dns_row, _conn_row), (*_BAD, *_HEADERS, *_HEADERS[:2] * 5)),
    "conn.log": (lambda _: build.tsv("conn", _CONN, []), (_conn_row,), (*_BAD, *_HEADERS[1:3])),
    "zeek.json": (_json_line, (_json_line,), _BAD),
    "mixed.json": (_json_line, (_json_line,), (*_BAD, _late_json_line)),
    "eve.json": (_eve_line, (_eve_line,), _BAD),
}


def _write(path: Path, seed: int) -> Path:
    draw = random.Random(f"{path.name} {seed}")
    first, usual, rare = _KINDS[path.name]
    lines = [first(draw), *(draw.choice(usual if draw.random() < 0.97 else rare)(draw) for _ in range(LINES))]
    path.write_bytes(b"".join(lines).removesuffix(b"\n" if seed % 2 else b""))
    return path


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", _KINDS)
def test_a_file_with_everything_in_it_comes_out_the_same(crew: Crew, tmp_path: Path, kind: str, seed: int) -> None:
    assert both_ways(crew, _write(tmp_path / kind, seed)).unreadable > 0


def test_what_is_known_of_earlier_files_counts(crew: Crew, tmp_path: Path) -> None:
    path = _write(tmp_path / "conn.log", 1)
    engine = make_engine()
    first, second = (outcome(crew.scan(path, "zeek-tsv", engine, Events("sensor")))[3].events for _ in range(2))
    alone = make_engine()
    again = [outcome(scan_file(path, alone, "sensor", max_line=MAX_LINE, now=lambda: 0))[3].events for _ in range(2)]
    assert [first, second] == again


def test_a_crew_that_cannot_start_says_why(tmp_path: Path) -> None:
    path = _write(tmp_path / "dns.log", 0)
    with Crew(2, refuse, MAX_LINE) as crew, pytest.raises(TrailhoundError, match="no engine today"):
        list(crew.scan(path, "zeek-tsv", make_engine(), Events("sensor")))


def test_a_file_that_is_gone_is_told_of(crew: Crew, tmp_path: Path) -> None:
    report = outcome(crew.scan(tmp_path / "dns.log", "zeek-tsv", make_engine(), Events("sensor")))[3]
    assert "dns.log: the log cannot be read: No such file" in (report.problem or "")
