"""An event as an ECS document."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trailhound.plain_ecs import plain_ecs
from trailhound.event import _INDICATOR_TYPES, Event, event_id, nest, timestamp, to_ecs
from trailhound.severity import Direction, Severity
from trailhound.threat import threat_id
from trailhound.trail import Trail, TrailClass, TrailKind

TRAIL = Trail(TrailKind.DOMAIN, "evil.example", "emotet", TrailClass.C2, ("a", "b"), "https://r.example", 80, 86_400)
EVENT = Event(
    id=event_id("s", "zeek.dns", "line", 1_000_000, "domain", "evil.example"),
    start=1_000_000,
    end=2_500_000,
    count=3,
    sensor="s",
    module="zeek",
    dataset="zeek.dns",
    trail=TRAIL,
    observed="www.evil.example",
    role="dns.question.name",
    severity=Severity.CRITICAL,
    direction=Direction.OUTBOUND,
    answered=None,
    source_ip="10.0.0.1",
    source_port=40000,
    destination_ip="192.0.2.53",
    destination_port=53,
    transport="udp",
    protocol="dns",
    message="10.0.0.1 asked for www.evil.example: emotet",
    ecs={"dns.question.name": "www.evil.example", "dns.resolved_ip": ["192.0.2.9"], "zeek.session_id": "C1"},
)


def test_the_document_says_who_met_what_and_when() -> None:
    document = to_ecs(EVENT)
    assert document["@timestamp"] == "1970-01-01T00:00:01.000000Z"
    assert document["event"] | {"id": ""} == {
        "id": "",
        "kind": "alert",
        "category": ["network", "intrusion_detection", "malware"],
        "type": ["connection", "info"],
        "module": "zeek",
        "dataset": "zeek.dns",
        "severity": 99,
        "risk_score": 99.0,
        "start": "1970-01-01T00:00:01.000000Z",
        "end": "1970-01-01T00:00:02.500000Z",
    }
    assert document["dns"]["question"]["name"] == "www.evil.example"
    assert document["related"] == {
        "ip": ["10.0.0.1", "192.0.2.53", "192.0.2.9"],
        "hosts": ["evil.example", "www.evil.example"],
    }
    assert document["trailhound"]["count"] == 3
    assert document["threat"]["indicator"]["confidence"] == "High"
    assert document["threat"]["enrichments"][0]["matched"]["field"] == "dns.question.name"
    assert "answered" not in document["trailhound"]


@pytest.mark.parametrize("custom", [True, False])
def test_the_document_says_whether_the_trail_is_ones_own(custom: bool) -> None:  # noqa: FBT001
    document = to_ecs(replace(EVENT, trail=replace(TRAIL, custom=custom)))
    assert document["trailhound"]["custom"] is custom


VALUES: dict[TrailKind, tuple[str, dict[str, Any]]] = {
    TrailKind.IPV4: ("192.0.2.1", {"type": "ipv4-addr", "ip": "192.0.2.1"}),
    TrailKind.IPV6: ("2001:db8::1", {"type": "ipv6-addr", "ip": "2001:db8::1"}),
    TrailKind.CIDR: ("2001:db8::/32", {"type": "ipv6-addr"}),
    TrailKind.IP_PORT: ("[2001:db8::1]:443", {"type": "ipv6-addr", "ip": "2001:db8::1", "port": 443}),
    TrailKind.URL: (
        "evil.example/x",
        {"type": "url", "url": {"original": "evil.example/x", "domain": "evil.example", "path": "/x"}},
    ),
    TrailKind.PATH: ("/gate.php", {"type": "url", "url": {"original": "/gate.php", "path": "/gate.php"}}),
    TrailKind.FILE_MD5: ("ab" * 16, {"type": "file", "file": {"hash": {"md5": "ab" * 16}}}),
    TrailKind.EMAIL: ("eve@evil.example", {"type": "email-addr", "email": {"address": "eve@evil.example"}}),
    TrailKind.FILE_NAME: ("a.exe", {"type": "file", "file": {"name": "a.exe"}}),
    TrailKind.USER_NAME: ("mallory", {"type": "user-account"}),
}


@pytest.mark.parametrize("kind", VALUES)
def test_an_indicator_has_the_fields_of_its_kind(kind: TrailKind) -> None:
    value, expected = VALUES[kind]
    indicator = to_ecs(replace(EVENT, trail=replace(TRAIL, kind=kind, value=value)))["threat"]["indicator"]
    assert {name: indicator.get(name) for name in expected} == expected
    assert indicator["name"] == value


def test_every_kind_but_a_rule_has_a_type_of_indicator() -> None:
    assert set(_INDICATOR_TYPES) == set(TrailKind) - {TrailKind.RULE}


ODD = st.one_of(st.none(), st.text(), st.integers(-(2**62), 2**62), st.lists(st.text()), st.booleans(), st.floats())
NAMES = st.sampled_from(["dns.question.name", "url.domain", "tls.client.server_name", "file.hash.md5", "file.size"])


@given(st.dictionaries(NAMES, ODD), st.sampled_from(TrailKind))
def test_whatever_a_record_holds_the_document_can_be_written(ecs: dict[str, object], kind: TrailKind) -> None:
    value = {TrailKind.IP_PORT: "192.0.2.1:80"}.get(kind, "192.0.2.1")
    document = to_ecs(replace(EVENT, ecs=ecs, trail=replace(TRAIL, kind=kind, value=value)))
    assert orjson.loads(orjson.dumps(document))["trailhound"]["trail"] == value


# Fields of records, among them such as stand beside ours, and such as ours are stronger than.
RECORD = st.dictionaries(
    st.sampled_from(
        [
            "dns.question.name",
            "dns.resolved_ip",
            "event.action",
            "file.hash.md5",
            "file.size",
            "log.file.path",
            "message",
            "network.community_id",
            "observer.name",
            "related.user",
            "source.bytes",
            "source.port",
            "threat.software.name",
            "threat.indicator.marking",
            "trailhound.count",
            "trailhound.else",
            "url.domain",
            "zeek.session_id",
        ]
    ),
    st.one_of(st.none(), st.just(""), st.text(min_size=1), st.integers(0, 9), st.lists(st.text()), st.booleans()),
).map(lambda ecs: ecs | {"dns.resolved_ip": ["192.0.2.7"]} if "dns.resolved_ip" in ecs else ecs)
WORDS = st.sampled_from(["", "zeek", "suricata", "else"])
ADDRESSES = st.sampled_from([None, "", "192.0.2.1", "2001:db8::1", "no address"])
MOMENTS = st.integers(-(10**15), 4 * 10**15)
TRAILS = st.builds(
    Trail,
    kind=st.sampled_from(TrailKind),
    value=st.sampled_from(["192.0.2.1:80", "evil.example/path", "/path", "a" * 64]),
    info=WORDS,
    class_=st.sampled_from(TrailClass),
    sources=st.lists(WORDS, max_size=2).map(tuple),
    reference=WORDS,
    confidence=st.integers(0, 100),
    first_seen=st.none() | st.integers(0, 2**31),
    expires=st.none(),
    custom=st.booleans(),
).map(lambda trail: replace(trail, value="192.0.2.1:80") if trail.kind is TrailKind.IP_PORT else trail)
EVENTS = st.builds(
    Event,
    id=WORDS,
    start=MOMENTS,
    end=MOMENTS,
    count=st.integers(0, 9),
    sensor=WORDS,
    module=WORDS,
    dataset=WORDS,
    trail=TRAILS,
    observed=WORDS,
    role=WORDS,
    severity=st.sampled_from(Severity),
    direction=st.sampled_from(Direction),
    answered=st.sampled_from([None, True, False]),
    source_ip=ADDRESSES,
    source_port=st.sampled_from([None, 0, 53]),
    destination_ip=ADDRESSES,
    destination_port=st.sampled_from([None, 0, 53]),
    transport=st.none() | WORDS,
    protocol=st.none() | WORDS,
    message=WORDS,
    ingested=st.integers(0, 4 * 10**15),
    tags=st.lists(WORDS, max_size=2).map(tuple),
    ecs=RECORD,
)


@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_the_fast_way_writes_the_same_documents_as_the_plain_one(events: list[Event]) -> None:
    # More than one: what is remembered of a trail must not change with the events that meet it.
    for event in (*events, *events):
        assert to_ecs(event) == plain_ecs(event)


def test_the_document_names_the_threat() -> None:
    named = threat_id("10.0.0.1", TrailKind.DOMAIN, "evil.example")
    assert to_ecs(EVENT)["trailhound"]["threat_id"] == named


def test_an_id_stands_for_its_facts_and_begins_with_the_time() -> None:
    facts = ("s", "zeek.dns", "line", 1_000_000, "domain", "evil.example")
    assert event_id(*facts) == event_id(*facts)
    assert event_id(*facts).startswith("00000001")
    assert len(event_id(*facts)) == 32
    for place in range(6):
        changed: list[Any] = [*facts]
        changed[place] = 2_000_000 if place == 3 else "other"
        assert event_id(*changed) != event_id(*facts)


def test_times_are_written_in_utc_with_microseconds() -> None:
    assert timestamp(1_772_366_401_250_001) == "2026-03-01T12:00:01.250001Z"


def test_what_is_unset_or_empty_is_left_out_but_not_zero_or_false() -> None:
    dotted: dict[str, Any] = {"a.b": 0, "a.c": False, "a.d": None, "e": "", "f": [], "g.h": {}, "a.i": 0.0}
    assert nest(dotted) == {"a": {"b": 0, "c": False, "i": 0.0}}
