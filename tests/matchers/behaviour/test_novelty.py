"""What is new on the site, and data in names."""

import pytest

from tests.matchers.behaviour.making import DAY, START, Row, seen, window
from trailhound.record import MICROSECONDS


def asked(at: float, query: str, host: str = "10.0.0.5", kind: str = "A") -> Row:
    return {
        "ts": START + at,
        "id.orig_h": host,
        "id.orig_p": 40_000,
        "id.resp_h": "10.0.0.1",
        "id.resp_p": 53,
        "query": query,
        "qtype_name": kind,
    }


def requested(at: float, agent: str, host: str = "10.0.0.5") -> Row:
    return {
        "ts": START + at,
        "id.orig_h": host,
        "id.resp_h": "93.184.216.34",
        "id.resp_p": 80,
        "host": "www.example.com",
        "user_agent": agent,
    }


def test_a_domain_is_new_when_nobody_asked_before_and_few_ask_now() -> None:
    rows = [asked(0, "www.old-example.com"), asked(7 * DAY, "mail.old-example.com")]
    rows += [asked(7 * DAY + 1, "a.new-example.com"), asked(7 * DAY + 2, "b.new-example.com")]
    rows += [asked(7 * DAY + 3, "liked-example.com", f"10.0.0.{host}") for host in range(3)]
    found = seen("first-seen-domain", window(START + 7 * DAY, dns=rows))
    assert [(one.found.value, one.found.count) for one in found] == [("new-example.com", 2)]


@pytest.mark.parametrize(("days", "found"), [(7, 1), (6.9, 0)])
def test_nothing_is_new_before_a_week_is_over(days: float, found: int) -> None:
    rows = [asked(0, "old-example.com"), asked(days * DAY, "new-example.com")]
    assert len(seen("first-seen-domain", window(START + days * DAY, dns=rows))) == found


def test_a_new_user_agent_of_one_host_is_told_but_no_new_version() -> None:
    old = [requested(0, "Mozilla/5.0 (X11) Firefox/140.0")]
    now = [requested(7 * DAY + place, "Mozilla/5.0 (X11) Firefox/141.0.2") for place in range(9)]
    now += [requested(7 * DAY + place, "evil/1.0") for place in range(5)]
    now += [requested(7 * DAY + place, "seldom/1.0") for place in range(4)]
    now += [requested(7 * DAY + place, "common/1.0", f"10.0.0.{place % 2}") for place in range(9)]
    found = seen("rare-user-agent", window(START + 7 * DAY, http=[*old, *now]))
    assert [one.found.observed for one in found] == ["evil/1.0"]


def names(count: int, length: int, repeats: int = 1, zone: str = "bad-example.com") -> list[Row]:
    return [asked(place * 100, f"{place // repeats:0{length}x}.{zone}", kind="TXT") for place in range(count * repeats)]


def test_a_slow_tunnel_is_found() -> None:
    (found,) = seen("subdomain-tunnel", window(dns=names(400, 32)))
    assert found.found.value == "bad-example.com"
    assert found.found.said == "asked for 400 names of bad-example.com with 12,800 bytes in them, in 11.1 h"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(names(299, 32), id="fewer names"),
        pytest.param(names(400, 20), id="short names"),
        pytest.param(names(400, 32, repeats=2), id="names that repeat"),
        pytest.param(names(400, 32, zone="avast.com"), id="reputation by name"),
        pytest.param(names(400, 32, zone="site.local"), id="names of the site"),
    ],
)
def test_other_names_are_no_tunnel(rows: list[Row]) -> None:
    assert seen("subdomain-tunnel", window(dns=rows)) == []


def test_times_are_those_of_the_records() -> None:
    (found,) = seen("subdomain-tunnel", window(dns=names(400, 32)))
    assert found.found.start == START * MICROSECONDS
    assert found.found.end == (START + 399 * 100) * MICROSECONDS
