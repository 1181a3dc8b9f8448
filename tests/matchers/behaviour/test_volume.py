"""Long connections, strobes, data that leaves, scanners inside: what connections come to over a window."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.matchers.behaviour.making import DAY, START, Row, seen, window


def connection(at: float = 0, /, **fields: Any) -> Row:
    return {
        "ts": START + at,
        "id.orig_h": "10.0.0.5",
        "id.resp_h": "93.184.216.34",
        "id.resp_p": 8443,
        "proto": "tcp",
        "conn_state": "SF",
        "duration": 1.0,
        "orig_bytes": 500,
        "resp_bytes": 500,
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({"duration": 4 * 3600}, True),
        ({"duration": 4 * 3600 - 1}, False),
        ({"duration": 5 * 3600, "id.resp_p": 993}, False),
        ({"duration": 5 * 3600, "id.resp_h": "10.0.0.9"}, False),
        ({"duration": 5 * 3600, "id.orig_h": "93.1.1.1", "id.resp_h": "10.0.0.9"}, False),
        ({"duration": 5 * 3600, "resp_bytes": 0}, False),
        ({"duration": None}, False),
    ],
)
def test_a_long_connection_is_one_abroad_that_somebody_answers(fields: dict[str, Any], is_found: bool) -> None:  # noqa: FBT001
    found = seen("long-connection", window(conn=[connection(**fields)]))
    assert [one.found.said for one in found] == (
        ["held a connection to 93.184.216.34 port 8443 for 4 h"] if is_found else []
    )


def test_what_many_hosts_hold_open_is_a_service() -> None:
    rows = [connection(duration=5 * 3600, **{"id.orig_h": f"10.0.0.{host}"}) for host in range(4)]
    assert len(seen("long-connection", window(conn=rows[:3]))) == 3
    assert seen("long-connection", window(conn=rows)) == []


@pytest.mark.parametrize(("count", "pause", "found"), [(500, 0.5, 1), (499, 0.5, 0), (500, 1.5, 0)])
def test_a_strobe_is_many_connections_without_a_pause(count: int, pause: float, found: int) -> None:
    rows = [connection(place * pause) for place in range(count)]
    strobes = seen("strobe", window(conn=rows), connections=500)
    assert [one.found.count for one in strobes] == [count] * found


def test_name_servers_are_no_strobe() -> None:
    rows = [connection(place * 0.1, **{"id.resp_p": 53}) for place in range(500)]
    assert seen("strobe", window(conn=rows), connections=500) == []


def peers(at: float = 0) -> Iterator[Row]:
    for host in range(20):
        yield connection(at, orig_bytes=2_000_000, **{"id.orig_h": f"10.0.1.{host}"})


def test_data_leaves_when_a_host_sends_far_more_than_others_do() -> None:
    rows = [*peers(), *(connection(place, orig_bytes=200_000_000) for place in range(3))]
    (found,) = seen("data-leaving", window(conn=rows))
    assert found.found.said == "sent 600 MB to 93.184.216.34"
    assert [part.name for part in found.found.parts] == ["amount", "peers"]


@pytest.mark.parametrize(
    "fields",
    [
        {"orig_bytes": 160_000_000},  # 480 MB in all
        {"orig_bytes": 200_000_000, "resp_bytes": 100_000_000},
        {"orig_bytes": 200_000_000, "id.resp_h": "10.0.0.9"},
    ],
)
def test_less_or_a_talk_both_ways_or_inside_is_no_data_leaving(fields: dict[str, Any]) -> None:
    rows = [*peers(), *(connection(place, **fields) for place in range(3))]
    assert seen("data-leaving", window(conn=rows)) == []


@pytest.mark.parametrize(("before", "found"), [(10_000_000, 1), (400_000_000, 0)])
def test_who_sends_as_much_every_day_sends_nothing_unusual(before: int, found: int) -> None:
    past = [one for day in range(4) for one in (*peers(day * DAY), connection(day * DAY, orig_bytes=before))]
    now = [*peers(4 * DAY), *(connection(4 * DAY + place, orig_bytes=200_000_000) for place in range(3))]
    looked_at = window(START + 4 * DAY, conn=[*past, *now])
    assert len(seen("data-leaving", looked_at)) == found


def knocks(hosts: int, state: str = "S0", port: int = 3389) -> list[Row]:
    return [
        connection(host * 600, conn_state=state, **{"id.resp_h": f"10.0.2.{host}", "id.resp_p": port})
        for host in range(hosts)
    ]


def test_a_slow_scanner_inside_is_found_once() -> None:
    (found,) = seen("new-scanner", window(conn=knocks(20)))
    assert found.found.said.startswith("tried port 3389 of 20 hosts of the site in 3.17 h")
    assert found.found.count == 20


@pytest.mark.parametrize("rows", [knocks(19), knocks(40, "SF"), [*knocks(20), *knocks(20, "SF")]])
def test_fewer_hosts_or_hosts_that_answer_are_no_scan(rows: list[Row]) -> None:
    assert seen("new-scanner", window(conn=rows)) == []


def test_who_scanned_on_a_day_before_is_known() -> None:
    looked_at = window(conn=knocks(20))
    looked_at.found = {"new-scanner 10.0.0.5": looked_at.end - int(DAY * 1_000_000) - 1}
    assert seen("new-scanner", looked_at) == []
    looked_at.found = {"new-scanner 10.0.0.5": looked_at.end - 3_600_000_000}
    assert len(seen("new-scanner", looked_at)) == 1
