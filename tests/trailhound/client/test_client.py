"""Every method against a real server."""

from datetime import UTC, datetime, timedelta

import pytest

from stores.contract import Store
from tests.stores.factory import HOUR, START, make_event
from trailhound.client import Client, Conditions, RequestError
from trailhound.record import MICROSECONDS

ATTACKER = "45.155.205.233"


def moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / MICROSECONDS, UTC)


def test_totals_and_timeline_are_typed(trailhound: Client) -> None:
    summary = trailhound.summary(since=moment(START), until=moment(START + 24 * HOUR), class_="c2")
    assert (summary.totals.records, summary.totals.events, summary.totals.threats) == (7, 3, 2)
    assert summary.totals.first == moment(START)
    assert summary.before is not None
    timeline = trailhound.timeline("class", interval="1h", since=moment(START), until=moment(START + 24 * HOUR))
    assert timeline.interval_seconds == 3600
    assert sum(sum(bucket.counts.values()) for bucket in timeline.buckets) == 108


def test_events_come_page_by_page_until_all_are_there(trailhound: Client, store: Store) -> None:
    store.append([make_event(identity=f"more-{number}", source_ip="192.168.1.12") for number in range(1200)])
    found = list(trailhound.events(source="192.168.1.12"))
    assert len({event["event"]["id"] for event in found}) == 1200
    assert len(list(trailhound.events(limit=1100))) == 1100
    assert len(list(trailhound.events(limit=3, order="oldest"))) == 3
    assert list(trailhound.events(limit=0)) == []
    assert trailhound.event(found[0]["event"]["id"]) == found[0]


def test_what_is_said_of_a_threat_is_found_by_it(trailhound: Client) -> None:
    strongest, *others = trailhound.threats(trail="evil.example")
    assert strongest.class_ == "c2"
    assert len(others) == 1
    assert trailhound.triage(strongest.id).triage.version == 0
    said = trailhound.set_triage(strongest.id, state="investigating", note="asked", tags=["one"], version=0)
    assert (said.triage.state, said.triage.tags, said.triage.by) == ("investigating", ("one",), "key playbook")
    assert [one.id for one in trailhound.threats(state="investigating")] == [strongest.id]
    with pytest.raises(RequestError, match="412") as raised:
        trailhound.set_triage(strongest.id, state="resolved", version=0)
    assert raised.value.status == 412
    assert trailhound.set_triage(strongest.id, assignee="alice").triage.note == "asked"
    (entry,) = trailhound.audit(object=f"triage/{strongest.id}", limit=1)
    assert entry.who == "key playbook"


def test_what_is_related_to_a_threat_comes_with_the_reasons(trailhound: Client) -> None:
    threat = next(one for one in trailhound.threats(trail="evil.example") if one.source == "192.168.1.10")
    (other,) = trailhound.related(threat.id, hours=48, limit=10)
    assert other.threat.source == "192.168.1.11"
    assert [(one.relation, one.value) for one in other.reasons] == [
        ("trail", "evil.example"),
        ("domain", "evil.example"),
    ]
    with pytest.raises(RequestError, match="404"):
        trailhound.related("0123456789abcdef")


def test_pages_of_events_are_followed_by_their_cursor(trailhound: Client, store: Store) -> None:
    found, cursor = trailhound.events_page(order="ingested", limit=1000, conditions={"class_": "c2"})
    assert len(found) == 3
    assert trailhound.events_page(order="ingested", limit=10, cursor=cursor, conditions={"class_": "c2"})[0] == []
    store.append([make_event(identity="next")])
    (event,) = trailhound.events_page(order="ingested", limit=10, cursor=cursor, conditions={"class_": "c2"})[0]
    assert event["@timestamp"].startswith("2025-10-01T00:00:00")


def test_countries_are_none_without_a_database(trailhound: Client) -> None:
    assert trailhound.countries(limit=5, class_="c2") == []


def test_values_are_looked_up_in_trails_events_and_memory(trailhound: Client) -> None:
    c2, unknown = trailhound.lookup("www.evil.example", "good.example")
    assert c2.found
    assert [(match.trail, match.class_) for match in c2.matches] == [("evil.example", "c2")]
    assert (unknown.found, unknown.seen) == (False, ())
    assert any(seen.as_ == "source" for seen in trailhound.lookup(ATTACKER)[0].seen)
    assert len(trailhound.lookup(*(f"x{number}.example" for number in range(1001)))) == 1001
    answer = trailhound.observables("EVIL.example", "good.example")
    assert [(one.value, one.seen) for one in answer.observables] == [("evil.example", True), ("good.example", False)]
    assert answer.observables[0].sensors[0].sensor == "sensor-1"
    assert answer.memory.since is not None


def test_what_is_blocked_is_found_changed_and_let_go(trailhound: Client) -> None:
    ends = datetime.now(UTC) + timedelta(hours=4)
    made = trailhound.block(f"::ffff:{ATTACKER}", "brute force", until=ends)
    assert (made.verdict, made.value) == ("block", ATTACKER)
    assert made.until is not None
    assert abs(made.until - ends) < timedelta(seconds=1)
    wide = trailhound.block("45.155.205.0/24", "all of them")
    assert {one.id for one in trailhound.decisions(value=ATTACKER)} == {made.id, wide.id}
    changed = trailhound.change_decision(made.id, reason="still", version=made.version)
    assert trailhound.decision(made.id) == changed
    assert [one.id for one in trailhound.unblock(f"::ffff:{ATTACKER}")] == [made.id]
    assert [one.id for one in trailhound.decisions()] == [wide.id]
    assert {one.id for one in trailhound.decisions(ended_since="1h")} == {made.id, wide.id}
    assert trailhound.lift(wide.id).lifted_by == "key playbook"
    assert trailhound.allow("partner.example", "ours").scope == "domain"
    assert trailhound.unblock("partner.example") == []


def test_a_host_is_cleared_and_comes_back(trailhound: Client) -> None:
    assert trailhound.clear(ATTACKER, "reinstalled").address == ATTACKER
    assert [one.address for one in trailhound.cleared()] == [ATTACKER]
    trailhound.forget_cleared(ATTACKER)
    assert list(trailhound.cleared()) == []


def test_trails_and_exceptions_of_ones_own_come_and_go(trailhound: Client) -> None:
    made = trailhound.add_trail("bad.example", "phishing", "told by CERT", class_="phishing", until="7d")
    assert (made.kind, made.class_, made.in_force) == ("domain", "phishing", True)
    assert [one.id for one in trailhound.custom_trails()] == [made.id]
    assert trailhound.remove_trail(made.id, version=made.version).removed_by == "key playbook"
    assert list(trailhound.custom_trails()) == []
    entry = trailhound.add_exception("lab", trail="evil.example", source="10.0.5.0/24", until="1d")
    assert [one.id for one in trailhound.exceptions()] == [entry.id]
    trailhound.remove_exception(entry.id, version=entry.version)
    assert trailhound.exceptions() == []


def test_lists_sources_sensors_and_health_are_given(trailhound: Client) -> None:
    period: Conditions = {"since": moment(START), "until": moment(START + 24 * HOUR)}
    assert {one.source for one in trailhound.sources(**period)} >= {ATTACKER, "192.168.1.10"}
    assert "evil.example" in {one.trail for one in trailhound.seen_trails(**period)}
    assert trailhound.sensors() == []
    assert trailhound.health().status in ("ok", "degraded")
    trailhound.block("198.51.100.0/31", "test")
    assert isinstance(trailhound.fail2ban(), list)
    with pytest.raises(RequestError, match="404"):
        trailhound.block_list("none")


def test_hosts_come_with_what_their_risk_is_made_of(trailhound: Client) -> None:
    period: Conditions = {"since": moment(START), "until": moment(START + 24 * HOUR)}
    listed = list(trailhound.hosts(**period))
    assert "192.168.1.10" in {one.address for one in listed}
    found = trailhound.host("192.168.1.10", **period)
    assert [part.tactic for part in found.parts] == ["Command and Control"]
    assert found.parts[0].heaviest[0].trail == "evil.example"
    assert trailhound.host("192.168.9.9").risk == 0


def test_a_key_that_is_none_is_refused_with_the_words_of_the_server(url: str) -> None:
    with Client(url, "wrong") as client, pytest.raises(RequestError, match="401") as raised:
        client.summary()
    assert raised.value.status == 401


def test_a_mistyped_condition_is_refused(trailhound: Client) -> None:
    with pytest.raises(RequestError, match="severty: there is no such parameter"):
        list(trailhound.events(severty="high"))  # type: ignore[call-arg] # what is tested
