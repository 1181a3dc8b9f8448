"""What bouncers of CrowdSec are told."""

import re
from typing import Any

import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from stores.contract import Store
from stores.desk.contract import Author, Cleared, Decision, DecisionScope, Verdict
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.stores.factory import HOUR, make_attack

ME = Author("me", "127.0.0.1", NOW)
STREAM = "/v1/decisions/stream"


@pytest.fixture
def bouncer(app: FastAPI) -> AppClient:
    secret, _ = app.state.accounts.add_key(Key("", "bouncer", frozenset({Scope.LISTS})))
    return AppClient(app, "198.51.100.7", key=secret)


def attack(address: str, **changes: Any) -> Any:
    return make_attack(**{"source_ip": address, "start": NOW - HOUR, **changes})


def values(rows: list[dict[str, Any]]) -> set[str]:
    return {row["value"] for row in rows}


def stream(client: AppClient, **params: str) -> tuple[set[str], set[str]]:
    """Give what is new and what is deleted."""
    answer = client.get(STREAM, params).json()
    assert set(answer) == {"new", "deleted"}
    return values(answer["new"]), values(answer["deleted"])


def block(app: FastAPI, value: str, ends: int | None = None) -> Decision:
    scope = DecisionScope.RANGE if "/" in value else DecisionScope.ADDRESS
    made = Decision(f"{len(value):016x}", Verdict.BLOCK, scope, value, "because", "me", NOW - 1, ends)
    found: Decision = app.state.desk.add_decision(made, ME)
    return found


def test_a_decision_is_as_crowdsec_writes_it(bouncer: AppClient, app: FastAPI, store: Store) -> None:
    store.append([attack("45.155.205.233")])
    block(app, "80.2.0.0/16", NOW + HOUR + 61_000_000)
    ranged, single = bouncer.get("/v1/decisions").json()
    assert re.fullmatch(r"[0-9a-f]{32}", single.pop("uuid"))
    assert 0 < single.pop("id") < 2**53
    assert single == {
        "origin": "trailhound",
        "type": "ban",
        "scope": "Ip",
        "value": "45.155.205.233",
        "duration": "23h0m0s",
        "scenario": "trailhound/mass scanner",
        "simulated": False,
    }
    assert (ranged["scope"], ranged["value"], ranged["duration"]) == ("Range", "80.2.0.0/16", "1h1m1s")


def test_a_bouncer_is_told_what_is_new_to_it(bouncer: AppClient, app: FastAPI, store: Store) -> None:
    store.append([attack("45.155.205.1"), attack("2a00:1450::1")])
    assert stream(bouncer, startup="true") == ({"45.155.205.1", "2a00:1450::1"}, set())
    assert stream(bouncer, startup="false") == (set(), set())
    store.append([attack("45.155.205.2")])
    app.state.desk.clear(Cleared("45.155.205.1", "reinstalled", "me", NOW), ME)
    assert stream(bouncer) == ({"45.155.205.2"}, {"45.155.205.1"})
    assert stream(bouncer) == (set(), set())
    app.state.clock = lambda: NOW + 1
    store.append([attack("45.155.205.1", start=NOW + 1)])
    assert stream(bouncer) == ({"45.155.205.1"}, set())
    # One that starts anew knows nothing; another one knows what it was told itself.
    assert stream(bouncer, startup="true")[0] == {"45.155.205.1", "45.155.205.2", "2a00:1450::1"}
    assert stream(bouncer.at("198.51.100.8"))[0] == {"45.155.205.1", "45.155.205.2", "2a00:1450::1"}
    assert stream(bouncer) == (set(), set())


def test_what_stays_longer_is_told_when_what_was_told_has_run_out(
    bouncer: AppClient, app: FastAPI, store: Store
) -> None:
    store.append([attack("45.155.205.1", start=NOW - 23 * HOUR)])
    assert stream(bouncer, startup="true") == ({"45.155.205.1"}, set())
    store.append([attack("45.155.205.1", start=NOW)])
    assert stream(bouncer) == (set(), set())
    app.state.clock = lambda: NOW + HOUR
    assert stream(bouncer) == ({"45.155.205.1"}, set())
    # What runs out by itself need not be told.
    app.state.clock = lambda: NOW + 200 * HOUR
    assert stream(bouncer) == (set(), set())


def test_after_a_restart_a_bouncer_hears_of_whom_to_let_go(bouncer: AppClient, app: FastAPI, store: Store) -> None:
    store.append([attack("45.155.205.1"), attack("45.155.205.2")])
    lifted = block(app, "80.2.0.0/16")
    assert stream(bouncer, startup="true") == ({"45.155.205.1", "45.155.205.2", "80.2.0.0/16"}, set())
    app.state.bouncers._told.clear()  # As a restart does.
    app.state.desk.clear(Cleared("45.155.205.1", "reinstalled", "me", NOW), ME)
    app.state.desk.lift_decision(lifted.id, lifted.version, ME)
    assert stream(bouncer, startup="false") == ({"45.155.205.2"}, {"45.155.205.1", "80.2.0.0/16"})


def test_a_look_whether_the_key_is_good_tells_nothing(bouncer: AppClient, store: Store) -> None:
    store.append([attack("45.155.205.1")])
    for path in ("/v1/decisions", STREAM):
        answer = bouncer.request("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
    assert stream(bouncer) == ({"45.155.205.1"}, set())


def test_who_has_no_key_for_lists_is_told_nothing(app: FastAPI, filled: Store) -> None:
    reader, _ = app.state.accounts.add_key(Key("", "reader", frozenset({Scope.READ})))
    for path in ("/v1/decisions", STREAM):
        refused(AppClient(app).anonymous.get(path), 401)
        refused(AppClient(app, key="wrong").get(path), 401)
        refused(AppClient(app, key=reader).get(path), 403)


def test_a_key_for_some_networks_is_told_of_what_attacked_these(app: FastAPI, store: Store) -> None:
    store.append([attack("45.155.205.1", destination_ip="10.1.0.5"), attack("45.155.205.2", destination_ip="10.2.0.5")])
    secret, _ = app.state.accounts.add_key(Key("", "branch", frozenset({Scope.LISTS}), networks=("10.1.0.0/16",)))
    branch = AppClient(app, key=secret)
    assert values(branch.get("/v1/decisions").json()) == {"45.155.205.1"}
    assert stream(branch, startup="true") == ({"45.155.205.1"}, set())


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"ip": "45.155.205.1"}, {"45.155.205.1"}),
        ({"ip": "::ffff:45.155.205.1"}, {"45.155.205.1"}),
        ({"ip": "80.2.3.4"}, {"80.2.0.0/16"}),
        ({"ip": "9.9.9.9"}, None),
        ({"range": "80.2.4.0/24"}, {"80.2.0.0/16"}),
        ({"range": "80.0.0.0/8"}, None),
        ({"range": "80.0.0.0/8", "contains": "false"}, {"80.2.0.0/16"}),
        ({"value": "45.155.205.1"}, {"45.155.205.1"}),
        ({"scope": "ip"}, {"45.155.205.1"}),
        ({"scopes": "Range"}, {"80.2.0.0/16"}),
        ({"scopes": "ip,range"}, {"45.155.205.1", "80.2.0.0/16"}),
        ({"scopes": "country"}, None),
        ({"type": "ban"}, {"45.155.205.1", "80.2.0.0/16"}),
        ({"type": "captcha"}, None),
        ({"origins": "crowdsec,trailhound"}, {"45.155.205.1", "80.2.0.0/16"}),
        ({"origins": "capi"}, None),
        ({"scenarios_containing": "scan"}, {"45.155.205.1"}),
        ({"scenarios_not_containing": "scan"}, {"80.2.0.0/16"}),
        ({"limit": "1"}, {"80.2.0.0/16"}),
    ],
)
def test_a_bouncer_may_ask_for_some(
    bouncer: AppClient, app: FastAPI, store: Store, asked: dict[str, str], expected: set[str] | None
) -> None:
    store.append([attack("45.155.205.1")])
    block(app, "80.2.0.0/16")
    found = bouncer.get("/v1/decisions", asked).json()
    assert (found and values(found)) == expected


def test_what_cannot_be_asked_is_refused(bouncer: AppClient) -> None:
    for asked in ({"ip": "no address"}, {"ipp": "1.2.3.4"}, {"limit": "-1"}):
        refused(bouncer.get("/v1/decisions", asked), 422)
    refused(bouncer.get(STREAM, {"startup": "perhaps"}), 422)


def test_what_bouncers_are_remembered_to_know_is_bounded(
    bouncer: AppClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.lists.bouncers._MOST_TOLD", 5)
    store.append([attack(f"45.155.205.{n}") for n in range(1, 4)])
    first, second = bouncer, bouncer.at("198.51.100.8")
    for client in (first, second):
        assert len(stream(client, startup="true")[0]) == 3
    assert len(stream(second)[0]) == 0
    assert len(stream(first)[0]) == 3
