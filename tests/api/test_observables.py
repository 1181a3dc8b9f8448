import pytest
from fastapi import FastAPI

from api.access.people import Key
from api.access.principal import Scope
from api.app import attach
from stores.contract import Store
from stores.observables import FILE, ObservableMemory
from tests.api.client import AppClient, refused
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from trailhound.observing import Observables
from trailhound.settings import Settings

PLACE = "/api/v1/observables"
HOUR = 490_896  # 2026-01-01T00:00:00Z


@pytest.fixture
def remembered(settings: Settings) -> None:
    memory = ObservableMemory(settings.state_dir / FILE, 1000)
    memory.keep({(HOUR, "dmz"): ["evil.example", "10.0.0.1"], (HOUR + 2, "lan"): ["evil.example"]})
    memory.keep({(HOUR + 1, "dmz"): ["evil.example"], (HOUR + 5, "dmz"): ["evil.example"]})
    memory.close()


def test_a_value_is_answered_in_any_spelling_with_hours_and_sensors(client: AppClient, remembered: None) -> None:
    answer = client.json(PLACE, value="EVIL.example.")
    (found,) = answer["observables"]
    assert found == {
        "value": "evil.example",
        "kind": "name",
        "seen": True,
        "first": "2026-01-01T00:00:00.000000Z",
        "last": "2026-01-01T05:00:00.000000Z",
        "hours": 3,
        "sensors": [
            {
                "sensor": "dmz",
                "first": "2026-01-01T00:00:00.000000Z",
                "last": "2026-01-01T05:00:00.000000Z",
                "hours": 3,
            },
            {
                "sensor": "lan",
                "first": "2026-01-01T02:00:00.000000Z",
                "last": "2026-01-01T02:00:00.000000Z",
                "hours": 1,
            },
        ],
    }
    assert answer["memory"]["since"] is not None
    assert (answer["memory"]["forgotten"], answer["memory"]["forgotten_until"]) == (0, None)


def test_many_values_are_answered_in_their_order(client: AppClient, remembered: None) -> None:
    values = ["::ffff:10.0.0.1", "good.example", "no name!", *(f"x{number}.example" for number in range(997))]
    answer = client.request("POST", PLACE, json={"values": values})
    assert answer.status_code == 200, answer.text
    found = answer.json()["observables"]
    assert len(found) == 1000
    assert [(one["value"], one["kind"], one["seen"]) for one in found[:3]] == [
        ("10.0.0.1", "address", True),
        ("good.example", "name", False),
        ("no name!", None, False),
    ]


def test_nothing_remembered_is_said_to_be_so(client: AppClient) -> None:
    answer = client.json(PLACE, value="evil.example")
    assert answer["observables"][0]["seen"] is False
    assert answer["memory"] == {"enabled": False, "since": None, "forgotten": 0, "forgotten_until": None}


@pytest.mark.parametrize("body", [{}, {"values": []}, {"values": ["a"] * 1001}, {"values": [""]}, {"value": ["a"]}])
def test_a_body_that_asks_for_nothing_or_too_much_is_refused(client: AppClient, body: object) -> None:
    refused(client.request("POST", PLACE, json=body), 422)


def test_whoever_is_restricted_to_some_networks_is_told_nothing(app: FastAPI, client: AppClient) -> None:
    key, _ = app.state.accounts.add_key(Key("", "branch", frozenset({Scope.READ}), networks=("10.0.0.0/8",)))
    refused(client.with_key(key).get(PLACE, {"value": "evil.example"}), 403)
    refused(client.anonymous.get(PLACE, {"value": "evil.example"}), 401)


def test_a_memory_of_another_program_is_a_clear_problem(client: AppClient, settings: Settings) -> None:
    (settings.state_dir / FILE).write_bytes(b"no database at all, and longer than a header of one would be" * 4)
    refused(client.get(PLACE, {"value": "evil.example"}), 500)


@pytest.fixture
def on(made: FastAPI, settings: Settings, store: Store, trails: DictLookup, remembered: None) -> AppClient:
    """Give a server that remembers observables."""
    enabled = settings.model_copy(update={"observables": Observables(enabled=True)})
    attach(made, enabled, store, trails, clock=lambda: NOW)
    return AppClient(made)


def test_a_hash_is_known_for_one(client: AppClient, settings: Settings) -> None:
    memory = ObservableMemory(settings.state_dir / FILE, 1000)
    memory.keep({(HOUR, "dmz"): ["ab" * 16]})
    memory.close()
    spelled = ":".join(["AB"] * 16)
    answer = client.get(PLACE, [("value", spelled), ("value", "t13d1516h2_8daaf6152771_02713d6af862")])
    found = [(one["value"], one["kind"], one["seen"]) for one in answer.json()["observables"]]
    assert found == [("ab" * 16, "hash", True), ("t13d1516h2_8daaf6152771_02713d6af862", "hash", False)]


def test_a_look_up_tells_what_was_ever_in_traffic(on: AppClient) -> None:
    (seen,) = on.json("/api/v1/lookup", value="EVIL.example")["results"]
    assert (seen["observed"]["seen"], seen["observed"]["hours"]) == (True, 3)
    body = {"values": ["10.0.0.1", "good.example", "no name!", "10.0.0.1"]}
    results = on.request("POST", "/api/v1/lookup", json=body).json()["results"]
    assert [one["observed"] and one["observed"]["seen"] for one in results] == [True, False, None, True]


def test_a_look_up_tells_nothing_where_nothing_is_remembered(client: AppClient, remembered: None) -> None:
    assert client.json("/api/v1/lookup", value="evil.example")["results"][0]["observed"] is None


def test_a_look_up_tells_nothing_of_all_networks_to_whoever_may_see_some(on: AppClient) -> None:
    key, _ = on.app.state.accounts.add_key(Key("", "branch", frozenset({Scope.READ}), networks=("192.0.2.0/24",)))
    assert on.with_key(key).json("/api/v1/lookup", value="evil.example")["results"][0]["observed"] is None


def test_a_memory_that_is_damaged_does_not_keep_a_look_up_from_its_answer(on: AppClient, settings: Settings) -> None:
    for file in settings.state_dir.glob(f"{FILE}*"):
        file.unlink()
    (settings.state_dir / FILE).write_bytes(b"no database" * 100)
    (result,) = on.json("/api/v1/lookup", value="evil.example")["results"]
    assert result["found"]
    assert result["observed"] is None
