from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from api.access.people import Key
from api.access.principal import Scope
from matchers import exceptions
from stores.desk import Desk
from stores.desk.contract import AuditEntry
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from trailhound.errors import StoreUnavailable
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

PLACE = "/api/v1/exceptions"


def add(client: AppClient, headers: Any = None, **fields: Any) -> httpx.Response:
    return client.request("POST", PLACE, json={"reason": "malware lab", **fields}, headers=headers)


@pytest.fixture
def file(settings: Settings) -> Path:
    return exceptions.path_in(settings.state_dir)


def test_an_exception_is_in_the_file_that_running_processes_read(client: AppClient, file: Path) -> None:
    answer = add(client, trail="evil.example", source="10.0.5.7/24", until="30d")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["source"] == "10.0.5.0/24"
    assert made["until"] == timestamp(NOW + 30 * 86_400 * MICROSECONDS)
    assert made["in_force"] is True
    (kept,) = exceptions.load(file)
    assert (kept.id, kept.trail, kept.source, kept.by) == (made["id"], "evil.example", "10.0.5.0/24", "key tests")
    assert client.json(answer.headers["location"]) == made
    assert client.json(PLACE)["exceptions"] == [made]
    refused(client.request("DELETE", answer.headers["location"]), 428)
    refused(client.request("DELETE", answer.headers["location"], headers={"If-Match": '"0"'}), 412)
    tag = answer.headers["etag"]
    assert client.request("DELETE", answer.headers["location"], headers={"If-Match": tag}).json() == made
    assert exceptions.load(file) == ()
    refused(client.request("DELETE", answer.headers["location"], headers={"If-Match": tag}), 404)
    entries = client.json("/api/v1/audit", object=f"exception/{made['id']}")["entries"]
    assert [one["action"] for one in entries] == ["exception.remove", "exception.add"]
    assert entries[0]["before"] == entries[1]["after"] == made


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "value"),
        ({"value": "a.example", "trail": "b.example"}, "value"),
        ({"value": "0.0.0.0/0"}, "value"),
        ({"value": "???"}, "value"),
        ({"value": "a.example", "source": "10.0.0.1"}, "source"),
        ({"trail": "a.example", "source": "nobody"}, "source"),
        ({"value": "a.example", "level": "never-block"}, "value"),
        ({"value": "192.0.2.1", "level": "sometimes"}, "level"),
        ({"value": "a.example", "until": "1 day"}, "until"),
        ({"value": "a.example", "id": 5}, "id"),
    ],
)
def test_a_wrong_field_is_named(client: AppClient, file: Path, fields: dict[str, Any], named: str) -> None:
    problem = refused(add(client, **fields), 422)
    assert [one["parameter"] for one in problem["errors"]] == [named]
    assert not file.exists()


def test_a_host_is_never_blocked(client: AppClient, file: Path) -> None:
    assert add(client, value="203.0.113.9", level="never-block").json()["source"] == "203.0.113.9"
    assert exceptions.never_blocked(exceptions.load(file)) == ("203.0.113.9",)


def test_an_exception_that_comes_twice_is_added_once(client: AppClient, file: Path) -> None:
    first = add(client, value="a.example", headers={"Idempotency-Key": "1"}).json()
    assert add(client, value="a.example", headers={"Idempotency-Key": "1"}).json() == first
    assert len(exceptions.load(file)) == 1


def test_what_cannot_be_noted_is_not_done(
    client: AppClient, desk: Desk, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = add(client, value="a.example").headers

    def refuse(entry: AuditEntry) -> NoReturn:
        raise StoreUnavailable(entry.action)

    monkeypatch.setattr(desk, "record", refuse)
    refused(add(client, value="b.example"), 503)
    refused(client.request("DELETE", kept["location"], headers={"If-Match": "*"}), 503)
    assert [one.value for one in exceptions.load(file)] == ["a.example"]


def test_whoever_may_not_speak_of_threats_excepts_nothing(client: AppClient) -> None:
    secret, _ = client.app.state.accounts.add_key(Key("", "reader", frozenset({Scope.READ, Scope.LISTS})))
    refused(add(client.with_key(secret), value="a.example"), 403)
    refused(add(client.anonymous, value="a.example"), 401)
