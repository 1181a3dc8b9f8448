import json
from typing import Any

import httpx
import pytest

from api.access.people import Key
from api.access.principal import Scope
from stores.desk import Desk
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

PLACE = "/api/v1/decisions"
HOUR = 3600 * MICROSECONDS


def add(client: AppClient, value: str = "45.155.205.233", headers: Any = None, **fields: Any) -> httpx.Response:
    body = {"verdict": "block", "value": value, "reason": "brute force", **fields}
    return client.request("POST", PLACE, json=body, headers=headers)


def test_a_decision_is_made_found_and_lifted(client: AppClient, desk: Desk) -> None:
    answer = add(client, until="4h")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["scope"] == "address"
    assert made["until"] == timestamp(NOW + 4 * HOUR)
    assert made["in_force"] is True
    assert answer.headers["etag"] == '"1"'
    place = answer.headers["location"]
    assert client.json(place) == made
    assert client.json(PLACE)["decisions"] == [made]
    lifted = client.request("DELETE", place, headers={"If-Match": '"1"'})
    assert lifted.status_code == 200, lifted.text
    assert lifted.json() | {"in_force": True, "lifted_by": None, "until": made["until"], "version": 1} == made
    assert lifted.json()["lifted_by"] == "key tests"
    assert client.json(PLACE)["decisions"] == []
    assert client.json(PLACE, ended_since="1h")["decisions"] == [lifted.json()]
    assert desk.decisions(now=NOW) == []


@pytest.mark.parametrize(
    ("value", "scope", "canonical"),
    [
        ("45.155.205.233", "address", "45.155.205.233"),
        ("::ffff:45.155.205.233", "address", "45.155.205.233"),
        ("45.155.205.0/24", "range", "45.155.205.0/24"),
        ("2A02:0::1", "address", "2a02::1"),
        (" Evil.Example. ", "domain", "evil.example"),
        ("b\u00fccher.example", "domain", "xn--bcher-kva.example"),
    ],
)
def test_a_value_is_kept_in_its_canonical_form(client: AppClient, value: str, scope: str, canonical: str) -> None:
    made = add(client, value).json()
    assert (made["scope"], made["value"]) == (scope, canonical)


@pytest.mark.parametrize(
    "value",
    [
        "10.0.0.1",
        "192.168.0.0/16",
        "::1",
        "0.0.0.0/0",
        "::/0",
        "45.0.0.0/4",
        "co.uk",
        "com",
        "x",
        "' OR 1=1 --",
        "a b.example",
        "",
        "x" * 3000,
        "45.155.205.233\x00",
        "\ud800.example",
    ],
)
def test_what_must_not_be_blocked_is_refused(client: AppClient, value: str) -> None:
    # A lone surrogate travels as an escape only.
    body = json.dumps({"verdict": "block", "value": value, "reason": "r"}).encode("ascii")
    answer = client.request("POST", PLACE, content=body, headers={"Content-Type": "application/json"})
    assert refused(answer, 422)["errors"][0]["parameter"] == "value"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"until": "yesterday"}, "until"),
        ({"until": "2020-01-01"}, "until"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"verdict": "maybe"}, "verdict"),
        ({"colour": "red"}, "colour"),
        ({"value": ["45.155.205.233"]}, "value"),
    ],
)
def test_a_wrong_field_is_named(client: AppClient, fields: dict[str, Any], named: str) -> None:
    problem = refused(
        client.request("POST", PLACE, json={"verdict": "block", "value": "45.1.1.1", "reason": "r", **fields}), 422
    )
    assert [one["parameter"] for one in problem["errors"]] == [named]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{" * 2000, b'{"verdict": NaN}'])
def test_a_body_that_is_none_is_refused(client: AppClient, body: bytes) -> None:
    refused(client.request("POST", PLACE, content=body, headers={"Content-Type": "application/json"}), 422)


def test_an_own_network_is_allowed_though_it_cannot_be_blocked(client: AppClient) -> None:
    assert add(client, "10.0.0.1", verdict="allow").status_code == 201


def test_decisions_that_cover_a_value_are_found(client: AppClient) -> None:
    for value in ("45.155.205.233", "45.155.205.0/24", "45.155.0.0/16", "evil.example", "other.example"):
        add(client, value)
    found = sorted(one["value"] for one in client.json(PLACE, value="45.155.205.9")["decisions"])
    assert found == ["45.155.0.0/16", "45.155.205.0/24"]
    assert [one["value"] for one in client.json(PLACE, value="www.Evil.example")["decisions"]] == ["evil.example"]
    assert client.json(PLACE, value="notevil.example")["decisions"] == []
    assert client.json(PLACE, verdict="allow")["decisions"] == []


def test_pages_follow_one_another(client: AppClient) -> None:
    for number in range(5):
        add(client, f"45.155.205.{number}")
    seen = []
    page = client.json(PLACE, limit=2)
    while True:
        seen += [one["id"] for one in page["decisions"]]
        if page["next"] is None:
            break
        page = client.json(PLACE, limit=2, cursor=page["next"])
    assert sorted(seen) == sorted({one["id"] for one in client.json(PLACE)["decisions"]})
    assert len(seen) == 5
    refused(client.get(PLACE, {"cursor": "nonsense"}), 400)


def test_a_change_needs_the_version_that_was_seen(client: AppClient) -> None:
    place = add(client).headers["location"]
    assert refused(client.request("PATCH", place, json={"reason": "other"}), 428)
    refused(client.request("PATCH", place, json={"reason": "other"}, headers={"If-Match": '"7"'}), 412)
    refused(client.request("PATCH", place, json={"reason": "other"}, headers={"If-Match": "1"}), 412)
    changed = client.request("PATCH", place, json={"reason": "other", "until": "1d"}, headers={"If-Match": 'W/"1"'})
    assert changed.status_code == 200, changed.text
    assert changed.headers["etag"] == '"2"'
    assert changed.json()["reason"] == "other"
    refused(client.request("DELETE", place, headers={"If-Match": '"1"'}), 412)
    for_good = client.request("PATCH", place, json={"until": None}, headers={"If-Match": "*"})
    assert for_good.json()["until"] is None
    assert for_good.json()["reason"] == "other"
    assert client.request("DELETE", place, headers={"If-Match": '"1", "3"'}).status_code == 200
    refused(client.request("PATCH", place, json={"reason": "x"}, headers={"If-Match": "*"}), 422)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_there_is_nothing_where_nothing_was_made(client: AppClient, method: str) -> None:
    options = {"json": {"reason": "x"}} if method == "PATCH" else {}
    refused(client.request(method, f"{PLACE}/{'0' * 16}", headers={"If-Match": "*"}, **options), 404)


def test_a_request_that_comes_twice_is_done_once(client: AppClient) -> None:
    first = add(client, headers={"Idempotency-Key": "incident-5"})
    again = add(client, headers={"Idempotency-Key": "incident-5"})
    assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" in again.headers
    assert "idempotency-replayed" not in first.headers
    assert len(client.json(PLACE)["decisions"]) == 1
    refused(add(client, "45.155.205.1", headers={"Idempotency-Key": "incident-5"}), 422)
    assert add(client, headers={"Idempotency-Key": "incident-6"}).json()["id"] != first.json()["id"]
    refused(add(client, headers={"Idempotency-Key": "k" * 256}), 422)


def test_keys_of_requests_are_those_of_whoever_sent_them(client: AppClient) -> None:
    secret, _ = client.app.state.accounts.add_key(Key("", "other", frozenset({Scope.LISTS})))
    first = add(client, headers={"Idempotency-Key": "1"}).json()
    assert add(client.with_key(secret), headers={"Idempotency-Key": "1"}).json()["id"] != first["id"]


def test_whoever_may_only_read_changes_nothing(client: AppClient) -> None:
    place = add(client).headers["location"]
    for scope in (Scope.READ, Scope.TRIAGE):
        secret, _ = client.app.state.accounts.add_key(Key("", f"only-{scope}", frozenset({scope})))
        other = client.with_key(secret)
        refused(add(other), 403)
        refused(other.request("PATCH", place, json={"reason": "x"}, headers={"If-Match": "*"}), 403)
        refused(other.request("DELETE", place, headers={"If-Match": "*"}), 403)
        assert other.get(PLACE).status_code == (200 if scope is Scope.READ else 403)
    refused(add(client.anonymous), 401)
    refused(client.anonymous.get(PLACE), 401)


def test_whoever_sees_some_networks_sees_no_decisions(client: AppClient) -> None:
    key = Key("", "branch", frozenset({Scope.READ, Scope.TRIAGE, Scope.LISTS}), networks=("10.1.0.0/16",))
    secret, _ = client.app.state.accounts.add_key(key)
    for path in (PLACE, "/api/v1/cleared", "/api/v1/custom-trails", "/api/v1/exceptions", "/api/v1/audit"):
        refused(client.with_key(secret).get(path), 403)
    refused(add(client.with_key(secret)), 403)


def test_every_change_stands_in_the_audit_log(client: AppClient) -> None:
    place = add(client).headers["location"]
    client.request("PATCH", place, json={"reason": "other"}, headers={"If-Match": "*"})
    client.request("DELETE", place, headers={"If-Match": "*"})
    refused(client.request("DELETE", place, headers={"If-Match": '"1"'}), 412)
    entries = client.json("/api/v1/audit", object=f"decision/{place.rpartition('/')[2]}")["entries"]
    assert [one["action"] for one in entries] == ["decision.lift", "decision.change", "decision.add"]
    assert {(one["who"], one["address"], one["at"]) for one in entries} == {("key tests", "127.0.0.1", timestamp(NOW))}
    assert entries[1]["before"]["reason"] == "brute force"
    assert entries[1]["after"]["reason"] == "other"
    assert entries[2]["before"] is None
