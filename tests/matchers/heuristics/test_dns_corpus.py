"""Heuristics of DNS in real logs, and in the captures of the reference system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feeds.files import read_trails
from ingest.formats import HEAD, detect, open_log
from ingest.logtypes import log_of_file
from ingest.scan import find_files
from matchers.engine import Engine
from matchers.findings import SOURCE
from tests.matchers.build import matched
from tests.matchers.heuristics.questions import watched
from trailhound.event import Event
from trailhound.trail import Trail

_NAMES = ("long-name", "dns-exhaustion", "nxdomain-excess", "generated-name", "dns-tunnel", "sinkholed", "parked")


def _events(machine: Engine, folder: Path) -> Iterator[Event]:
    for path in find_files([folder]):
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            yield from matched(machine, kind, content, log_of_file(path.name)).events


@pytest.mark.parametrize("format_", ["zeek_tsv", "zeek_json", "suricata"])
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("dns_nxdomain_flood+handshake", {"excessive no such domain"}),
        ("dns_responses+handshake", {"sinkholed by testsink", "parked site"}),
        ("dns_exhaustion", set()),
        ("dns_queries", set()),
        ("whitelisted", set()),
    ],
)
def test_captures_of_the_reference_system_say_the_same(
    corpus: Path, case: str, expected: set[str], format_: str
) -> None:
    folder = corpus / "maltrail_corpus"
    trails = [entry for entry in read_trails(folder / "trails.csv") if isinstance(entry, Trail)]
    events = _events(watched(*_NAMES, trails=trails), folder / case / format_)
    assert {event.trail.info for event in events if event.ecs.get("rule.category") == SOURCE} == expected


def test_real_logs_of_ordinary_networks_are_silent(corpus: Path) -> None:
    records = 0
    for path in sorted((corpus / "zeek_logs").rglob("dns*.log*")):
        if path.is_dir():
            continue
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is None:
            continue
        machine = watched(*_NAMES)
        stretch = matched(machine, kind, content, "dns")
        assert stretch.events == [], path
        assert machine.heuristics is not None
        assert machine.heuristics.failures == {}
        records += stretch.records
    assert records > 60_000
