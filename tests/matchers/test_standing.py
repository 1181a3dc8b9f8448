"""Expired trails, classes that are ignored, and trails of little confidence do not count; others in their place do."""

import pytest

from matchers.engine import Engine
from matchers.networks import HomeNetworks
from matchers.observers import OBSERVERS
from matchers.rules import Rules
from matchers.standing import Standing
from tests.matchers.build import compiled, matched, record, trail, tsv, whitelist
from trailhound.record import MICROSECONDS, Value
from trailhound.settings import HOME_NETWORKS
from trailhound.severity import Direction
from trailhound.trail import Trail, TrailClass, TrailKind

NOON = 1_767_600_000


def until(
    kind: TrailKind, value: str, expires: int | None, class_: TrailClass = TrailClass.C2, confidence: int = 80
) -> Trail:
    return Trail(kind, value, "x", class_, ("s",), "", confidence, None, expires)


def met(rules: Rules, log: str, fields: dict[str, Value], time: int | None = NOON * MICROSECONDS) -> list[str]:
    seen = OBSERVERS[log].observe(record(log, fields))
    return [meeting.trail.value for meeting in rules.meet(seen, Direction.OUTBOUND, None, time)]


@pytest.mark.parametrize(
    ("expires", "counts"),
    [(None, True), (NOON + 1, True), (NOON, True), (NOON - 1, False)],
)
def test_a_trail_counts_for_a_record_that_is_not_later_than_its_expiry(expires: int | None, counts: bool) -> None:  # noqa: FBT001
    rules = Rules(compiled([until(TrailKind.DOMAIN, "evil.example", expires)]), whitelist(""))
    assert bool(met(rules, "dns", {"query": "evil.example"})) == counts
    assert met(rules, "dns", {"query": "evil.example"}, None)


@pytest.mark.parametrize(
    ("log", "fields", "exact", "wider"),
    [
        (
            "dns",
            {"query": "deep.evil.example"},
            (TrailKind.DOMAIN, "deep.evil.example"),
            (TrailKind.DOMAIN, "evil.example"),
        ),
        (
            "conn",
            {"id.resp_h": "203.0.113.5", "id.resp_p": 8443},
            (TrailKind.IP_PORT, "203.0.113.5:8443"),
            (TrailKind.IPV4, "203.0.113.5"),
        ),
        (
            "conn",
            {"id.resp_h": "203.0.113.5"},
            (TrailKind.CIDR, "203.0.113.0/28"),
            (TrailKind.CIDR, "203.0.113.0/24"),
        ),
        (
            "http",
            {"host": "evil.example", "uri": "/gate.php"},
            (TrailKind.URL, "evil.example/gate.php"),
            (TrailKind.PATH, "/gate.php"),
        ),
        (
            "http",
            {"host": "a.example", "user_agent": "evil 1.0"},
            (TrailKind.USER_AGENT, "evil 1.0"),
            (TrailKind.USER_AGENT_REGEX, "evil"),
        ),
        ("dns", {"query": "dga7.example"}, (TrailKind.WILDCARD, "dga[0-9]"), (TrailKind.WILDCARD, "dga[0-9]\\.")),
    ],
)
def test_an_expired_trail_does_not_hide_the_wider_one(
    log: str, fields: dict[str, Value], exact: tuple[TrailKind, str], wider: tuple[TrailKind, str]
) -> None:
    both = [until(*exact, None), until(*wider, None)]
    assert met(Rules(compiled(both), whitelist("")), log, fields) == [exact[1]]
    both[0] = until(*exact, NOON - 1)
    assert met(Rules(compiled(both), whitelist("")), log, fields) == [wider[1]]


def test_an_ignored_class_never_counts_and_others_do() -> None:
    trails = compiled(
        [until(TrailKind.DOMAIN, f"{class_.value}.example", None, class_) for class_ in TrailClass],
    )
    rules = Rules(trails, whitelist(""), standing=Standing(frozenset({TrailClass.POLICY, TrailClass.PARKED})))
    kept = {class_ for class_ in TrailClass if met(rules, "dns", {"query": f"{class_.value}.example"})}
    assert kept == set(TrailClass) - {TrailClass.POLICY, TrailClass.PARKED}


@pytest.mark.parametrize(("confidence", "counts"), [(49, False), (50, True)])
def test_a_trail_of_less_confidence_than_asked_for_does_not_count(confidence: int, counts: bool) -> None:  # noqa: FBT001
    trails = compiled([until(TrailKind.DOMAIN, "evil.example", None, confidence=confidence)])
    rules = Rules(trails, whitelist(""), standing=Standing(min_confidence=50))
    assert bool(met(rules, "dns", {"query": "evil.example"})) == counts


def test_a_host_trail_on_tls_is_judged_by_the_half_that_it_is_worth_there() -> None:
    trails = compiled([until(TrailKind.HTTP_HOST, "evil.example/", None)])
    rules = Rules(trails, whitelist(""), standing=Standing(min_confidence=50))
    assert met(rules, "http", {"host": "evil.example", "uri": "/"})
    assert not met(rules, "ssl", {"server_name": "evil.example"})


def test_the_loop_judges_each_record_by_its_own_time() -> None:
    trails = compiled([until(TrailKind.DOMAIN, "evil.example", NOON), trail(TrailKind.DOMAIN, "bad.example")])
    machine = Engine(trails, whitelist(""), HomeNetworks(HOME_NETWORKS))
    rows = [
        (f"{NOON + late}.5", f"C{late}", "10.0.0.1", name)
        for late in (-60, 60)
        for name in ("evil.example", "bad.example")
    ]
    types = {"ts": "time", "uid": "string", "id.orig_h": "addr", "query": "string"}
    events = matched(machine, "zeek-tsv", tsv("dns", types, rows), "dns.log").events
    assert {(event.trail.value, event.count) for event in events} == {("evil.example", 1), ("bad.example", 2)}
