from stores.contract import Store
from tests.api.client import AppClient
from tests.stores.factory import make_event


def test_sources_come_with_their_protocols(client: AppClient, filled: Store) -> None:
    filled.append([make_event(identity="web", protocol="http", count=2)])
    found = client.json("/api/v1/sources")
    assert found["total"] == 4
    assert found["sources"][0] == {
        "source": "45.155.205.233",
        "count": 100,
        "severity": "low",
        "protocols": {"ssh": 100},
        "country": None,
    }
    assert found["sources"][1]["protocols"] == {"dns": 6, "http": 2}


def test_rare_protocols_are_counted_together(client: AppClient, store: Store) -> None:
    store.append([make_event(identity=str(n), protocol=f"p{n}", count=n + 1) for n in range(12)])
    [source] = client.json("/api/v1/sources")["sources"]
    assert len(source["protocols"]) == 9
    assert source["protocols"]["other"] == 1 + 2 + 3 + 4
    assert sum(source["protocols"].values()) == source["count"] == 78


def test_conditions_hold_for_sources(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/sources", source="192.168.0.0/16", limit=1)
    assert found["total"] == 2
    assert [source["source"] for source in found["sources"]] == ["192.168.1.10"]


def test_an_empty_store_has_no_sources(client: AppClient) -> None:
    assert client.json("/api/v1/sources") == {"sources": [], "total": 0, "approximate": False}
