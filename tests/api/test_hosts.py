"""Hosts of the site by their risk, as the API and the page show them."""

import pytest
from fastapi import FastAPI

from api.access.principal import Scope
from api.app import attach
from api.hosts import tactic_of
from matchers import behaviour, heuristics
from matchers.findings import SOURCE
from stores.contract import Query, Store
from stores.desk import Desk
from stores.host import POINTS, STEP
from tests.api.access.people import key
from tests.api.client import AppClient, refused
from tests.api.trails import DictLookup
from tests.stores.factory import HOUR, START, make_event, make_trail
from trailhound.settings import Settings
from trailhound.severity import Severity
from trailhound.tactics import place
from trailhound.trail import TrailClass, TrailKind

_HOST = "192.168.1.10"


def _phished(store: Store) -> None:
    """Let a host be phished, call its C2, and scan a neighbour; another scans too."""
    phish = make_trail(value="phish.example", class_=TrailClass.PHISHING)
    scan = make_trail(
        kind=TrailKind.RULE,
        value="port-scan",
        info="potential port scanning",
        class_=TrailClass.HEURISTIC,
        sources=(SOURCE,),
    )
    store.append(
        [
            make_event(identity="phish", trail=phish, severity=Severity.HIGH),
            make_event(identity="c2", start=START + HOUR, severity=Severity.HIGH),
            make_event(identity="scan", start=START + 2 * HOUR, trail=scan, severity=Severity.MEDIUM),
            make_event(
                identity="other", start=START + 2 * HOUR, trail=scan, severity=Severity.LOW, source_ip="192.168.1.11"
            ),
        ]
    )


def test_hosts_come_by_their_risk(client: AppClient, filled: Store) -> None:
    _phished(filled)
    found = client.json("/api/v1/hosts")
    first, *others = found["hosts"]
    assert [one["address"] for one in others] == ["192.168.1.11"], "attackers from outside are no hosts of ours"
    assert (first["address"], first["severity"], found["total"], found["next"]) == (_HOST, "critical", 2, None)
    assert set(first["tactics"]) == {"Initial Access", "Command and Control", "Discovery"}
    assert first["steps"] == 2, "its first call came together with the phish"
    assert found["approximate"] is False


def test_a_host_shows_what_its_risk_is_made_of(client: AppClient, store: Store) -> None:
    _phished(store)
    found = client.json(f"/api/v1/hosts/{_HOST}")
    assert found["tactics"] == ["Initial Access", "Command and Control", "Discovery"]
    assert [step["tactic"] for step in found["chain"]] == found["tactics"]
    assert sum(part["points"] for part in found["parts"]) + found["chain_points"] == pytest.approx(found["risk"])
    whole = 2 * POINTS[Severity.HIGH] + POINTS[Severity.MEDIUM] + 2 * STEP
    assert whole * 0.95 < found["risk"] < whole, "it happened some hours ago"
    threats = {one["id"]: one for one in client.json("/api/v1/threats", source=_HOST)["threats"]}
    for part in found["parts"]:
        for one in part["heaviest"]:
            assert one["trail"] == threats[one["id"]]["trail"]


def test_a_host_without_threats_is_at_no_risk(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/hosts/192.168.9.9")
    assert (found["risk"], found["severity"], found["parts"], found["last"]) == (0, None, [], None)


def test_what_is_no_address_is_refused(client: AppClient) -> None:
    assert refused(client.get("/api/v1/hosts/evil.example"), 422)
    assert client.json("/api/v1/hosts/::ffff:192.168.1.10")["address"] == _HOST


def test_what_somebody_has_settled_does_not_count(client: AppClient, desk: Desk, store: Store) -> None:
    _phished(store)
    before = client.json(f"/api/v1/hosts/{_HOST}")
    threat = before["parts"][0]["heaviest"][0]["id"]
    path = f"/api/v1/threats/{threat}/triage"
    answer = client.request("PATCH", path, json={"state": "false positive"}, headers={"If-Match": "*"})
    assert answer.status_code == 200
    after = client.json(f"/api/v1/hosts/{_HOST}")
    assert after["risk"] == pytest.approx(before["risk"] - POINTS[Severity.HIGH] - STEP, abs=2)
    assert client.json("/api/v1/hosts")["hosts"][0]["threats"] == before["threats"] - 1


def test_conditions_narrow_what_counts(client: AppClient, store: Store) -> None:
    _phished(store)
    assert client.json("/api/v1/hosts", source="192.168.1.11/32")["total"] == 1
    assert client.json("/api/v1/hosts", source="192.168.1.0/24")["total"] == 2
    assert client.json("/api/v1/hosts", source="0.0.0.0/0")["total"] == 2
    assert client.json("/api/v1/hosts", source="203.0.113.0/24")["total"] == 0
    assert client.json(f"/api/v1/hosts/{_HOST}", **{"class": "phishing"})["threats"] == 1
    assert client.json("/api/v1/hosts", since="30m")["total"] == 0


def test_pages_follow_each_other(client: AppClient, store: Store) -> None:
    store.append([make_event(identity=str(n), source_ip=f"192.168.2.{n}", severity=Severity.LOW) for n in range(7)])
    whole = client.json("/api/v1/hosts")["hosts"]
    seen, cursor = [], None
    for _ in range(3):
        page = client.json("/api/v1/hosts", limit=3, **({"cursor": cursor} if cursor else {}))
        seen += page["hosts"]
        cursor = page["next"]
    assert cursor is None
    assert seen == whole
    assert len(seen) == 7


def test_a_cursor_of_something_else_is_refused(client: AppClient, filled: Store) -> None:
    other = client.json("/api/v1/threats", limit=1)["next"]
    for cursor in (other, "x"):
        assert client.get("/api/v1/hosts", {"cursor": cursor}).status_code in (400, 422)


def test_what_came_from_outside_is_no_host_of_ours(client: AppClient, filled: Store) -> None:
    for direction in ("inbound", "external"):
        assert client.json("/api/v1/hosts", direction=direction)["hosts"] == []
    assert client.json("/api/v1/hosts", direction="outbound")["total"] == 2
    assert client.json("/api/v1/hosts/45.155.205.233")["threats"] == 1, "asked for by name it is shown"


def test_who_may_see_some_networks_sees_hosts_of_these_alone(client: AppClient, app: FastAPI, store: Store) -> None:
    _phished(store)
    restricted = client.with_key(key(app, Scope.READ, networks=("192.168.1.11/32",))).at("203.0.113.5")
    assert [one["address"] for one in restricted.json("/api/v1/hosts")["hosts"]] == ["192.168.1.11"]
    assert restricted.json(f"/api/v1/hosts/{_HOST}")["risk"] == 0
    assert restricted.json("/api/v1/hosts/192.168.1.11")["threats"] == 1


@pytest.mark.parametrize(("hours", "risk"), [(0, 50), (72, 25), (144, 12.5)])
def test_risk_falls_with_the_half_life(
    app: FastAPI, settings: Settings, store: Store, trails: DictLookup, hours: int, risk: float
) -> None:
    store.append([make_event(severity=Severity.CRITICAL)])
    attach(app, settings, store, trails, clock=lambda: START + hours * HOUR)
    assert AppClient(app).json("/api/v1/hosts")["hosts"][0]["risk"] == risk


def test_every_heuristic_gives_its_threats_a_tactic(store: Store) -> None:
    for one in (*heuristics.BUILT_IN, *behaviour.BUILT_IN):
        if one.technique is None:
            continue
        assert place(one.technique.tactic) is not None, one.name
        trail = make_trail(
            kind=TrailKind.RULE, value=one.name, info=one.title, class_=TrailClass.HEURISTIC, sources=(SOURCE,)
        )
        named = make_trail(value="x.example", info=one.title, class_=TrailClass.HEURISTIC, sources=(SOURCE,))
        store.append(
            [make_event(identity=one.name, trail=trail), make_event(identity=f"{one.name} of a name", trail=named)]
        )
        for threat in store.threats(Query(infos=(one.title,)), limit=2).threats:
            assert tactic_of(threat) is not None


def test_the_page_shows_the_hosts_at_risk(client: AppClient, store: Store) -> None:
    _phished(store)
    text = client.get("/", {"period": "all"}).text
    assert "Hosts at risk" in text
    assert "Initial Access, Command and Control, Discovery" in text


def test_a_page_without_hosts_at_risk_does_not_speak_of_them(client: AppClient) -> None:
    assert "Hosts at risk" not in client.get("/", {"period": "all"}).text
