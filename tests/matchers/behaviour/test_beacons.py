"""Beacons: regular calls among those of people, with jitter, by address and by name."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.matchers.behaviour.making import START, Row, seen, window
from trailhound.trail import TrailKind

SERVER = "93.184.216.34"


def calls(gap: float, jitter: float, hours: float = 6, /, **fields: Any) -> Iterator[Row]:
    """Give calls as Cobalt Strike makes them: each sleep is shortened by up to the jitter."""
    draw, at = random.Random(gap), START
    while at < START + hours * 3600:
        yield {
            "ts": at,
            "id.orig_h": "10.0.0.5",
            "id.resp_h": SERVER,
            "id.resp_p": 443,
            "proto": "tcp",
            "conn_state": "SF",
            "orig_bytes": 312,
            "resp_bytes": 148,
            **fields,
        }
        at += gap * (1 - jitter * draw.random())


def people(hosts: int = 40, servers: int = 200, hours: float = 6) -> Iterator[Row]:
    """Give visits of pages: some connections at once, more within minutes, then none for long."""
    draw = random.Random(7)
    for host in range(hosts):
        for _ in range(60):
            at, server = START + draw.random() * hours * 3600, draw.randrange(servers)
            for _ in range(8):
                at += draw.expovariate(1 / 15)
                yield {
                    "ts": at,
                    "id.orig_h": f"10.0.1.{host}",
                    "id.resp_h": f"93.1.2.{server}",
                    "id.resp_p": 443,
                    "proto": "tcp",
                    "conn_state": "SF",
                    "orig_bytes": draw.randrange(300, 9000),
                    "resp_bytes": draw.randrange(300, 900_000),
                }


@pytest.mark.parametrize("jitter", [0.0, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("gap", [60.0, 300.0])
def test_a_beacon_among_people_is_found_and_nothing_else_is(gap: float, jitter: float) -> None:
    found = seen("beacon", window(conn=[*people(), *calls(gap, jitter)]))
    assert [(one.fields["id.orig_h"], one.fields["id.resp_h"]) for one in found] == [("10.0.0.5", SERVER)]
    assert [part.name for part in found[0].found.parts] == ["gaps", "sizes", "lasting", "rare"]
    assert abs(sum(part.points for part in found[0].found.parts) - found[0].found.score) <= 1


def by_chance() -> list[Row]:
    """Give as many calls as a beacon makes, at times that are chance."""
    draw = random.Random(3)
    return [{**one, "ts": START + draw.random() * 6 * 3600} for one in calls(60, 0)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(by_chance(), id="at times that are chance"),
        pytest.param(list(calls(60, 0.9)), id="with more jitter than a half"),
        pytest.param(list(calls(60, 0, 0.9)), id="for less than an hour"),
        pytest.param(list(calls(900, 0, 5.7)), id="23 times"),
        pytest.param(list(calls(60, 0, **{"id.resp_h": "10.0.0.9"})), id="inside the site"),
        pytest.param(list(calls(60, 0, **{"id.orig_h": "93.1.1.1"})), id="from abroad"),
        pytest.param(list(calls(64, 0, **{"id.resp_p": 123, "proto": "udp"})), id="to a clock"),
        pytest.param(list(calls(60, 0, **{"id.resp_h": "224.0.0.251"})), id="to a group"),
        pytest.param(list(calls(1.5, 0)), id="without a pause"),
        pytest.param(
            [{**one, "id.orig_h": f"10.0.0.{host}"} for host in range(5) for one in calls(60 + host, 0)],
            id="by five hosts of five",
        ),
    ],
)
def test_other_calls_are_no_beacon(rows: list[Row]) -> None:
    assert seen("beacon", window(conn=rows)) == []


def test_thresholds_count() -> None:
    rows = list(calls(900, 0, 5.7))
    assert len(rows) == 23
    assert len(seen("beacon", window(conn=rows), calls=23)) == 1
    assert seen("beacon", window(conn=rows), calls=23, score=100) == []


def test_calls_that_have_a_name_are_found_by_it_alone() -> None:
    connections = list(calls(60, 0.2))
    requests = [{**one, "host": "C2.bad-example.com:443", "user_agent": "x"} for one in connections]
    looked_at = window(conn=connections, http=requests)
    assert seen("beacon", looked_at) == []
    (found,) = seen("named-beacon", looked_at)
    assert (found.found.kind, found.found.value) == (TrailKind.DOMAIN, "c2.bad-example.com")
    assert found.found.said.startswith("called c2.bad-example.com ")


@pytest.mark.parametrize(
    ("log", "name"),
    [("ssl", {"server_name": "c2.bad-example.com"}), ("http", {"host": "c2.bad-example.com"})],
)
def test_a_name_is_one_whichever_addresses_it_has(log: str, name: dict[str, str]) -> None:
    rows = [{**one, **name, "id.resp_h": f"93.1.1.{place % 7}"} for place, one in enumerate(calls(60, 0.3))]
    assert [one.found.value for one in seen("named-beacon", window(**{log: rows}))] == ["c2.bad-example.com"]


@pytest.mark.parametrize("name", ["fileserver", "10.0.0.8", "93.184.216.34", "printer.local", ""])
def test_what_is_no_name_of_the_internet_is_no_named_beacon(name: str) -> None:
    assert seen("named-beacon", window(http=[{**one, "host": name} for one in calls(60, 0)])) == []


def test_orders_that_are_fetched_as_ever_new_names_are_a_beacon() -> None:
    rows = list(calls(60, 0.3, **{"id.resp_h": "10.0.0.1", "id.resp_p": 53, "qtype_name": "TXT"}))
    new = [{**one, "query": f"{place:08x}.t.bad-example.com"} for place, one in enumerate(rows)]
    (found,) = seen("named-beacon", window(dns=new))
    assert found.found.value == "bad-example.com"
    same = [{**one, "query": "status.bad-example.com"} for one in rows]
    assert seen("named-beacon", window(dns=same)) == []


def test_the_same_find_an_hour_later_is_the_same_event() -> None:
    rows = list(calls(60, 0.2))
    (first,) = seen("beacon", window(conn=rows[:200]))
    (later,) = seen("beacon", window(conn=rows))
    assert (first.found.key, first.found.window) == (later.found.key, later.found.window)
    assert first.found.end is not None
    assert later.found.end is not None
    assert first.found.end // first.found.window == later.found.end // later.found.window
