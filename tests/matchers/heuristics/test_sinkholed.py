"""Names that are answered with the address of a sinkhole or a parking site."""

import ipaddress

import pytest

from ingest.formats import reader_of
from ingest.stretch import match
from matchers.engine import Engine
from matchers.events import Events
from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.build import matched, trail
from tests.matchers.heuristics.questions import FORMATS, Question, found, log, watched
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

_TRAILS = [
    trail(TrailKind.IPV4, "198.51.100.90", TrailClass.SINKHOLE, "sinkhole testsink (malware)"),
    trail(TrailKind.IPV4, "198.51.100.92", TrailClass.SINKHOLE, "sinkhole testsink (malware)"),
    trail(TrailKind.IPV4, "198.51.100.91", TrailClass.PARKED, "parking site (suspicious)"),
    trail(TrailKind.IPV4, "198.51.100.66", TrailClass.C2, "botnet c2"),
]
_SINKHOLED = Question("bad.example.com", answers=["192.0.2.9", "198.51.100.90", "198.51.100.92"])
_PARKED = Question("gone.example.com", answers=["198.51.100.91"])


def _said(format_: str, *names: str, allowed: str = "") -> list[tuple[str, str, str]]:
    machine = watched(*names, trails=_TRAILS, allowed=allowed)
    kind = "eve" if format_ == "eve-3" else format_
    events = matched(machine, kind, log(format_, [_SINKHOLED, _PARKED]), "dns").events
    return sorted((event.trail.value, event.trail.kind, event.trail.info) for event in events)


@pytest.mark.parametrize("format_", FORMATS)
def test_the_name_is_reported_in_place_of_the_address(format_: str) -> None:
    assert _said(format_, "sinkholed", "parked") == [
        ("bad.example.com", TrailKind.DOMAIN, "sinkholed by testsink"),
        ("gone.example.com", TrailKind.DOMAIN, "parked site"),
    ]
    assert _said(format_) == [
        ("198.51.100.90", TrailKind.IPV4, "sinkhole testsink (malware)"),
        ("198.51.100.91", TrailKind.IPV4, "parking site (suspicious)"),
        ("198.51.100.92", TrailKind.IPV4, "sinkhole testsink (malware)"),
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_event_says_who_asked_and_how_bad_it_is(format_: str) -> None:
    machine = watched("sinkholed", "parked", trails=_TRAILS)
    sinkholed, parked = sorted(found(machine, format_, [_SINKHOLED, _PARKED]), key=lambda event: event.trail.value)
    assert (sinkholed.source_ip, sinkholed.count, sinkholed.severity) == ("10.0.0.7", 1, Severity.HIGH)
    assert sinkholed.message == (
        "10.0.0.7 asked for bad.example.com, which is answered with 198.51.100.90: sinkholed by testsink"
    )
    assert (sinkholed.trail.class_, parked.trail.class_) == (TrailClass.SINKHOLE, TrailClass.PARKED)
    assert parked.severity is Severity.LOW


def test_other_trails_that_answers_meet_are_reported_as_they_are() -> None:
    machine = watched("sinkholed", "parked", trails=_TRAILS)
    data = log("zeek-tsv", [Question("c2.example.com", answers=["198.51.100.66"])])
    (event,) = matched(machine, "zeek-tsv", data, "dns").events
    assert event.trail.value == "198.51.100.66"


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert _said("zeek-tsv", "sinkholed", "parked", allowed="example.com\n") == []
    mute = Mute(rule="sinkholed", source=ipaddress.ip_network("10.0.0.0/8"))
    machine = watched("sinkholed", trails=_TRAILS, muted=Mutes([mute]))
    assert matched(machine, "zeek-tsv", log("zeek-tsv", [_SINKHOLED]), "dns").events == []


def test_two_sensors_tell_of_one_look_up_once() -> None:
    machine = watched("sinkholed", trails=_TRAILS)
    data = log("zeek-tsv", [_SINKHOLED])
    told = [_events_of(machine, data, sensor) for sensor in ("one", "other")]
    assert told == [1, 0]


def _events_of(machine: Engine, data: bytes, sensor: str) -> int:
    reader = reader_of("zeek-tsv", machine.wanted(), "dns")
    return len(match(reader, machine, data, Events(sensor), max_line=1 << 20).events)
