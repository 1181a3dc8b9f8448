"""Where a request comes from is what trusted proxies say, and nothing that anybody else writes."""

from pathlib import Path

import pytest

from api.app import create_app
from stores.contract import Store
from tests.api.access.people import Browser, user
from tests.api.client import AppClient, refused
from tests.api.trails import DictLookup
from trailhound.settings import Api, Settings

PROXY = "192.0.2.10"
LISTED = "198.51.100.0/24"


@pytest.fixture
def client(tmp_path: Path, store: Store, trails: DictLookup) -> AppClient:
    api = Api(trusted_proxies=(PROXY, "2001:db8:ffff::/48"), list_networks=(LISTED, "127.0.0.0/8", "2001:db8:1::/48"))
    return AppClient(create_app(Settings(state_dir=tmp_path, api=api), store, trails), PROXY, key="")


@pytest.mark.parametrize(
    "chain",
    [
        *("198.51.100.7", "203.0.113.1, 198.51.100.7", "127.0.0.1,203.0.113.1,198.51.100.7", "198.51.100.7:4711"),
        *(f"198.51.100.7, {PROXY}", "garbage, 198.51.100.7", "::ffff:198.51.100.7", "[2001:db8:1::7]:4711"),
        *("2001:db8:1::7", "198.51.100.7, 2001:db8:ffff::1"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_counts(client: AppClient, chain: str) -> None:
    assert client.get("/fail2ban", headers={"X-Forwarded-For": chain}).status_code == 200


@pytest.mark.parametrize(
    "chain",
    [
        *("203.0.113.1", "198.51.100.7, 203.0.113.1", "127.0.0.1, 203.0.113.1", f"198.51.100.7, 203.0.113.1, {PROXY}"),
        *(
            "198.51.100.7, garbage",
            "unknown",
            "",
            ",",
            "198.51.100.7,",
            "127.1",
            "0x7f000001",
            "198.51.100.7 203.0.113.1",
        ),
        *("localhost", "::1:x", "[::1", "198.51.100.7\t,203.0.113.1", ", ".join(["127.0.0.1"] + [PROXY] * 200)),
    ],
)
def test_what_a_client_writes_before_is_not_believed(client: AppClient, chain: str) -> None:
    refused(client.get("/fail2ban", headers={"X-Forwarded-For": chain}), 404)


def test_several_lines_are_one_chain(client: AppClient) -> None:
    lines = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-For", "203.0.113.1")]
    refused(client.get("/fail2ban", headers=lines), 404)
    assert client.get("/fail2ban", headers=[*lines, ("X-Forwarded-For", "198.51.100.7")]).status_code == 200


@pytest.mark.parametrize("header", ["Forwarded", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP"])
def test_other_headers_say_nothing(client: AppClient, header: str) -> None:
    refused(client.get("/fail2ban", headers={header: "for=198.51.100.7", "X-Forwarded-For": "203.0.113.1"}), 404)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto"])
def test_a_proxy_that_is_not_trusted_opens_nothing_by_its_own_address(client: AppClient, header: str) -> None:
    """A proxy on this host that the settings do not know would lend its loopback address to everybody."""
    local = client.at("127.0.0.1")
    assert local.get("/fail2ban").status_code == 200
    refused(local.get("/fail2ban", headers={header: "127.0.0.1"}), 404)


def test_a_trusted_proxy_says_whether_the_client_spoke_tls(client: AppClient) -> None:
    user(client.app)
    plain, secure = Browser(client.app, PROXY), Browser(client.app, PROXY, origin="https://127.0.0.1:8338")
    secure._app = client.app
    answer = plain.post(
        "/login",
        data={"user": "alice", "password": "correct horse battery"},
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1", "Origin": "https://127.0.0.1:8338"},
    )
    assert answer.headers["set-cookie"].startswith("__Host-trailhound_session=")
    liar = Browser(client.app, "203.0.113.9")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    answer = liar.post("/login", data={"user": "alice", "password": "correct horse battery"}, headers=headers)
    assert answer.headers["set-cookie"].startswith("trailhound_session=")


def test_failures_count_for_the_client_and_not_for_the_proxy(client: AppClient) -> None:
    user(client.app)
    for _ in range(5):
        Browser(client.app, PROXY).post(
            "/login", data={"user": "alice", "password": "x"}, headers={"X-Forwarded-For": "203.0.113.1"}
        )
    form = {"user": "alice", "password": "correct horse battery"}
    stopped = Browser(client.app, PROXY).post("/login", data=form, headers={"X-Forwarded-For": "203.0.113.1"})
    assert stopped.status_code == 429
    let_in = Browser(client.app, PROXY).post("/login", data=form, headers={"X-Forwarded-For": "203.0.113.2"})
    assert let_in.status_code == 303


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"])
def test_headers_that_some_servers_obey_change_nothing(client: AppClient, header: str) -> None:
    answer = client.get("/ping", headers={header: "/api/v1/events"})
    assert answer.text == "pong"
    refused(client.get("/api/v1/events", headers={header: "/ping"}), 401)
    refused(client.get("/ping", headers={header: "127.0.0.1", "Host": "attacker.example"}), 421)
