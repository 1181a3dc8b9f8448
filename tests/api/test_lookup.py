from pathlib import Path

import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from api.app import create_app
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.stores.factory import make_event, make_trail
from trailhound.settings import Api, Settings
from trailhound.trail import TrailKind


def test_a_look_up_says_what_is_known_and_when_it_was_seen(client: AppClient, filled: Store) -> None:
    [result] = client.json("/api/v1/lookup", value="WWW.Evil.example.")["results"]
    assert result["found"] is True
    assert [(match["key"], match["info"]) for match in result["matches"]] == [("evil.example", "emotet (malware)")]
    [seen] = result["seen"]
    assert (seen["as"], seen["value"], seen["records"], seen["events"]) == ("trail", "evil.example", 8, 4)
    assert seen["first"] < seen["last"]


def test_an_address_was_seen_in_each_of_its_roles(client: AppClient, filled: Store) -> None:
    [result] = client.json("/api/v1/lookup", value="45.155.205.233")["results"]
    assert {(one["as"], one["records"]) for one in result["seen"]} == {("trail", 100), ("source", 100)}


def test_what_was_never_met_is_told_too(client: AppClient, filled: Store) -> None:
    [result] = client.json("/api/v1/lookup", value="harmless.example")["results"]
    assert (result["found"], result["matches"], result["seen"]) == (False, [], [])
    assert result["readings"] == [{"kind": "domain", "canonical": "harmless.example"}]


def test_a_thousand_values_come_back_in_their_order(client: AppClient, filled: Store) -> None:
    values = [f"host-{number}.evil.example" for number in range(1000)]
    answer = client.request("POST", "/api/v1/lookup", json={"values": values})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [one["value"] for one in results] == values
    assert all(one["found"] for one in results)


@pytest.mark.parametrize(
    "body",
    [{"values": []}, {"values": ["x"] * 1001}, {"values": [""]}, {"values": ["x" * 2049]}, {"values": [1]}, {"v": []}],
)
def test_bodies_are_bounded(client: AppClient, body: object) -> None:
    refused(client.request("POST", "/api/v1/lookup", json=body), 422)


def test_whoever_may_see_some_networks_learns_of_no_other(client: AppClient, app: FastAPI, filled: Store) -> None:
    secret, _ = app.state.accounts.add_key(Key("", "branch", frozenset({Scope.READ}), networks=("192.168.1.11/32",)))
    [result] = client.with_key(secret).json("/api/v1/lookup", value="evil.example")["results"]
    assert [(one["as"], one["events"]) for one in result["seen"]] == [("trail", 2)]
    [result] = client.with_key(secret).json("/api/v1/lookup", value="45.155.205.233")["results"]
    assert result["seen"] == []


def test_a_store_full_of_odd_values_is_searched_without_harm(client: AppClient, store: Store) -> None:
    odd = "e'vil\"; DROP TABLE texts; --.example"
    store.append([make_event(trail=make_trail(kind=TrailKind.USER_AGENT, value=odd))])
    [result] = client.json("/api/v1/lookup", value=odd)["results"]
    assert [one["value"] for one in result["seen"]] == [odd]


@pytest.mark.parametrize("name", ["q", "query"])
def test_the_check_of_maltrail_answers_as_there(client: AppClient, name: str) -> None:
    assert client.get("/check", {name: "www.evil.example"}).json() == {
        "query": "www.evil.example",
        "found": True,
        "trail": "evil.example",
        "info": "emotet (malware)",
        "reference": "https://lists.example/emotet.txt",
    }
    assert client.get("/check", {name: "good.evil.example"}).json() == {"query": "good.evil.example", "found": False}


def test_a_check_needs_a_value_of_a_bounded_length(client: AppClient) -> None:
    refused(client.get("/check"), 422)
    refused(client.get("/check", {"q": "x" * 257}), 422)
    refused(client.get("/check", {"q": "x", "callback": "alert"}), 422)


def test_a_check_answers_networks_that_may_read_lists_without_a_key_and_hides_from_others(
    tmp_path: Path, store: Store, client: AppClient
) -> None:
    assert client.anonymous.get("/check", {"q": "www.evil.example"}).json()["found"] is True
    trails, settings = client.app.state.trails, Settings(state_dir=tmp_path, api=Api(list_networks=("192.0.2.0/24",)))
    elsewhere = AppClient(create_app(settings, store, trails))
    refused(elsewhere.anonymous.get("/check", {"q": "www.evil.example"}), 404)
    refused(elsewhere.anonymous.get("/check"), 404)
    assert elsewhere.get("/check", {"q": "www.evil.example"}).json()["found"] is True
