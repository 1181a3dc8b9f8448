from pathlib import Path

import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from api.app import attach
from api.sending.letters import Limits, New, Progress
from api.sending.outbox import Outbox
from stores.contract import Store
from stores.desk.contract import AuditQuery
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from tests.sending.documents import document
from trailhound.sending import Send, Webhook
from trailhound.settings import Settings


@pytest.fixture
def client(made: FastAPI, tmp_path: Path, store: Store, outbox: Outbox) -> AppClient:
    """Have one event of a target dead, one wait; the other target has never been sent to."""
    hooks = {name: Webhook(url="https://soc.example/") for name in ("hook", "other")}
    attach(made, Settings(state_dir=tmp_path, send=Send(webhooks=hooks)), store, DictLookup([]), clock=lambda: NOW)
    outbox.name_targets(["hook", "gone"])
    new = [New("hook", name, "t", document()) for name in ("a", "b")]
    outbox.take(Progress("", "", 0, 0), new, {"hook": Limits(9, 0)}, NOW)
    outbox.bury("hook", outbox.due("hook", NOW, 1)[0], "answers 413", NOW)
    outbox.failed("hook", "is away", NOW, failures=3, resume=NOW + 60_000_000)
    return AppClient(made)


def test_it_is_told_how_targets_do(client: AppClient) -> None:
    (target,) = client.json("/api/v1/outbox")["targets"]
    assert target == {
        "name": "hook",
        "waiting": 1,
        "oldest": "2025-10-01T03:00:00.000000Z",
        "dead": 1,
        "delivered": 0,
        "skipped": 0,
        "quiet": 0,
        "dropped": 0,
        "buried": 1,
        "failures": 3,
        "last_delivery": None,
        "problem": "is away",
        "problem_at": "2025-10-01T03:00:00.000000Z",
        "resume": "2025-10-01T03:01:00.000000Z",
    }


def test_dead_letters_say_what_and_why(client: AppClient) -> None:
    (letter,) = client.json("/api/v1/outbox/hook/dead")["letters"]
    assert (letter["event"], letter["reason"]) == ("a", "answers 413")
    refused(client.get("/api/v1/outbox/gone/dead"), 404)


def test_dead_letters_are_sent_once_more_and_that_is_noted(client: AppClient, outbox: Outbox) -> None:
    answer = client.request("POST", "/api/v1/outbox/hook/retry")
    assert (answer.status_code, answer.json()) == (200, {"retried": 1})
    assert client.request("POST", "/api/v1/outbox/hook/retry").json() == {"retried": 0}
    assert outbox.statuses()[1].waiting == 2
    entries = client.app.state.desk.audit(AuditQuery(action="outbox.retry"), limit=10).entries
    assert [(entry.object, entry.after) for entry in entries][-1] == ("target/hook", {"retried": 1})
    refused(client.request("POST", "/api/v1/outbox/gone/retry"), 404)


def test_who_may_what(client: AppClient) -> None:
    add = client.app.state.accounts.add_key
    reader = client.with_key(add(Key("", "reader", frozenset({Scope.READ})))[0])
    some = client.with_key(add(Key("", "some", frozenset({Scope.READ}), networks=("10.0.0.0/8",)))[0])
    assert reader.get("/api/v1/outbox").status_code == 200
    refused(reader.request("POST", "/api/v1/outbox/hook/retry"), 403)
    refused(some.get("/api/v1/outbox"), 403)
    refused(client.anonymous.get("/api/v1/outbox"), 401)


def test_prometheus_learns_how_targets_do(client: AppClient) -> None:
    lines = client.get("/metrics").text.splitlines()
    assert 'trailhound_send_buried_total{target="hook"} 1.0' in lines
    assert 'trailhound_send_waiting{target="hook"} 1.0' in lines
    assert 'trailhound_send_waiting_seconds{target="hook"} 0.0' in lines
    assert 'trailhound_send_dead_letters{target="hook"} 1.0' in lines
    assert not [line for line in lines if 'target="gone"' in line]


def test_without_targets_there_is_nothing_to_tell(made: FastAPI, tmp_path: Path, store: Store) -> None:
    attach(made, Settings(state_dir=tmp_path), store, DictLookup([]), clock=lambda: NOW)
    assert AppClient(made).json("/api/v1/outbox") == {"targets": []}
    assert not (tmp_path / "outbox.sqlite").exists()
