from typing import Any

import httpx
import pytest

from api.access.people import Key
from api.access.principal import Scope
from stores.contract import Store
from stores.desk import asking
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.stores.factory import HOUR, make_event
from trailhound.event import timestamp


@pytest.fixture
def threats(client: AppClient, filled: Store) -> list[str]:
    """Give the ids of the four threats there are, the riskiest first."""
    del filled
    return [one["id"] for one in client.json("/api/v1/threats")["threats"]]


def place(threat: str) -> str:
    return f"/api/v1/threats/{threat}/triage"


def say(client: AppClient, threat: str, match: str = "*", **fields: Any) -> httpx.Response:
    return client.request("PATCH", place(threat), json=fields, headers={"If-Match": match})


def in_state(client: AppClient, *states: str, **more: Any) -> set[str]:
    page = client.json("/api/v1/threats", state=list(states), **more)
    assert page["total"] == len(page["threats"])
    return {one["id"] for one in page["threats"]}


def test_a_threat_is_new_until_somebody_says_otherwise(client: AppClient, threats: list[str]) -> None:
    answer = client.get(place(threats[0]))
    assert answer.headers["etag"] == '"0"'
    assert answer.json()["triage"]["state"] == "new"
    assert answer.json()["history"] == []
    assert client.json("/api/v1/threats")["threats"][0]["triage"] is None
    said = say(
        client, threats[0], '"0"', state="investigating", note=" <b>odd</b> ", tags=["a", "b", "a"], assignee="al"
    )
    assert said.status_code == 200, said.text
    assert said.headers["etag"] == '"1"'
    assert said.json()["triage"] == {
        "state": "investigating", "reopened": False, "note": "<b>odd</b>", "tags": ["a", "b"], "assignee": "al",
        "by": "key tests", "at": timestamp(NOW), "version": 1,
    }  # fmt: skip
    assert client.json("/api/v1/threats")["threats"][0]["triage"] == said.json()["triage"]


def test_what_is_left_out_stays_and_each_step_is_remembered(client: AppClient, threats: list[str]) -> None:
    say(client, threats[0], state="investigating", tags=["a"])
    said = say(client, threats[0], '"1"', note="clean", state="false positive").json()
    assert said["triage"]["tags"] == ["a"]
    assert [one["after"]["state"] for one in said["history"]] == ["false positive", "investigating"]
    assert said["history"][0]["before"]["state"] == "investigating"
    assert said["history"][1]["before"] is None
    assert client.json(place(threats[0])) == said
    assert client.json(place(threats[1]))["history"] == []


def test_of_two_who_say_something_at_once_one_is_told(client: AppClient, threats: list[str]) -> None:
    say(client, threats[0], '"0"', note="mine")
    refused(say(client, threats[0], '"0"', note="theirs"), 412)
    refused(client.request("PATCH", place(threats[0]), json={"note": "x"}), 428)
    assert client.json(place(threats[0]))["triage"]["note"] == "mine"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "state"),
        ({"note": None}, "state"),
        ({"state": "done"}, "state"),
        ({"note": "x" * 4001}, "note"),
        ({"tags": ["x" * 65]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"assignee": "x" * 256}, "assignee"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_a_wrong_field_is_named(client: AppClient, threats: list[str], fields: dict[str, Any], named: str) -> None:
    problem = refused(say(client, threats[0], **fields), 422)
    assert [one["parameter"] for one in problem["errors"]] == [named]


def test_nothing_is_said_of_what_is_not_there(client: AppClient, threats: list[str]) -> None:
    del threats
    refused(say(client, "0" * 16, note="x"), 404)
    refused(client.get(place("0" * 16)), 404)
    refused(client.get(place("../../etc")), 404)
    refused(client.get(place("x" * 16)), 422)


def test_threats_are_found_by_what_people_made_of_them(client: AppClient, threats: list[str]) -> None:
    everything = set(threats)
    assert len(everything) == 4
    assert in_state(client, "new") == everything
    assert in_state(client, "resolved") == set()
    say(client, threats[0], state="investigating")
    say(client, threats[1], state="false positive")
    say(client, threats[2], state="new", note="looked at")
    assert in_state(client, "new") == {threats[2], threats[3]}
    assert in_state(client, "investigating") == {threats[0]}
    assert in_state(client, "investigating", "false positive") == {threats[0], threats[1]}
    assert in_state(client, "new", "investigating") == everything - {threats[1]}
    assert in_state(client, "new", "investigating", "resolved", "false positive") == everything
    first = client.json("/api/v1/threats", state=["new", "investigating"], limit=2)
    rest = client.json("/api/v1/threats", state=["new", "investigating"], limit=2, cursor=first["next"])
    assert [one["id"] for one in (*first["threats"], *rest["threats"])] == [threats[0], *threats[2:]]
    assert in_state(client, "investigating", until="2000-01-01") == set()
    refused(client.get("/api/v1/threats", {"state": "done"}), 422)


def test_what_happens_again_after_it_was_resolved_is_new(client: AppClient, store: Store, threats: list[str]) -> None:
    resolved = next(one for one in client.json("/api/v1/threats")["threats"] if one["source"] == "192.168.1.10")["id"]
    say(client, resolved, state="resolved")
    say(client, threats[-1] if threats[-1] != resolved else threats[0], state="false positive")
    assert in_state(client, "resolved") == {resolved}
    store.append([make_event(identity="late", start=NOW - HOUR)])
    assert in_state(client, "resolved") == {resolved}, "what came late was before"
    store.append([make_event(identity="again", start=NOW + 1)])
    assert in_state(client, "resolved") == set()
    assert resolved in in_state(client, "new")
    triage = client.json(place(resolved))["triage"]
    assert (triage["state"], triage["reopened"]) == ("new", True)
    noted = say(client, resolved, note="again").json()["triage"]
    assert (noted["state"], noted["reopened"]) == ("new", False), "a note closes nothing"


def test_a_false_positive_stays_one(client: AppClient, store: Store, threats: list[str]) -> None:
    resolved = next(one for one in client.json("/api/v1/threats")["threats"] if one["source"] == "192.168.1.10")["id"]
    assert resolved in threats
    say(client, resolved, state="false positive")
    store.append([make_event(identity="again", start=NOW + 1)])
    assert in_state(client, "false positive") == {resolved}


def test_only_whoever_may_speaks_of_a_threat(client: AppClient, threats: list[str]) -> None:
    for scope in (Scope.READ, Scope.LISTS):
        secret, _ = client.app.state.accounts.add_key(Key("", f"only-{scope}", frozenset({scope})))
        refused(say(client.with_key(secret), threats[0], note="x"), 403)
    refused(say(client.anonymous, threats[0], note="x"), 401)
    refused(client.anonymous.get(place(threats[0])), 401)


def test_whoever_sees_some_networks_speaks_of_their_threats_only(client: AppClient, threats: list[str]) -> None:
    both = frozenset({Scope.READ, Scope.TRIAGE})
    secret, _ = client.app.state.accounts.add_key(Key("", "branch", both, networks=("192.168.1.11/32",)))
    branch = client.with_key(secret)
    seen = {one["id"] for one in branch.json("/api/v1/threats")["threats"]}
    assert 0 < len(seen) < len(threats)
    for threat in threats:
        answer = say(branch, threat, note="x")
        assert answer.status_code == (200 if threat in seen else 404)
        assert branch.get(place(threat)).status_code == (200 if threat in seen else 404)


def test_what_people_said_is_searched_for_on_every_list(
    client: AppClient, threats: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(client, threats[0], state="investigating", note="Odd beacon", tags=["apt"], assignee="al")
    for search in ("status:investigating", "tag:a*", 'note:"odd b"', "assignee:AL", "-status:new"):
        assert [one["id"] for one in client.json("/api/v1/threats", search=search)["threats"]] == [threats[0]]
        events = client.json("/api/v1/events", search=search)["events"]
        assert events
        assert {one["trailhound"]["threat_id"] for one in events} == {threats[0]}
        assert client.json("/api/v1/trails", search=search)["trails"]
    monkeypatch.setattr(asking, "MAX_TRIAGED", 0)
    assert "too many to search" in refused(client.get("/api/v1/events", {"search": "tag:apt"}), 422)["detail"]
