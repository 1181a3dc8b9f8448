from stores.contract import Store
from tests.api.client import AppClient


def test_threats_are_the_pairs_of_source_and_trail(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/threats")
    assert found["total"] == 4
    assert [threat["severity"] for threat in found["threats"]] == ["critical", "critical", "high", "low"]
    first = found["threats"][0]
    assert (first["source"], first["trail"], first["count"], first["events"]) == ("192.168.1.10", "evil.example", 6, 2)
    assert (first["class"], first["kind"], first["direction"]) == ("c2", "domain", "outbound")
    assert (first["first"], first["last"]) == ("2025-10-01T00:00:00.000000Z", "2025-10-01T01:00:00.000000Z")


def test_orders_put_the_most_first(client: AppClient, filled: Store) -> None:
    def sources(order: str) -> list[str]:
        return [threat["source"] for threat in client.json("/api/v1/threats", order=order)["threats"]]

    assert sources("count")[0] == "45.155.205.233"
    assert sources("severity")[-1] == "45.155.205.233"
    assert set(sources("last")[:2]) == {"192.168.1.11", "80.94.92.10"}


def test_pages_of_threats_follow_each_other(client: AppClient, filled: Store) -> None:
    first = client.json("/api/v1/threats", limit=3)
    second = client.json("/api/v1/threats", limit=3, cursor=first["next"])
    assert first["total"] == second["total"] == 4
    assert len({threat["id"] for threat in first["threats"] + second["threats"]}) == 4
    assert second["next"] is None
