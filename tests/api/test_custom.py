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
from trailhound.trail import TrailClass, TrailKind

PLACE = "/api/v1/custom-trails"
DAY = 86_400 * MICROSECONDS


def add(client: AppClient, trail: str = "evil.example", headers: Any = None, **fields: Any) -> httpx.Response:
    body = {"trail": trail, "info": "phishing", "reason": "told by CERT", **fields}
    return client.request("POST", PLACE, json=body, headers=headers)


def test_a_trail_is_added_changed_and_removed(client: AppClient, desk: Desk) -> None:
    answer = add(client, "HTTP://Evil.example/Gate.php", until="7d", **{"class": "c2"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["kind"], made["trail"], made["class"]) == ("url", "evil.example/gate.php", "c2")
    assert made["until"] == timestamp(NOW + 7 * DAY)
    place = answer.headers["location"]
    assert client.json(place) == made
    assert client.json(PLACE)["trails"] == [made]
    (kept,) = desk.trails(now=NOW)
    assert (kept.kind, kept.class_, kept.confidence) == (TrailKind.URL, TrailClass.C2, 80)
    change = {"info": "emotet", "until": None, "class": "malware", "confidence": 10}
    changed = client.request("PATCH", place, json=change, headers={"If-Match": answer.headers["etag"]}).json()
    assert changed == made | change | {"version": 2}
    refused(client.request("DELETE", place, headers={"If-Match": answer.headers["etag"]}), 412)
    removed = client.request("DELETE", place, headers={"If-Match": '"2"'}).json()
    assert (removed["removed_by"], removed["in_force"]) == ("key tests", False)
    assert client.json(PLACE)["trails"] == []
    refused(client.request("PATCH", place, json={"info": "x"}, headers={"If-Match": "*"}), 422)
    entries = client.json("/api/v1/audit", who="key tests")["entries"]
    assert [one["action"] for one in entries] == ["trail.remove", "trail.change", "trail.add"]


@pytest.mark.parametrize(
    ("trail", "fields"),
    [
        ("com", {}),
        ("co.uk", {}),
        ("10.0.0.1", {}),
        ("0.0.0.0/0", {}),
        ("45.0.0.0/4", {}),
        (".*", {"kind": "wildcard"}),
        ("(", {"kind": "wildcard"}),
        ("Mozilla", {"kind": "user-agent-regex"}),
        ("d41d8cd98f00b204e9800998ecf8427e", {"kind": "file-md5"}),
        ("evil.example", {"kind": "ipv4"}),
        ("/index.php", {}),
        ("evil.example\u0000", {}),
        ("x" * 3000, {}),
    ],
)
def test_what_would_match_half_the_world_is_refused(client: AppClient, trail: str, fields: dict[str, Any]) -> None:
    assert refused(add(client, trail, **fields), 422)["errors"][0]["parameter"] == "trail"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "rule"}, "kind"),
        ({"kind": "nothing"}, "kind"),
        ({"class": "evil"}, "class"),
        ({"class_": "c2"}, "class_"),
        ({"confidence": 101}, "confidence"),
        ({"info": ""}, "info"),
        ({"until": "now"}, "until"),
        ({"by": "somebody else"}, "by"),
    ],
)
def test_a_wrong_field_is_named(client: AppClient, fields: dict[str, Any], named: str) -> None:
    problem = refused(add(client, **fields), 422)
    assert [one["parameter"] for one in problem["errors"]] == [named]


def test_a_trail_that_comes_twice_is_added_once(client: AppClient) -> None:
    first = add(client, headers={"Idempotency-Key": "x"}).json()
    assert add(client, headers={"Idempotency-Key": "x"}).json() == first
    assert len(client.json(PLACE)["trails"]) == 1


def test_whoever_does_not_see_custom_trails_sees_none(client: AppClient) -> None:
    place = add(client).headers["location"]
    key = Key("", "partner", frozenset({Scope.READ, Scope.LISTS}), sees_custom=False)
    secret, _ = client.app.state.accounts.add_key(key)
    partner = client.with_key(secret)
    for answer in (partner.get(PLACE), partner.get(place), add(partner)):
        refused(answer, 403)
        assert "evil.example" not in answer.text


def test_whoever_may_not_change_lists_adds_nothing(client: AppClient) -> None:
    secret, _ = client.app.state.accounts.add_key(Key("", "reader", frozenset({Scope.READ, Scope.TRIAGE})))
    refused(add(client.with_key(secret)), 403)
    refused(add(client.anonymous), 401)
    assert client.with_key(secret).get(PLACE).status_code == 200
