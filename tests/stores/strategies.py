"""Events and queries for property tests: few values, so that they meet often."""

from typing import Any

from hypothesis import strategies as st

from stores.contract import Query
from stores.threat import threat_id
from tests.stores.factory import HOUR, START, make_event, make_trail
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailGroup, TrailKind

DAY = 24 * HOUR
ADDRESSES = ("192.168.1.10", "192.168.1.11", "10.0.0.5", "45.155.205.233", "45.155.204.1", "2a02:6b8::2", "fe80::1")
NETWORKS = (*ADDRESSES, "192.168.0.0/16", "45.155.204.0/23", "0.0.0.0/0", "::/0", "2a02::/16", "fc00::/7", "8.8.8.8")
INFOS = ("emotet (malware)", "Straße %", "mass_scanner", "ΣΊΣΥΦΟΣ")
SENSORS = ("sensor-1", "Ost", "west_2")
DATASETS = ("zeek.dns", "zeek.conn", "suricata.tls")
PROTOCOLS = (None, "dns", "tls", "http")
VALUES = ((TrailKind.DOMAIN, "evil.example"), (TrailKind.DOMAIN, "bad.example"), (TrailKind.IPV4, "45.155.205.233"))
KINDS = (*VALUES, (TrailKind.URL, "evil.example/gate.php"), (TrailKind.JA3, "e7d705a3286e19ea42f587b344ee6865"))
THREATS = ("of nothing", *(threat_id(source, kind, value) for source in (None, *ADDRESSES) for kind, value in KINDS))
# Around the edges of hours and days, on both sides of the epoch of the tests, and one long before.
_EDGES = (-400 * DAY, -DAY, 0, HOUR, 23 * HOUR, DAY, DAY + HOUR, 3 * DAY, 60 * DAY)
TIMES = st.builds(
    lambda edge, off: START + edge + off, st.sampled_from(_EDGES), st.sampled_from((-1, 0, 1, 1_800_000_000))
)


def trails() -> st.SearchStrategy[Trail]:
    return st.builds(
        lambda what, info, class_, custom: make_trail(
            kind=what[0], value=what[1], info=info, class_=class_, custom=custom
        ),
        st.sampled_from(KINDS),
        st.sampled_from(INFOS),
        st.sampled_from((TrailClass.C2, TrailClass.ATTACKER, TrailClass.SCANNER)),
        st.booleans(),
    )


def events() -> st.SearchStrategy[Event]:
    facts: dict[str, st.SearchStrategy[Any]] = {
        "identity": st.text("abcdef", min_size=8, max_size=8),
        "start": TIMES,
        "count": st.sampled_from((1, 1, 2, 1000)),
        "sensor": st.sampled_from(SENSORS),
        "dataset": st.sampled_from(DATASETS),
        "trail": trails(),
        "observed": st.sampled_from(("www.evil.example", "WWW.Bad.Example", "100%_sure")),
        "severity": st.sampled_from(Severity),
        "direction": st.sampled_from(Direction),
        "answered": st.sampled_from((True, False, None)),
        "source_ip": st.sampled_from((None, *ADDRESSES)),
        "destination_ip": st.sampled_from((None, *ADDRESSES)),
        "source_port": st.sampled_from((None, 0, 53, 40000)),
        "destination_port": st.sampled_from((None, 22, 53, 65535)),
        "transport": st.sampled_from(("tcp", "udp", None)),
        "protocol": st.sampled_from(PROTOCOLS),
        "message": st.sampled_from(("Somebody asked", "somebody CALLED ß", "")),
    }
    return st.builds(lambda changes: make_event(**changes), st.fixed_dictionaries(facts))


def _some(values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


def queries() -> st.SearchStrategy[Query]:
    """Make queries of at most three conditions and a stretch of time."""
    conditions: dict[str, st.SearchStrategy[Any]] = {
        "severities": _some(list(Severity)),
        "groups": _some(list(TrailGroup)),
        "kinds": _some([kind for kind, _ in KINDS]),
        "classes": _some((TrailClass.C2, TrailClass.ATTACKER)),
        "directions": _some(list(Direction)),
        "sources": _some(NETWORKS),
        "destinations": _some(NETWORKS),
        "within": _some(NETWORKS),
        "custom": st.booleans(),
        "threats": _some(THREATS),
        "not_threats": _some(THREATS),
        "trails": _some([value for _, value in KINDS]),
        "infos": _some(INFOS),
        "sensors": _some(SENSORS),
        "datasets": _some(DATASETS),
        "protocols": _some(("dns", "tls", "tcp")),
        "text": st.sampled_from(("EVIL", "strasse", "%", "_", "45.155", "ost", "σίσυφος", "ß", "x" * 60)),
    }
    chosen = st.lists(st.sampled_from(sorted(conditions)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: conditions[name] for name in names})
    )
    times = st.fixed_dictionaries({"since": st.none() | TIMES, "until": st.none() | TIMES})
    return st.builds(lambda when, what: Query(**when, **what), times, chosen)
