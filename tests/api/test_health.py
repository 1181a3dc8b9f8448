from dataclasses import replace

import pytest
from fastapi import FastAPI

from api.app import attach
from stores.contract import SensorStatus, Store
from tests.api.client import AppClient
from tests.api.conftest import NOW
from tests.api.trails import DictLookup
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

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
    assert client.json("/healthz") == {"status": "ok", "reasons": [], "warnings": []}


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
        "warnings": [],
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
    store.put_sensors([replace(STATUS, path=f"/x/{n}.log", problem=f"unreadable {n}") for n in range(100)])
    reasons = client.get("/healthz").json()["reasons"]
    assert len(reasons) == 20
    assert reasons[-1] == "81 more"


def test_what_keeps_many_logs_from_being_read_is_one_reason(client: AppClient, store: Store) -> None:
    store.put_sensors([replace(STATUS, path=f"/x/{n}.log", problem="the store is away") for n in range(100)])
    assert client.get("/api/v1/health").json()["reasons"] == ["100 logs: the store is away"]


def test_a_warning_is_told_and_all_is_well_still(client: AppClient, store: Store) -> None:
    old = replace(STATUS, path="/x/http.log", log="http", updated=NOW - 60 * MINUTE, warning="silent for 80 min")
    store.put_sensors([replace(STATUS, warning="silent for 75 min", clock_skew=-90 * MICROSECONDS), old])
    for path in ("/healthz", "/api/v1/health"):
        assert client.json(path) == {
            "status": "ok",
            "reasons": [],
            "warnings": ["sensor-1, dns: silent for 75 min"],
        }
    found = {sensor["log"]: sensor for sensor in client.json("/api/v1/sensors")["sensors"]}
    assert (found["dns"]["warning"], found["dns"]["clock_skew_seconds"]) == ("silent for 75 min", -90.0)
    assert found["http"]["clock_skew_seconds"] is None


def test_what_the_store_cannot_say_is_said_by_who_reads(
    app: FastAPI, settings: Settings, store: Store, trails: DictLookup
) -> None:
    said: list[str] = ["the store is away since noon, reading has stopped: disk full"]
    attach(app, settings, store, trails, clock=lambda: NOW, trouble=lambda: said[0] if said else None)
    store.put_sensors([replace(STATUS, updated=NOW - 10 * MINUTE)])
    client = AppClient(app)
    answer = client.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == said
    assert said[0] in client.get("/").text
    store.put_sensors([STATUS])
    said.clear()
    assert client.json("/api/v1/health")["status"] == "ok"


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
        'trailhound_lag_seconds{log="dns",sensor="sensor-1"} 2.5',
        'trailhound_retries_total{log="dns",sensor="sensor-1"} 6.0',
        'trailhound_clock_skew_seconds{log="dns",sensor="sensor-1"} -400.0',
        'trailhound_problems{log="dns",sensor="sensor-1"} 0.0',
        'trailhound_warnings{log="dns",sensor="sensor-1"} 2.0',
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
    first = replace(STATUS, lag_seconds=2.5, retries=3, clock_skew=-400 * MICROSECONDS, warning="late")
    second = replace(first, path="/var/log/zeek/dns.1.log", records=500, lag_seconds=1.0, clock_skew=MICROSECONDS)
    filled.put_sensors([first, second])
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
