from typing import Any

import pytest

from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.stores.factory import make_event
from trailhound.event import to_ecs


def test_an_event_is_the_whole_document(client: AppClient, store: Store) -> None:
    event = make_event(message='"quoted" <b>\n\u2028\N{PILE OF POO}', tags=("one",))
    store.append([event])
    assert client.json("/api/v1/events")["events"] == [to_ecs(event)]
    assert client.json(f"/api/v1/events/{event.id}") == to_ecs(event)


@pytest.mark.parametrize("event_id", ["0" * 32, "x", "'; DROP TABLE events", "%00", "a%2Fb", "..%2F..", "0" * 128])
def test_an_unknown_event_is_a_problem(client: AppClient, filled: Store, event_id: str) -> None:
    refused(client.get(f"/api/v1/events/{event_id}"), 404)


def test_an_id_has_a_bounded_length(client: AppClient) -> None:
    refused(client.get(f"/api/v1/events/{'0' * 129}"), 422)


@pytest.mark.parametrize("order", ["newest", "oldest", "ingested"])
def test_pages_hold_every_event_once(client: AppClient, filled: Store, order: str) -> None:
    seen: list[Any] = []
    params: dict[str, Any] = {"order": order, "limit": 2}
    while True:
        page = client.json("/api/v1/events", **params)
        assert len(page["events"]) <= 2
        seen += page["events"]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert len({event["event"]["id"] for event in seen}) == len(seen) == 6
    times = [event["@timestamp"] for event in seen]
    if order != "ingested":
        assert times == sorted(times, reverse=order == "newest")


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/threats"])
@pytest.mark.parametrize("cursor", ["nonsense", "AAAA", "MTIzNDU2", "[]", "0"])
def test_a_cursor_that_nobody_gave_is_refused(client: AppClient, filled: Store, path: str, cursor: str) -> None:
    problem = refused(client.get(path, {"cursor": cursor}), 400)
    assert problem["errors"][0]["parameter"] == "cursor"
