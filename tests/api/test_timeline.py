from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.stores.factory import HOUR, START, make_event


def test_a_timeline_has_no_gaps(client: AppClient, store: Store) -> None:
    store.append([make_event(identity="a"), make_event(identity="b", start=START + 2 * HOUR, count=3)])
    found = client.json("/api/v1/timeline", interval="1h", since="2025-10-01", until="2025-10-01T04:00:00Z")
    assert found["interval_seconds"] == 3600
    assert [bucket["counts"] for bucket in found["buckets"]] == [{"DNS": 1}, {}, {"DNS": 3}, {}]
    assert found["buckets"][1]["start"] == "2025-10-01T01:00:00.000000Z"


def test_a_timeline_loses_nothing(client: AppClient, filled: Store) -> None:
    for by in ("severity", "group", "kind", "class", "direction", "protocol", "sensor", "dataset"):
        for interval in ("auto", "7m", "1h", "1d"):
            buckets = client.json("/api/v1/timeline", by=by, interval=interval)["buckets"]
            assert sum(sum(bucket["counts"].values()) for bucket in buckets) == 109, by


def test_without_a_period_it_spans_the_events(client: AppClient, filled: Store) -> None:
    buckets = client.json("/api/v1/timeline", interval="1h")["buckets"]
    assert [bucket["start"][11:13] for bucket in buckets] == ["00", "01", "02"]


def test_with_a_beginning_it_ends_now(client: AppClient, filled: Store) -> None:
    buckets = client.json("/api/v1/timeline", interval="1h", since="2h")["buckets"]
    assert [bucket["start"][11:13] for bucket in buckets] == ["01", "02"]


def test_a_beginning_in_the_middle_of_a_step_leaves_out_what_is_before(client: AppClient, filled: Store) -> None:
    buckets = client.json("/api/v1/timeline", interval="1d", since="2025-10-01T01:30:00Z")["buckets"]
    assert [bucket["counts"] for bucket in buckets] == [{"DNS": 2, "IP": 1}]


def test_an_empty_store_has_an_empty_timeline(client: AppClient) -> None:
    assert client.json("/api/v1/timeline")["buckets"] == []
    assert client.json("/api/v1/timeline", until="1h")["buckets"] == []


def test_a_beginning_in_the_future_is_no_error(client: AppClient, filled: Store) -> None:
    assert client.json("/api/v1/timeline", since="2030-01-01")["buckets"] == []


def test_the_number_of_steps_is_bounded(client: AppClient, filled: Store) -> None:
    problem = refused(client.get("/api/v1/timeline", {"since": "1970-01-01", "interval": "1s"}), 422)
    assert problem["errors"][0]["parameter"] == "interval"
    assert "2,000" in problem["detail"]


def test_the_automatic_step_is_bounded_for_any_period(client: AppClient, filled: Store) -> None:
    for period in ({"since": "0"}, {"since": "0", "until": "9999-12-31"}, {"since": "1s"}, {"since": "30d"}):
        assert 1 <= len(client.json("/api/v1/timeline", **period)["buckets"]) <= 122, period


def test_only_bounded_dimensions_and_intervals_are_drawn(client: AppClient) -> None:
    for parameter, value in (
        ("by", "trail"),
        ("by", "source"),
        ("interval", "0h"),
        ("interval", "1"),
        ("interval", ""),
    ):
        problem = refused(client.get("/api/v1/timeline", {parameter: value}), 422)
        assert problem["errors"][0]["parameter"] == parameter
