"""What is put together from several answers of a store comes out alike on all: countries, and what is related."""

from collections import defaultdict
from pathlib import Path

import pytest

from api.by_country import by_country
from api.countries import Countries
from api.related import Relation, about, related
from stores.contract import Query, Store
from tests.api import mmdb
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.event import Event
from trailhound.severity import Direction
from trailhound.threat import threat_id
from trailhound.trail import TrailKind

COUNTRIES = {"45.155.205": "NL", "80.94.92": "RO", "8.8.8": "US", "2001:67c:": "FR", "11.1.1": None}


def met(number: int) -> Event:
    """Make one of a few hundred events, from or to one of these countries, or among inner hosts."""
    network = [*COUNTRIES][number % 5]
    outside = f"{network}:{number % 7:x}" if ":" in network else f"{network}.{number % 7}"
    start = START + number * HOUR // 10
    if number % 3 == 0:
        trail = make_trail(kind=TrailKind.DOMAIN, value=f"t{number % 4}.example")
        return make_event(
            identity=str(number), start=start, source_ip=f"10.0.0.{number % 6}", destination_ip=outside, trail=trail,
            direction=Direction.OUTBOUND, count=number + 1,
        )  # fmt: skip
    if number % 11 == 0:
        return make_event(identity=str(number), start=start, direction=Direction.INTERNAL)
    direction = Direction.EXTERNAL if number % 5 == 2 else Direction.INBOUND
    return make_attack(identity=str(number), start=start, source_ip=outside, direction=direction, count=number + 1)


EVENTS = [met(number) for number in range(300)]


def country(event: Event) -> str | None:
    outside = event.destination_ip if event.direction is Direction.OUTBOUND else event.source_ip
    return next(country for network, country in COUNTRIES.items() if str(outside).startswith(network))


@pytest.mark.parametrize("query", [Query(), Query(since=START + 5 * HOUR), Query(directions=(Direction.OUTBOUND,))])
def test_countries_are_counted_exactly(store: Store, tmp_path: Path, query: Query) -> None:
    store.append(EVENTS)
    wanted = [
        event
        for event in EVENTS
        if event.direction is not Direction.INTERNAL
        and event.start >= (query.since or 0)
        and event.direction in (query.directions or tuple(Direction))
    ]
    groups: dict[str | None, list[Event]] = defaultdict(list)
    for event in wanted:
        groups[country(event)].append(event)
    found = by_country(store, query, Countries(mmdb.write(tmp_path / "countries.mmdb")), 20)
    assert {one.country: (one.records, one.events, one.sources, one.first, one.last) for one in found.countries} == {
        name: (
            sum(event.count for event in events),
            len(events),
            len({event.source_ip for event in events}),
            min(event.start for event in events),
            max(event.start for event in events),
        )
        for name, events in groups.items()
    }
    assert {one.country: (one.threats, one.severity) for one in found.countries} == {
        name: (
            len({threat_id(event.source_ip, event.trail.kind, event.trail.value) for event in events}),
            max(event.severity for event in events),
        )
        for name, events in groups.items()
    }
    assert [one.records for one in found.countries] == sorted((one.records for one in found.countries), reverse=True)
    assert (found.total, found.left_out) == (len(groups), 0)


def test_what_is_related_is_found(store: Store) -> None:
    store.append(EVENTS)
    name = threat_id("10.0.0.3", TrailKind.DOMAIN, "t3.example")
    [threat] = store.threats(Query(threats=(name,)), limit=1).threats
    since, until = about(threat, 24)
    found = related(store, threat, since=since, until=until, limit=200)
    wanted = {
        (event.source_ip, event.trail.value): {
            *([Relation.TRAIL, Relation.DOMAIN] if event.trail.value == "t3.example" else []),
            *([Relation.SOURCE] if event.source_ip == "10.0.0.3" else []),
        }
        for event in EVENTS
        if since <= event.start < until
    }
    del wanted["10.0.0.3", "t3.example"]
    assert {(one.threat.source, one.threat.trail): {reason.relation for reason in one.reasons} for one in found} == {
        pair: reasons for pair, reasons in wanted.items() if reasons
    }
    [attack] = store.threats(Query(sources=("45.155.205.1",)), limit=1).threats
    sources = {one.threat.source for one in related(store, attack, since=0, until=until, limit=200)}
    assert sources >= {event.source_ip for event in EVENTS if str(event.source_ip).startswith("45.155.205.")} - {
        "45.155.205.1"
    }
