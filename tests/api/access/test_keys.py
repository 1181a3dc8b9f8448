"""Keys of programs, and users, as the API has them."""

import time
from typing import Any

import pytest
from fastapi import FastAPI

from api.access.accounts import Accounts
from api.access.pace import MAX_BUCKETS, Pace, neighbourhood
from api.access.people import Key
from api.access.principal import Scope
from tests.api.access.people import Browser, key, user
from tests.api.client import AppClient, refused


@pytest.fixture
def secret(app: FastAPI) -> str:
    return key(app, Scope.READ)


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER  {}"])
def test_a_key_is_shown_in_either_header(client: AppClient, secret: str, form: str) -> None:
    stranger = client.anonymous.at("203.0.113.5")
    assert stranger.get("/api/v1/events", headers={"Authorization": form.format(secret)}).status_code == 200
    assert stranger.get("/api/v1/events", headers={"X-Api-Key": secret}).status_code == 200


@pytest.mark.parametrize("wrong", ["", " ", "x", "th_", "{}x", "{:.40}", "x" * 5000, "' OR 1=1 --", "ü", "th_%00"])
def test_what_is_nearly_a_key_is_none(client: AppClient, secret: str, wrong: str) -> None:
    given = wrong.format(secret) if "{" in wrong else wrong
    stranger = client.anonymous.at("203.0.113.5")
    for headers in ({"X-Api-Key": given.encode()}, {"Authorization": b"Bearer " + given.encode()}):
        refused(stranger.get("/api/v1/events", headers=headers), 401)


def test_two_different_keys_are_none(client: AppClient, app: FastAPI, secret: str) -> None:
    stranger = client.anonymous.at("203.0.113.5")
    headers = {"X-Api-Key": secret, "Authorization": f"Bearer {key(app, Scope.ADMIN)}"}
    refused(stranger.get("/api/v1/events", headers=headers), 401)
    refused(stranger.get("/api/v1/events", headers={"Authorization": f"Basic {secret}"}), 401)
    refused(stranger.get(f"/api/v1/events?key={secret}"), 401)


def test_a_wrong_key_is_not_made_good_by_a_session(app: FastAPI) -> None:
    user(app)
    browser = Browser(app)
    browser.log_in()
    refused(browser.get("/api/v1/events", headers={"X-Api-Key": "th_wrong"}), 401)


def test_a_key_ends_when_it_says_so(app: FastAPI, client: AppClient) -> None:
    clock = [time.time()]
    accounts = Accounts(app.state.settings.state_dir / "accounts.sqlite", clock=lambda: clock[0])
    secret, _ = accounts.add_key(Key("", "short", frozenset({Scope.READ}), expires=int(clock[0]) + 60))
    app.state.accounts.close()
    app.state.accounts = accounts
    holder = client.with_key(secret)
    assert holder.get("/api/v1/events").status_code == 200
    clock[0] += 60
    assert "expired" in refused(holder.get("/api/v1/events"), 401)["detail"]


def test_a_key_is_made_shown_once_used_and_revoked(client: AppClient, app: FastAPI) -> None:
    made = client.request("POST", "/api/v1/keys", json={"name": "soar", "scopes": ["read"]})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret not in client.get("/api/v1/keys").text
    assert client.with_key(secret).get("/api/v1/summary").status_code == 200
    (shown,) = [one for one in client.json("/api/v1/keys")["keys"] if one["name"] == "soar"]
    assert shown["used"] is not None
    assert shown["creator"] == "key tests"
    refused(client.request("POST", "/api/v1/keys", json={"name": "soar", "scopes": ["admin"]}), 409)
    assert client.request("DELETE", "/api/v1/keys/soar").status_code == 204
    refused(client.with_key(secret).get("/api/v1/summary"), 401)
    refused(client.request("DELETE", "/api/v1/keys/soar"), 404)
    entries = client.json("/api/v1/audit")["entries"]
    assert [entry["action"] for entry in entries if entry["object"] == "key/soar"] == ["key.revoke", "key.add"]
    assert secret not in client.get("/api/v1/audit").text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "scopes": []}, 422),
        ({"name": "x", "scopes": ["everything"]}, 422),
        ({"name": "x"}, 422),
        ({"name": "a b", "scopes": ["read"]}, 409),
        ({"name": "x" * 65, "scopes": ["read"]}, 422),
        ({"name": "x\n", "scopes": ["read"], "networks": ["10.0.0.0/99"]}, 409),
        ({"name": "x", "scopes": ["read"], "networks": ["10.0.0.0/8"] * 101}, 422),
        ({"name": "x", "scopes": ["read"], "expires": "2001-01-01T00:00:00Z"}, 409),
        ({"name": "x", "scopes": ["read"], "expires": "some day"}, 422),
        ({"name": "x", "scopes": ["read"], "extra": 1}, 422),
        ({"name": "x", "scopes": ["admin"], "networks": ["10.0.0.0/8"]}, 409),
    ],
)
def test_a_key_that_cannot_be_is_not_made(client: AppClient, body: dict[str, Any], status: int) -> None:
    refused(client.request("POST", "/api/v1/keys", json=body), status)
    assert [one["name"] for one in client.json("/api/v1/keys")["keys"]] == ["tests"]


def test_users_are_added_changed_and_removed(client: AppClient, app: FastAPI) -> None:
    body = {"name": "carol", "password": "correct horse battery", "role": "analyst", "networks": ["10.1.2.3/16"]}
    added = client.request("POST", "/api/v1/users", json=body)
    assert added.status_code == 201
    assert added.json()["networks"] == ["10.1.0.0/16"]
    assert "password" not in added.text
    refused(client.request("POST", "/api/v1/users", json=body), 409)
    browser = Browser(app)
    browser.log_in("carol")
    assert [one["user"] for one in client.json("/api/v1/sessions")["sessions"]] == ["carol"]
    changed = client.request("PATCH", "/api/v1/users/carol", json={"role": "viewer", "networks": []})
    assert (changed.json()["role"], changed.json()["networks"]) == ("viewer", [])
    (session,) = client.json("/api/v1/sessions")["sessions"]
    assert client.request("DELETE", f"/api/v1/sessions/{session['id']}").status_code == 204
    refused(browser.get("/api/v1/session"), 401)
    assert client.request("DELETE", "/api/v1/users/carol").status_code == 204
    for method in ("PATCH", "DELETE"):
        refused(client.request(method, "/api/v1/users/carol", json={} if method == "PATCH" else None), 404)


def test_the_last_admin_stays(client: AppClient, app: FastAPI) -> None:
    assert app.state.accounts.first_admin("correct horse battery")
    assert not app.state.accounts.first_admin("correct horse battery")
    refused(client.request("DELETE", "/api/v1/users/admin"), 409)
    refused(client.request("PATCH", "/api/v1/users/admin", json={"role": "viewer"}), 409)


def test_a_short_password_is_refused(client: AppClient) -> None:
    body = {"name": "dave", "password": "short"}
    refused(client.request("POST", "/api/v1/users", json=body), 422)


def test_whoever_asks_too_often_waits(client: AppClient, app: FastAPI, secret: str) -> None:
    clock = [1000.0]
    app.state.pace = Pace(60, 3, lambda: clock[0])
    holder, other = client.with_key(secret), client.with_key(key(app, Scope.READ))
    assert [holder.get("/api/v1/session").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = holder.at("198.51.100.9").get("/api/v1/session")
    refused(answer, 429)
    assert answer.headers["retry-after"] == "1"
    assert other.get("/api/v1/session").status_code == 200
    clock[0] += 1
    assert [holder.get("/api/v1/session").status_code for _ in range(2)] == [200, 429]


def test_the_buckets_are_bounded_and_ipv6_has_one_a_network() -> None:
    pace = Pace(60, 3, lambda: 0.0)
    for number in range(MAX_BUCKETS + 10):
        pace.wait(("", str(number)))
    assert len(pace._buckets) == MAX_BUCKETS
    assert neighbourhood("2001:db8::1") == neighbourhood("2001:db8::ffff:1") == "2001:db8::/64"
    assert neighbourhood("192.0.2.1") == "192.0.2.1"
    assert Pace(0, 1).wait(("", "")) == 0


def test_accounts_that_cannot_be_read_let_nobody_in(client: AppClient, app: FastAPI, secret: str) -> None:
    app.state.accounts.close()
    answer = client.with_key(secret).get("/api/v1/events")
    refused(answer, 503)
    assert str(app.state.settings.state_dir) not in answer.text
