from pathlib import Path

import pytest

from api.app import create_app
from stores.contract import Store
from tests.api.client import AppClient, refused
from tests.api.trails import DictLookup
from trailhound.settings import Api, Settings


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8338", "localhost.", "127.0.0.1", "127.0.0.1:8338", "[::1]", "[::1]:8338", "198.51.100.7"],
)
def test_a_name_of_the_loopback_or_an_address_is_answered(client: AppClient, host: str) -> None:
    assert client.get("/ping", headers={"Host": host}).text == "pong"


@pytest.mark.parametrize(
    "host",
    [
        *("attacker.example", "attacker.example:8338", "localhost.attacker.example", "127.0.0.1.nip.io", "", "[::1"),
        *("localhost:80@attacker.example", "localhost:x", "[::1]attacker.example", "localhost attacker.example"),
    ],
)
def test_a_rebound_name_reads_nothing(client: AppClient, host: str) -> None:
    for path in ("/ping", "/api/v1/events", "/", "/fail2ban", "/nowhere"):
        refused(client.get(path, headers={"Host": host}), 421)


def test_two_host_headers_are_refused(client: AppClient) -> None:
    refused(client.get("/ping", headers=[("Host", "localhost"), ("Host", "attacker.example")]), 421)


def test_the_host_of_the_settings_is_answered(tmp_path: Path, store: Store, trails: DictLookup) -> None:
    settings = Settings(state_dir=tmp_path, api=Api(host="Trailhound.Internal.Example"))
    client = AppClient(create_app(settings, store, trails))
    assert client.get("/ping", headers={"Host": "trailhound.internal.example:8338"}).status_code == 200
    refused(client.get("/ping", headers={"Host": "other.internal.example"}), 421)


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PROPFIND", "CONNECT"])
def test_other_methods_are_refused(client: AppClient, method: str) -> None:
    for path in ("/api/v1/events", "/ping", "/nowhere", "/fail2ban"):
        answer = client.request(method, path)
        refused(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_is_only_read_is_answered_to_get_and_head_only(client: AppClient, method: str) -> None:
    for path in ("/api/v1/events", "/ping", "/fail2ban"):
        answer = client.request(method, path)
        refused(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD"
    refused(client.request(method, "/nowhere"), 404)


def test_a_body_is_refused(client: AppClient) -> None:
    refused(client.request("GET", "/api/v1/events", content=b'{"query": {}}'), 400)


@pytest.mark.parametrize("path", ["/ping", "/", "/api/v1/summary", "/fail2ban", "/nowhere", "/healthz"])
def test_head_is_get_without_the_body(client: AppClient, path: str) -> None:
    whole, head = client.get(path), client.request("HEAD", path)
    assert head.content == b""
    assert head.status_code == whole.status_code
    assert head.headers == whole.headers


def test_further_names_of_the_settings_are_answered(tmp_path: Path, store: Store, trails: DictLookup) -> None:
    settings = Settings(state_dir=tmp_path, api=Api(names=("trailhound", "hounds.example")))
    client = AppClient(create_app(settings, store, trails))
    for host in ("trailhound:8338", "HOUNDS.example"):
        assert client.get("/ping", headers={"Host": host}).status_code == 200
    refused(client.get("/ping", headers={"Host": "other.example"}), 421)
