"""Tunnels in DNS."""

import base64
import hashlib
import ipaddress
import random

import pytest

from ingest.formats import reader_of
from ingest.stretch import match
from matchers.events import Events
from matchers.heuristics.mutes import Mute, Mutes
from tests.matchers.heuristics.questions import FORMATS, Question, found, log, watched, watched_by
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_NAME = "dns-tunnel"


def _bytes(seed: int, size: int) -> bytes:
    return hashlib.shake_128(str(seed).encode()).digest(size)


def _hex(seed: int, size: int = 30) -> str:
    return _bytes(seed, size).hex()


def _base32(seed: int, size: int = 35) -> str:
    return base64.b32encode(_bytes(seed, size)).decode().lower().rstrip("=")


def _talk(number: int = 160, step: float = 1, zone: str = "t.example.com", type_: str = "TXT") -> list[Question]:
    names = (f"{_hex(place)}.{zone}" for place in range(number))
    return [Question(name, place * step, type=type_) for place, name in enumerate(names)]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_tunnel_is_one_event_about_its_zone(format_: str) -> None:
    (event,) = found(watched(_NAME), format_, _talk())
    assert (event.source_ip, event.trail.kind, event.trail.value) == ("10.0.0.7", TrailKind.DOMAIN, "example.com")
    assert event.severity is Severity.HIGH
    assert event.count == 150
    assert "potential dns tunneling" in event.message
    parts = event.ecs["trailhound.parts"]
    assert sum(part["points"] for part in parts) == pytest.approx(event.trail.confidence, abs=1)
    assert next(part for part in parts if part["name"] == "types")["points"] == 25


def _iodine(place: int) -> str:
    return f"0{_base32(place)}.{_base32(-place - 1)}.t.example.com"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("names", "zone"),
    [
        ([_iodine(place) for place in range(700)], "example.com"),
        ([f"dnscat.{_hex(place, 25)}" for place in range(160)], "dnscat"),
        ([f"{_hex(place, 30)}.evil.duckdns.org" for place in range(160)], "evil.duckdns.org"),
        ([f"{_hex(place, 30)}.t.nosuchtld" for place in range(160)], "t.nosuchtld"),
        ([f"\xbd\xe9+{_hex(place, 30)}.t.example.com" for place in range(160)], "example.com"),
    ],
    ids=["iodine", "dnscat2 at its server", "dynamic name", "no such suffix", "bytes that no name has"],
)
def test_tunnels_of_many_makes_are_found(format_: str, names: list[str], zone: str) -> None:
    (event,) = found(watched(_NAME), format_, [Question(name, place) for place, name in enumerate(names)])
    assert event.trail.value == zone


def test_two_sensors_that_see_one_tunnel_count_it_once() -> None:
    machine, questions = watched(_NAME), _talk(number=149)
    for start in range(0, 149, 50):
        part = log("zeek-tsv", questions[start : start + 50])
        for sensor in ("one", "other"):
            reader = reader_of("zeek-tsv", machine.wanted(), "dns")
            assert match(reader, machine, part, Events(sensor), max_line=1 << 20).events == []
    (event,) = found(machine, "zeek-tsv", [Question(f"{_hex(999)}.t.example.com", 149)])
    assert event.count == 150


def test_order_makes_no_difference() -> None:
    questions = _talk()
    random.Random(7).shuffle(questions)
    assert len(found(watched(_NAME), "zeek-tsv", questions)) == 1


def test_a_fast_tunnel_needs_no_time() -> None:
    questions = [Question(_iodine(place), place / 100, type="NULL") for place in range(700)]
    (event,) = found(watched(_NAME), "zeek-tsv", questions)
    assert event.end - event.start < 10_000_000


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "questions",
    [
        _talk(number=149),
        _talk(step=0.5, number=160),
        _talk(step=8),
        _talk(zone="avqs.mcafee.com"),
        _talk(zone="tunnel.corp"),
        [one for pair in zip(_talk(), _talk(type_="AAAA"), strict=True) for one in pair],
        [Question(f"{_hex(place)[:19]}.example.com", place) for place in range(400)],
        [Question(f"{'abababab' * 4}{place}.example.com", place) for place in range(400)],
        [Question(f"statistics-of-our-servers-{place}.example.com", place) for place in range(400)],
        [Question(f"{_hex(place)}.zone{place}.com", place) for place in range(400)],
        [Question(f"{_hex(place)}.example.com", place, f"10.0.0.{place % 4}") for place in range(400)],
    ],
    ids=[
        "one name less",
        "less than two minutes",
        "slower than the window",
        "reputation",
        "local",
        "each name in two types",
        "short labels",
        "little in them",
        "words",
        "many zones",
        "many clients",
    ],
)
def test_near_misses_are_silent(format_: str, questions: list[Question]) -> None:
    assert found(watched(_NAME), format_, questions) == []


def test_a_tunnel_is_told_of_once_in_a_window() -> None:
    assert len(found(watched(_NAME), "zeek-tsv", _talk(number=800))) == 1
    assert len(found(watched(_NAME), "zeek-tsv", _talk(number=2000))) == 3


def test_what_is_whitelisted_or_muted_is_silent() -> None:
    assert found(watched(_NAME, allowed="example.com\n"), "zeek-tsv", _talk()) == []
    for mute in (Mute(rule=_NAME, source=ipaddress.ip_network("10.0.0.0/8")), Mute(value="example.com")):
        assert found(watched(_NAME, muted=Mutes([mute])), "zeek-tsv", _talk()) == []


def test_thresholds_are_the_sites() -> None:
    machine = watched_by({_NAME: {"names": 20, "bytes": 100, "span": 10}})
    assert len(found(machine, "zeek-tsv", _talk(number=21))) == 1


def test_state_is_bounded_in_a_storm() -> None:
    machine = watched(_NAME)
    found(machine, "zeek-tsv", [Question(f"{_hex(place)}.zone{place}.com", place / 1000) for place in range(5000)])
    assert machine.heuristics is not None
    assert machine.heuristics.held()[_NAME] == 2000
