from api.translate import totals
from stores.contract import Store, Summary
from tests.api.client import AppClient, refused


def test_the_summary_adds_up(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/summary")
    assert found["totals"] == {
        "records": 109,
        "events": 6,
        "threats": 4,
        "sources": 4,
        "trails": 3,
        "approximate": [],
        "first": "2025-10-01T00:00:00.000000Z",
        "last": "2025-10-01T02:00:00.000000Z",
    }
    assert found["by"] == {
        "severity": {"critical": 8, "low": 100, "high": 1},
        "group": {"DNS": 8, "IP": 101},
        "class": {"c2": 8, "attacker": 101},
        "protocol": {"dns": 8, "ssh": 101},
        "sensor": {"sensor-1": 108, "sensor-2": 1},
        "direction": {"outbound": 8, "inbound": 101},
    }
    assert found["before"] is None


def test_what_the_store_estimated_is_named() -> None:
    found = totals(Summary(10, 10, 10, 1, 1, None, None, approximate=frozenset({"trails", "threats"})))
    assert found.approximate == ("threats", "trails")


def test_an_empty_store_has_an_empty_summary(client: AppClient) -> None:
    found = client.json("/api/v1/summary")
    assert found["totals"]["records"] == 0
    assert found["totals"]["first"] is None
    assert found["by"]["severity"] == {}


def test_the_period_before_is_as_long(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/summary", since="2025-10-01T02:00:00Z", until="2025-10-01T03:00:00Z", compare="true")
    assert found["totals"]["records"] == 3
    assert found["before"]["period"] == {
        "since": "2025-10-01T01:00:00.000000Z",
        "until": "2025-10-01T02:00:00.000000Z",
    }
    assert found["before"]["totals"]["records"] == 105


def test_an_open_period_is_compared_up_to_now(client: AppClient, filled: Store) -> None:
    found = client.json("/api/v1/summary", since="2h", compare="true")
    assert found["before"]["period"]["since"] == "2025-09-30T23:00:00.000000Z"
    assert found["before"]["totals"]["records"] == 1


def test_without_a_beginning_there_is_no_period_before(client: AppClient) -> None:
    assert "since" in refused(client.get("/api/v1/summary", {"compare": "true"}), 422)["detail"]
