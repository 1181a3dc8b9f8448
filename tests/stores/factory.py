"""Events and trails for tests: sound ones, of which a test changes what it is about."""

from dataclasses import replace
from typing import Any

from trailhound.event import Event, event_id
from trailhound.record import MICROSECONDS
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

HOUR = 3_600 * MICROSECONDS
# 2025-10-01T00:00:00Z, a whole hour and a whole day.
START = 1_759_276_800 * MICROSECONDS


def make_trail(**changes: Any) -> Trail:
    """Make a trail: a domain of a C2 server unless `changes` (fields of `Trail`) say otherwise."""
    trail = Trail(
        kind=TrailKind.DOMAIN,
        value="evil.example",
        info="emotet (malware)",
        class_=TrailClass.C2,
        sources=("maltrail", "urlhaus"),
        reference="https://lists.example/emotet.txt",
        confidence=80,
        first_seen=1_700_000_000,
    )
    return replace(trail, **changes)


def make_event(**changes: Any) -> Event:
    """Make an event: a DNS query of an inner host for a C2 domain unless `changes` (fields of `Event`) say otherwise.

    The id follows from the facts, `identity` (no field of an event) among them; so two events that differ only in what
    is no part of the id are the same event to a store.
    """
    identity = changes.pop("identity", "CHhAvVGS1DHFjwGM9")
    event = Event(
        id="",
        start=START,
        end=START,
        count=1,
        sensor="sensor-1",
        module="zeek",
        dataset="zeek.dns",
        trail=make_trail(),
        observed="www.evil.example",
        role="dns.question.name",
        severity=Severity.CRITICAL,
        direction=Direction.OUTBOUND,
        answered=True,
        source_ip="192.168.1.10",
        source_port=53124,
        destination_ip="192.168.1.1",
        destination_port=53,
        transport="udp",
        protocol="dns",
        message="192.168.1.10 asked for www.evil.example: emotet (malware)",
        ingested=START + MICROSECONDS,
        ecs={"dns.question.name": "www.evil.example", "zeek.session_id": "CHhAvVGS1DHFjwGM9"},
    )
    event = replace(
        event, **({"end": changes["start"]} if "start" in changes and "end" not in changes else {}) | changes
    )
    if event.id:
        return event
    kind, value = event.trail.kind.value, event.trail.value
    return replace(event, id=event_id(event.sensor, event.dataset, identity, event.start, kind, value))


def make_attack(**changes: Any) -> Event:
    """Make an event of an address on the internet that attacks an inner host."""
    source = changes.get("source_ip", "45.155.205.233")
    facts: dict[str, Any] = {
        "dataset": "zeek.conn",
        "trail": make_trail(
            kind=TrailKind.IPV4, value=source, info="mass scanner", class_=TrailClass.ATTACKER, sources=("blocklist",)
        ),
        "observed": source,
        "role": "source.ip",
        "severity": Severity.LOW,
        "direction": Direction.INBOUND,
        "answered": False,
        "source_ip": source,
        "source_port": 40000,
        "destination_ip": "192.168.1.20",
        "destination_port": 22,
        "transport": "tcp",
        "protocol": "ssh",
        "message": f"{source} called at 192.168.1.20:22: mass scanner",
        "ecs": {"zeek.session_id": "C4J4Th3PJpwUYZZ6gc"},
    }
    return make_event(**(facts | changes))
