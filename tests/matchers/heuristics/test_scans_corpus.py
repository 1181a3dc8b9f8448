"""Scans in logs that nobody here wrote: those that are there are found, and nothing else is."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from ingest.formats import HEAD, detect, open_log
from ingest.logtypes import log_of_file
from ingest.scan import find_files
from matchers.engine import Engine
from tests.matchers.build import matched
from tests.matchers.heuristics.questions import watched
from trailhound.event import Event

_SCANS = ("port-scan", "udp-scan", "host-sweep", "infection")
_FORMATS = ("zeek_tsv", "zeek_json", "suricata")
_LABELLED = Path("labelled", "stratosphereips+security-datasets-for-testing")
# Traffic of people and servers, without a scan by what its owners say of it.
_BENIGN = (
    "activecm+rita/proxy",
    "activecm+rita/proxy_rolling",
    "tenzir+vast/libvast_test",
    "OTRF+Security-Datasets",
    "SuperCowPowers+zat",
    "un5eeny0t+UMCS-notebook",
)


def found(machine: Engine, paths: Iterable[Path]) -> list[Event]:
    events: list[Event] = []
    for path in paths:
        with open_log(path) as stream:
            content = stream.read()
        kind = detect(content[:HEAD])
        if kind is not None:
            events += matched(machine, kind, content, log_of_file(path.name)).events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if "rule.name" in event.ecs]


@pytest.mark.parametrize("format_", _FORMATS)
def test_the_scans_of_the_reference_system_are_found_by_its_own_words(corpus: Path, format_: str) -> None:
    folder = corpus / "maltrail_corpus"
    for case in json.loads((folder / "manifest.json").read_text()):
        events = found(watched(*_SCANS), find_files([folder / case["name"] / format_]))
        expected = {one for one in case["expect"] if one.endswith(("scanning", "infection"))}
        assert {event.trail.info for event in events} == expected, case["name"]
        assert len(events) == len(expected)


def test_every_host_that_nmap_scanned_is_told(corpus: Path) -> None:
    events = found(watched("port-scan"), [corpus / _LABELLED / "002-zeek-scenario-port-scanning" / "conn.log"])
    assert {event.source_ip for event in events} == {"172.16.1.11"}
    assert len({event.destination_ip for event in events}) == 24


@pytest.mark.parametrize("folder", _BENIGN)
def test_ordinary_traffic_is_silent(corpus: Path, folder: str) -> None:
    files = [path for path in find_files([corpus / "zeek_logs" / folder]) if "conn" in path.name]
    assert files
    assert found(watched(*_SCANS), files) == []


@pytest.mark.parametrize("day", ["008-zeek-mixed", "010-zeek-mixed"])
def test_only_attackers_are_told_of_a_labelled_day(corpus: Path, day: str) -> None:
    path = corpus / _LABELLED / day / "data" / "conn.log.labeled"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    attackers = {line.split("\t")[2] for line in lines if "Malicious" in line}
    sources = {event.source_ip for event in found(watched(*_SCANS), [path])}
    assert sources
    assert sources <= attackers
