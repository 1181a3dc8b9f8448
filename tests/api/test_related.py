from typing import Any

import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.threat import threat_id
from trailhound.trail import TrailKind

HOST, OTHER = "192.168.1.10", "192.168.1.11"
SUBJECT = threat_id(HOST, TrailKind.DOMAIN, "a.bad.co.uk")


def met(trail: str, source: str = HOST, kind: TrailKind = TrailKind.DOMAIN, **changes: Any) -> Any:
    return make_event(trail=make_trail(kind=kind, value=trail), source_ip=source, identity=trail, **changes)


@pytest.fixture
def known(store: Store) -> Store:
    store.append(
        [
            met("a.bad.co.uk"),
            met("a.bad.co.uk", OTHER, start=START + HOUR),
            met("elsewhere.example", start=START - HOUR),
            met("b.bad.co.uk", OTHER),
            met("bad.co.uk/gate.php", "192.168.1.12", TrailKind.URL),
            met("notbad.co.uk", "192.168.1.13"),
            met("co.uk.example", "192.168.1.13"),
            met("b.bad.co.uk", start=START + HOUR),
            met("a.bad.co.uk", "192.168.1.99", start=START + 72 * HOUR),
        ]
    )
    return store


def related(client: AppClient, threat: str = SUBJECT, **params: Any) -> dict[tuple[str, str], list[str]]:
    found = client.json(f"/api/v1/threats/{threat}/related", **params)
    return {
        (one["threat"]["source"], one["threat"]["trail"]): [reason["relation"] for reason in one["reasons"]]
        for one in found["related"]
    }


def test_what_has_more_in_common_comes_first_with_its_reasons(client: AppClient, known: Store) -> None:
    found = related(client)
    assert found == {
        (OTHER, "a.bad.co.uk"): ["trail", "domain"],
        (HOST, "b.bad.co.uk"): ["source", "domain"],
        (HOST, "elsewhere.example"): ["source"],
        (OTHER, "b.bad.co.uk"): ["domain"],
        ("192.168.1.12", "bad.co.uk/gate.php"): ["domain"],
    }
    assert list(found)[:3] == [(OTHER, "a.bad.co.uk"), (HOST, "b.bad.co.uk"), (HOST, "elsewhere.example")]


def test_the_period_goes_around_the_threat(client: AppClient, known: Store) -> None:
    answer = client.json(f"/api/v1/threats/{SUBJECT}/related", hours=1)
    assert answer["period"] == {"since": "2025-09-30T23:00:00.000000Z", "until": "2025-10-01T01:00:00.000001Z"}
    assert ("192.168.1.99", "a.bad.co.uk") not in related(client, hours=71)
    assert ("192.168.1.99", "a.bad.co.uk") in related(client, hours=72)
    assert len(related(client, limit=2)) == 2


def test_attackers_are_related_by_their_network(client: AppClient, store: Store) -> None:
    store.append([make_attack(source_ip=f"45.155.{net}.{host}") for net, host in ((205, 1), (205, 2), (206, 3))])
    [one] = [one for one in client.json("/api/v1/threats")["threats"] if one["source"] == "45.155.205.1"]
    found = client.json(f"/api/v1/threats/{one['id']}/related")["related"]
    networks = {
        other["threat"]["source"]: {reason["value"] for reason in other["reasons"]}
        for other in found
        if other["threat"]["source"] != "45.155.206.3"
    }
    assert set(networks) == {"45.155.205.2"}
    assert "45.155.205.0/24" in networks["45.155.205.2"]


def test_trails_that_are_addresses_are_related_by_their_network(client: AppClient, store: Store) -> None:
    store.append(
        [
            met("203.0.113.7", kind=TrailKind.IPV4),
            met("203.0.113.70:443", OTHER, TrailKind.IP_PORT),
            met("203.0.11.1", "192.168.1.12", TrailKind.IPV4),
        ]
    )
    found = related(client, threat_id(HOST, TrailKind.IPV4, "203.0.113.7"))
    assert found == {(OTHER, "203.0.113.70:443"): ["trail-network"]}


def test_a_threat_that_is_not_there_is_404(client: AppClient, known: Store) -> None:
    refused(client.get("/api/v1/threats/0123456789abcdef/related"), 404)
    refused(client.get("/api/v1/threats/nonsense/related"), 422)
    refused(client.get(f"/api/v1/threats/{SUBJECT}/related", {"hours": 0}), 422)


def test_whoever_may_see_some_networks_is_told_of_those_only(client: AppClient, app: FastAPI, known: Store) -> None:
    key, _ = app.state.accounts.add_key(Key("", "branch", frozenset({Scope.READ}), networks=(f"{HOST}/32",)))
    branch = client.with_key(key)
    assert set(related(branch)) == {(HOST, "b.bad.co.uk"), (HOST, "elsewhere.example")}
    others = threat_id(OTHER, TrailKind.DOMAIN, "b.bad.co.uk")
    refused(branch.get(f"/api/v1/threats/{others}/related"), 404)
