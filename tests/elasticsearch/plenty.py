"""A hundred thousand events in which values are many and uneven, and queries that find some of them."""

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from stores.contract import Query
from tests.stores.factory import START, make_event, make_trail
from tests.stores.strategies import DAY
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailGroup, TrailKind

DAYS = 30
SENSORS = ("sensor-1", "Ost", "west_2", "s\N{LATIN SMALL LETTER SHARP S}d")
DATASETS = ("zeek.dns", "zeek.conn", "zeek.http", "suricata.alert")
PROTOCOLS = (None, "dns", "tls", "http", "ssh")
CLASSES = (TrailClass.C2, TrailClass.ATTACKER, TrailClass.SCANNER, TrailClass.PHISHING)
HOSTS, ATTACKERS, TRAILS, INFOS = 400, 6_000, 9_000, 150


def _often(chance: random.Random, limit: int) -> int:
    """Choose a number below a limit, the low ones far more often."""
    return int(chance.paretovariate(0.3)) % limit


def _host(number: int) -> str:
    return f"192.168.{number // 200}.{number % 200}" if number % 10 else f"fd00::{number:x}"


def _attacker(number: int) -> str:
    return f"45.{number // 250}.7.{number % 250}" if number % 20 else f"2a02:6b8::{number:x}"


def events(number: int) -> Iterator[Event]:
    """Make events of 30 days, no two of which begin at the same time."""
    chance = random.Random(7)
    for place in range(number):
        start = START + place * DAYS * DAY // number + chance.randrange(20_000_000)
        start = start // number * number + place
        yield _attack(chance, place, start) if chance.random() < 0.4 else _call(chance, place, start)


def _attack(chance: random.Random, place: int, start: int) -> Event:
    source = _attacker(_often(chance, ATTACKERS))
    return make_event(
        identity=str(place),
        start=start,
        count=chance.choice((1, 1, 1, 2, 1000)),
        sensor=chance.choice(SENSORS),
        dataset="zeek.conn",
        trail=make_trail(
            kind=TrailKind.IPV6 if ":" in source else TrailKind.IPV4,
            value=source,
            info=f"scanner {_often(chance, INFOS)}",
            class_=chance.choice((TrailClass.ATTACKER, TrailClass.SCANNER)),
            sources=chance.choice((("blocklist",), ("blocklist", "abuse"))),
            reference=chance.choice(("", "https://lists.example/attackers")),
        ),
        observed=source,
        severity=chance.choice((Severity.LOW, Severity.LOW, Severity.MEDIUM)),
        direction=chance.choice((Direction.INBOUND, Direction.INBOUND, Direction.EXTERNAL)),
        source_ip=source,
        destination_ip=chance.choice((None, *map(_host, range(5)))),
        destination_port=chance.choice((None, 22, 80, 443)),
        transport=chance.choice(("tcp", None)),
        protocol=chance.choice(PROTOCOLS),
        message=f"{source} called",
        ecs={},
    )


def _call(chance: random.Random, place: int, start: int) -> Event:
    number = _often(chance, TRAILS)
    kind, value = (TrailKind.DOMAIN, f"bad{number}.example") if number % 3 else (TrailKind.URL, f"bad{number}.ru/gate")
    return make_event(
        identity=str(place),
        start=start,
        count=chance.choice((1, 1, 3)),
        sensor=chance.choice(SENSORS),
        dataset=chance.choice(DATASETS),
        trail=make_trail(
            kind=kind,
            value=value,
            info=f"Familie {_often(chance, INFOS)} Stra\N{LATIN SMALL LETTER SHARP S}e",
            class_=CLASSES[number % len(CLASSES)],
        ),
        observed=f"W{number}.{value}",
        severity=chance.choice(tuple(Severity)),
        direction=chance.choice((Direction.OUTBOUND, Direction.INTERNAL)),
        source_ip=chance.choice((None, *(_host(_often(chance, HOSTS)) for _ in range(9)))),
        destination_ip=chance.choice((None, "192.168.1.1", "fd00::1", _attacker(number % ATTACKERS))),
        protocol=chance.choice(PROTOCOLS),
        message=f"asked for {value}",
        ecs={"dns.question.name": value},
    )


def _some(values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


def _networks() -> st.SearchStrategy[tuple[str, ...]]:
    addresses = [_host(number) for number in range(12)] + [_attacker(number) for number in range(22)]
    return _some(
        (*addresses, "192.168.0.0/24", "45.0.0.0/8", "45.1.7.0/25", "fd00::/8", "::/0", "0.0.0.0/0", "8.8.8.8")
    )


def queries() -> st.SearchStrategy[Query]:
    """Make queries of at most three conditions and a stretch of time."""
    conditions: dict[str, st.SearchStrategy[Any]] = {
        "severities": _some(tuple(Severity)),
        "groups": _some(tuple(TrailGroup)),
        "kinds": _some((TrailKind.DOMAIN, TrailKind.URL, TrailKind.IPV4, TrailKind.IPV6, TrailKind.JA3)),
        "classes": _some(CLASSES),
        "directions": _some(tuple(Direction)),
        "sources": _networks(),
        "destinations": _networks(),
        "trails": _some(("bad1.example", "bad2.example", "bad3.ru/gate", _attacker(1), _attacker(2))),
        "infos": _some(("scanner 1", "scanner 2", "Familie 1 Stra\N{LATIN SMALL LETTER SHARP S}e", "nothing")),
        "sensors": _some(SENSORS),
        "datasets": _some(DATASETS),
        "protocols": _some(("dns", "tls", "tcp", "udp")),
        "text": st.sampled_from(("BAD1", "strasse", "45.1.", "gate", "ost", "scanner 14", "w3", "*", "?", "\\")),
    }
    chosen = st.lists(st.sampled_from(sorted(conditions)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: conditions[name] for name in names})
    )
    moment = st.builds(
        lambda day, off: START + day * DAY + off, st.integers(-1, DAYS + 1), st.sampled_from((0, 1, 999, 1_000))
    )
    times = st.fixed_dictionaries({"since": st.none() | moment, "until": st.none() | moment})
    return st.builds(lambda when, what: Query(**when, **what), times, chosen)
