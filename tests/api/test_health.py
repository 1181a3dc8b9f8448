from dataclasses import replace

import pytest

from stores.contract import SensorStatus, Store
from tests.api.client import AppClient
from tests.api.conftest import NOW
from trailhound.record import MICROSECONDS

MINUTE = 60 * MICROSECONDS
STATUS = SensorStatus(
    sensor="sensor-1",
    log="dns",
    path="/var/log/zeek/dns.log",
    records=1000,
    matches=3,
    unreadable=2,
    lag_bytes=512,
    lost_bytes=0,
    last_record=NOW - MINUTE,
    last_read=NOW - 1_500_000,
    updated=NOW - MICROSECONDS,
)


def test_a_store_without_heartbeats_is_well(client: AppClient) -> None:
    assert client.json("/healthz") == {"status": "ok", "reasons": []}


def test_fresh_heartbeats_are_well(client: AppClient, store: Store) -> None:
    store.put_sensors([STATUS])
    assert client.json("/healthz")["status"] == "ok"


def test_old_heartbeats_mean_that_nothing_is_read(client: AppClient, store: Store) -> None:
    store.put_sensors([replace(STATUS, updated=NOW - 10 * MINUTE)])
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "degraded",
        "reasons": ["ingest is not running: its last heartbeat is 600 s old"],
    }


def test_a_problem_of_a_sensor_is_a_reason(client: AppClient, store: Store) -> None:
    store.put_sensors([STATUS, replace(STATUS, path="/x/http.log", log="http", problem="permission denied")])
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["sensor-1, http: permission denied"]


def test_the_problem_of_a_log_that_is_no_longer_followed_is_forgotten(client: AppClient, store: Store) -> None:
    gone = replace(STATUS, path="/x/http.log", updated=NOW - 60 * MINUTE, problem="permission denied")
    store.put_sensors([STATUS, gone])
    assert client.json("/healthz")["status"] == "ok"


def test_reasons_are_bounded(client: AppClient, store: Store) -> None:
    store.put_sensors([replace(STATUS, path=f"/x/{n}.log", problem="unreadable") for n in range(100)])
    reasons = client.get("/healthz").json()["reasons"]
    assert len(reasons) == 20
    assert reasons[-1] == "81 more"


def test_a_closed_store_is_a_reason_and_ping_answers_still(client: AppClient, store: Store) -> None:
    store.close()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["the store cannot be read"]
    assert client.get("/ping").text == "pong"
    assert client.get("/ping").headers["content-type"] == "text/plain; charset=utf-8"


def test_sensors_tell_how_long_they_are_silent(client: AppClient, store: Store) -> None:
    store.put_sensors([STATUS, replace(STATUS, path="/x/new.log", last_read=None, last_record=None)])
    found = {sensor["path"]: sensor for sensor in client.json("/api/v1/sensors")["sensors"]}
    assert found["/var/log/zeek/dns.log"]["silent_seconds"] == 1.5
    assert found["/x/new.log"]["silent_seconds"] is None
    assert found["/x/new.log"]["last_record"] is None


@pytest.mark.parametrize(
    "line",
    [
        'trailhound_records_read_total{log="dns",sensor="sensor-1"} 1500.0',
        'trailhound_parse_errors_total{log="dns",sensor="sensor-1"} 4.0',
        'trailhound_read_lag_bytes{log="dns",sensor="sensor-1"} 1024.0',
        'trailhound_heartbeat_age_seconds{log="dns",sensor="sensor-1"} 1.0',
        'trailhound_silent_seconds{log="dns",sensor="sensor-1"} 1.5',
        "trailhound_store_up 1.0",
        "trailhound_store_events 6.0",
        'trailhound_store_records_by_severity{severity="critical"} 8.0',
        'trailhound_trails{kind="domain"} 1.0',
        "trailhound_trails_age_seconds 60.0",
    ],
)
def test_metrics_add_up_by_sensor_and_log(client: AppClient, filled: Store, line: str) -> None:
    filled.put_sensors([STATUS, replace(STATUS, path="/var/log/zeek/dns.1.log", records=500)])
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert line in answer.text.splitlines()


def test_hostile_names_cannot_add_metrics(client: AppClient, store: Store) -> None:
    store.put_sensors([replace(STATUS, sensor='x"} 1\nevil_metric 1\n')])
    assert "\nevil_metric" not in client.get("/metrics").text


def test_metrics_say_that_the_store_is_down(client: AppClient, store: Store) -> None:
    store.close()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert "trailhound_store_up 0.0" in answer.text.splitlines()
    assert 'trailhound_trails{kind="domain"} 1.0' in answer.text.splitlines()
