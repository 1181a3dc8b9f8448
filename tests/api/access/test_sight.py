"""Whoever may see some networks only, or no trails of the site's own, learns nothing of the rest from any answer."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from api.access.principal import Principal, Role, Scope
from api.access.sight import Sight, seen_by
from stores.contract import Query, Store
from tests.api.access.people import Browser, key, user
from tests.api.client import AppClient, refused
from tests.stores.factory import HOUR, START, make_attack, make_event, make_trail
from trailhound.errors import StoreUnavailable
from trailhound.event import Event

# Ours is 10.1.0.0/16; everything that only the others have says so in its name or address.
OURS = "10.1.0.0/16"
THEIRS = ("10.2.", "2001:db8:2", "theirs", "own-secret")


def _events() -> Sequence[Event]:
    theirs = make_trail(value="theirs.example", info="theirs")
    own = make_trail(value="own-secret.example", info="own-secret", custom=True)
    return [
        make_event(identity="a", source_ip="10.1.0.5", destination_ip="198.51.100.1"),
        make_event(identity="b", source_ip="10.2.0.5", destination_ip="198.51.100.2", trail=theirs, sensor="theirs"),
        make_event(identity="c", source_ip="2001:db8:2::1", trail=theirs, sensor="theirs", start=START + HOUR),
        make_attack(source_ip="45.155.205.233", destination_ip="10.1.0.9", start=START + HOUR),
        make_attack(source_ip="45.155.205.233", destination_ip="10.2.0.9", start=START + 2 * HOUR, sensor="theirs"),
        make_event(identity="d", source_ip="10.2.0.7", trail=own, sensor="theirs"),
    ]


@pytest.fixture
def mixed(store: Store) -> Store:
    store.append(_events())
    return store


@pytest.fixture
def restricted(client: AppClient, app: FastAPI, mixed: Store) -> AppClient:
    return client.with_key(key(app, Scope.READ, networks=(OURS,))).at("203.0.113.5")


def _paths(app: FastAPI) -> list[str]:
    found = []
    for path, item in app.openapi()["paths"].items():
        operation = item.get("get")
        if operation is None or operation.get("x-scope") != "read" or "{" in path or "stream" in path:
            continue
        needed = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"]]
        found.append(path + ("?" + "&".join(f"{name}=evil.example" for name in needed) if needed else ""))
    return found


def test_no_answer_tells_of_other_networks(restricted: AppClient, app: FastAPI) -> None:
    answered = 0
    for path in _paths(app):
        answer = restricted.get(path)
        assert answer.status_code in (200, 403, 404, 422, 503), (path, answer.text)
        answered += answer.status_code == 200
        for word in THEIRS:
            assert word not in answer.text, (path, word)
    assert answered > 6


def test_counts_are_those_of_the_networks_one_may_see(restricted: AppClient, client: AppClient) -> None:
    everything, ours = client.json("/api/v1/summary")["totals"], restricted.json("/api/v1/summary")["totals"]
    assert (everything["events"], ours["events"]) == (6, 2)
    assert ours["threats"] == ours["sources"] == 2
    buckets = restricted.json("/api/v1/timeline", by="sensor")["buckets"]
    assert {name for bucket in buckets for name in bucket["counts"]} == {"sensor-1"}
    assert restricted.json("/api/v1/threats")["total"] == 2
    assert restricted.json("/api/v1/sources")["total"] == 2
    assert "theirs.example" not in json.dumps(restricted.json("/api/v1/trails", limit=1000))


def test_a_condition_of_a_query_does_not_widen_what_is_seen(restricted: AppClient) -> None:
    for conditions in ({"source": "10.2.0.0/16"}, {"source": "0.0.0.0/0"}, {"q": "theirs"}, {"sensor": "theirs"}):
        answer = restricted.json("/api/v1/events", **conditions)
        assert "theirs" not in json.dumps(answer["events"])
        assert "10.2." not in json.dumps(answer["events"])


def test_a_single_event_of_others_is_not_there(restricted: AppClient, client: AppClient) -> None:
    for event in client.json("/api/v1/events")["events"]:
        ends = {event[end]["ip"] for end in ("source", "destination") if end in event}
        answer = restricted.get(f"/api/v1/events/{event['event']['id']}")
        if any(end.startswith("10.1.") for end in ends):
            assert answer.status_code == 200
        else:
            refused(answer, 404)


def test_a_threat_tells_of_its_whole_life_only_inside(restricted: AppClient, client: AppClient) -> None:
    attack = next(t for t in restricted.json("/api/v1/threats")["threats"] if t["source"] == "45.155.205.233")
    assert attack["destinations"] == ["10.1.0.9"]
    assert attack["count"] < next(
        t["count"] for t in client.json("/api/v1/threats")["threats"] if t["source"] == "45.155.205.233"
    )
    assert attack["sensors"] == []


def test_what_cannot_be_narrowed_is_refused(restricted: AppClient) -> None:
    for path in ("/api/v1/sensors", "/metrics"):
        refused(restricted.get(path), 403)


def test_the_page_of_a_restricted_user_shows_their_networks_only(app: FastAPI, mixed: Store) -> None:
    user(app, networks=(OURS,))
    browser = Browser(app)
    browser.log_in()
    page = browser.get("/?period=all")
    assert page.status_code == 200
    assert "10.1.0.5" in page.text
    for word in THEIRS:
        assert word not in page.text


def test_a_restricted_key_reads_of_attacks_on_its_networks_only(client: AppClient, app: FastAPI, mixed: Store) -> None:
    listed = {}
    for networks in ((), (OURS,), ("10.3.0.0/16",)):
        secret = key(app, Scope.LISTS, networks=networks)
        listed[networks] = client.with_key(secret).at("203.0.113.5").get("/fail2ban").text
    assert list(listed.values()) == ["45.155.205.233\n", "45.155.205.233\n", ""]


def test_trails_of_the_site_are_hidden_from_those_not_entitled(client: AppClient, app: FastAPI, mixed: Store) -> None:
    without = client.with_key(key(app, Scope.READ, sees_custom=False)).at("203.0.113.5")
    assert client.json("/api/v1/summary")["totals"]["events"] == 6
    assert without.json("/api/v1/summary")["totals"]["events"] == 5
    assert "own-secret" in client.get("/api/v1/events").text
    for path in _paths(app):
        assert "own-secret" not in without.get(path).text, path
    hidden = client.json("/api/v1/events", trail="own-secret.example")["events"][0]["event"]["id"]
    refused(without.get(f"/api/v1/events/{hidden}"), 404)
    assert without.json("/api/v1/events", trail="own-secret.example")["events"] == []


def test_the_sight_is_for_reading_and_has_all_that_a_store_has(store: Store) -> None:
    principal = Principal("x", "key", frozenset({Scope.READ}), networks=(OURS,))
    sight = seen_by(principal, store)
    assert isinstance(sight, Sight)
    with pytest.raises(StoreUnavailable):
        sight.append(_events())
    with pytest.raises(StoreUnavailable):
        sight.put_sensors([])
    with pytest.raises(StoreUnavailable):
        sight.count(Query(within=("0.0.0.0/0",)))
    asked = {name for name in vars(Store) if not name.startswith("_")}
    assert asked <= set(vars(Sight)), "a method that is missing here would fall through to nothing"
    sight.close()
    assert store.count(Query()) == 0


def test_whoever_is_not_restricted_has_the_store_itself(store: Store) -> None:
    assert seen_by(Principal("x", "user", frozenset({Scope.READ})), store) is store


def test_an_admin_cannot_be_restricted(client: AppClient, app: FastAPI) -> None:
    body: dict[str, Any] = {"name": "eve", "password": "correct horse battery", "role": "admin", "networks": [OURS]}
    assert "no admin" in refused(client.request("POST", "/api/v1/users", json=body), 409)["detail"]
    user(app, role=Role.VIEWER, networks=(OURS,))
    refused(client.request("PATCH", "/api/v1/users/alice", json={"role": "admin"}), 409)
