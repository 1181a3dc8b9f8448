"""Slow clients, TLS and large requests, over real sockets."""

import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from api import patience
from stores.contract import Store
from tests.api.test_serve import serving
from tests.api.trails import DictLookup
from tests.stores.factory import make_event
from trailhound.errors import SettingsError
from trailhound.settings import Api, Settings

SECONDS = 0.5
LENGTH = b"Content-Length: 99\r\n\r\nu"


@pytest.fixture
def url(tmp_path: Path, store: Store, trails: DictLookup) -> Iterator[str]:
    api = Api(port=0, access="open", request_seconds=SECONDS, max_body_bytes=2000)
    with serving(Settings(state_dir=tmp_path, api=api), store, trails) as address:
        yield address


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=20) as one:
        yield one


def _closed_after(one: socket.socket) -> float:
    begin = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while one.recv(65536):
            pass
    return time.monotonic() - begin


@pytest.mark.parametrize(
    "sent",
    [
        *(b"", b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"GET "),
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n" + LENGTH,
    ],
)
def test_a_request_that_does_not_arrive_is_given_up(url: str, sent: bytes) -> None:
    with connected(url) as one:
        one.sendall(sent)
        assert _closed_after(one) < 20 * SECONDS
    assert httpx.get(f"{url}/ping").text == "pong"


def test_a_request_that_trickles_in_is_given_up_too(url: str) -> None:
    with connected(url) as one:
        one.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n")
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - begin < 20 * SECONDS:
                one.sendall(b"X: y\r\n")
                time.sleep(SECONDS / 10)
        assert time.monotonic() - begin < 10 * SECONDS


def test_a_client_that_takes_nothing_up_is_given_up(url: str, store: Store) -> None:
    store.append([make_event(identity=f"event-{number:05}", message="x" * 30_000) for number in range(1000)])
    with connected(url) as one:
        request = b"GET /api/v1/events?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        one.sendall(request)
        time.sleep(8 * SECONDS)
        got = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while part := one.recv(65536):
                got += part
        head, _, body = got.partition(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head)
        assert len(body) < int(length), "it was not cut off"
    assert httpx.get(f"{url}/ping").text == "pong"


def test_a_connection_that_is_used_again_has_its_time_anew(url: str) -> None:
    with httpx.Client() as client:
        for _ in range(4):
            assert client.get(f"{url}/ping").text == "pong"
            time.sleep(SECONDS / 2)


def test_one_address_has_a_part_of_all_connections(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: Store
) -> None:
    monkeypatch.setattr(patience, "CONNECTIONS_PER_ADDRESS", 5)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connected(url)) for _ in range(8)]
        for one in opened:
            with contextlib.suppress(OSError):
                one.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answered = 0
        for one in opened:
            with contextlib.suppress(OSError):
                answered += one.recv(4096).startswith(b"HTTP/1.1 200")
        assert answered == 5


@pytest.mark.parametrize("how", ["chunked", "whole"])
def test_a_large_body_is_refused(url: str, how: str) -> None:
    body = json.dumps({"name": "x" * 5000, "password": "correct horse battery"}).encode()
    headers = {"Content-Type": "application/json"}
    content = iter([body[:1000], body[1000:]]) if how == "chunked" else body
    answer = httpx.post(f"{url}/api/v1/users", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def test_it_serves_https_with_the_certificate_of_the_settings(
    tmp_path: Path, store: Store, trails: DictLookup, authority: trustme.CA
) -> None:
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    api = Api(port=0, access="open", tls_cert=tmp_path / "chain.pem", tls_key=tmp_path / "key.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with serving(Settings(state_dir=tmp_path, api=api), store, trails) as url:
        assert url.startswith("https://")
        answer = httpx.get(f"{url}/ping", verify=context)
        assert answer.text == "pong"
        assert "max-age=" in answer.headers["strict-transport-security"]
        old = ssl.create_default_context()
        authority.configure_trust(old)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert httpx.get(f"{url}/ping", verify=old).text == "pong"
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{url.replace('https', 'http')}/ping")


@pytest.mark.parametrize("wrong", ["missing", "swapped", "nonsense"])
def test_a_certificate_that_cannot_be_used_is_a_clear_error(
    tmp_path: Path, store: Store, authority: trustme.CA, wrong: str
) -> None:
    cert, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    if wrong != "missing":
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
    if wrong == "nonsense":
        key.write_text("no key")
    if wrong == "swapped":
        cert, key = key, cert
    settings = Settings(state_dir=tmp_path, api=Api(port=0, tls_cert=cert, tls_key=key))
    from api.serve import serve

    with pytest.raises(SettingsError, match=r"api\.tls_cert"):
        serve(settings, store, DictLookup([]))
