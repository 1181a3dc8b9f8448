"""A stretch is the same however it is cut, and lines that are too long are told so."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import reader_of
from ingest.stretch import match
from matchers.events import Events
from tests.ingest.reading import WANTED
from tests.matchers.build import engine, trail, tsv
from trailhound.trail import TrailKind

EVE = Path(__file__).parents[1] / "fixtures" / "suricata" / "eve.json"
TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "query": "string"}


def test_a_line_that_is_too_long_is_bad_and_those_around_it_are_read() -> None:
    rows = [["1.0", "C1", "10.0.0.1", "evil.example"], ["2.0", "C2", "10.0.0.1", "x" * 9000]]
    rows.append(["3.0", "C3", "10.0.0.1", "evil.example"])
    stretch = match(
        reader_of("zeek-tsv", WANTED, "dns"),
        engine([trail(TrailKind.DOMAIN, "evil.example")]),
        tsv("dns", TYPES, rows),
        Events("s"),
        max_line=4096,
    )
    assert stretch.records == 2
    assert [event.count for event in stretch.events] == [2]
    (bad,) = stretch.bad_lines
    assert bad.number == 9
    assert "the limit (logs.max_line_bytes) is 4,096" in bad.reason
    assert bad.raw.endswith(b"x" * 9000)
    assert not bad.cut


LINES = [line + b"\n" for line in EVE.read_bytes().splitlines()[:250]]
TRAILS = [
    trail(TrailKind.CIDR, "0.0.0.0/1"),
    trail(TrailKind.CIDR, "128.0.0.0/1"),
    trail(TrailKind.TLD, "example"),
]


@given(st.lists(st.integers(1, len(LINES) - 1), max_size=6))
def test_what_counts_of_a_connection_does_not_depend_on_how_the_file_was_cut(places: list[int]) -> None:
    edges = [0, *sorted(set(places)), len(LINES)]
    assert _facts(edges) == _facts([0, len(LINES)])


def _facts(edges: list[int]) -> dict[tuple[object, ...], int]:
    machine = engine(TRAILS)
    reader, events = reader_of("eve", WANTED, ""), Events("s")
    found: dict[tuple[object, ...], int] = {}
    for start, end in pairwise(edges):
        for event in match(reader, machine, b"".join(LINES[start:end]), events, max_line=1 << 20).events:
            key = (event.dataset, event.source_ip, event.trail.value, event.role, event.observed, event.answered)
            found[key] = found.get(key, 0) + event.count
    return found
