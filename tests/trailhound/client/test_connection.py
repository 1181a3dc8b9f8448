"""How the client bears with a server, shown by servers that are made for it."""

import itertools
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from trailhound.client import Client, RequestError, connection
from trailhound.client.conditions import parameters

DECISION: dict[str, object] = {
    "id": "5f0c1d2e3f405162", "verdict": "block", "scope": "address", "value": "192.0.2.1", "reason": "r", "by": "b",
    "made": "2026-02-01T12:00:00.000000Z", "until": None, "lifted_by": None, "in_force": True, "version": 1,
    "added_by_a_newer_server": {},
}  # fmt: skip


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://trailhound.example", "key", transport=httpx.MockTransport(answer))


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("trailhound.client.connection.time.sleep", pauses.append)
    return pauses


def test_a_busy_server_is_asked_again_under_the_same_key(slept: list[float]) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        busy = len(seen) < 3
        return httpx.Response(503, headers={"Retry-After": "7"}) if busy else httpx.Response(201, json=DECISION)

    assert client(answer).block("192.0.2.1", "r").value == "192.0.2.1"
    assert slept == [7.0, 7.0]
    assert len({request.headers["Idempotency-Key"] for request in seen}) == 1
    assert {request.headers["X-Api-Key"] for request in seen} == {"key"}


def test_patience_has_an_end(slept: list[float]) -> None:
    answers = (httpx.Response(429, headers={"Retry-After": "99999"}, text="busy") for _ in itertools.count())
    with pytest.raises(RequestError, match="429: busy") as raised:
        client(lambda _: next(answers)).health()
    assert raised.value.status == 429
    assert slept == [60.0] * (connection.TRIES - 1)


def test_a_redirect_is_not_followed_since_the_key_would_go_with_it() -> None:
    moved = httpx.Response(302, headers={"Location": "http://elsewhere.example/"})
    with pytest.raises(RequestError, match="302"):
        client(lambda _: moved).health()


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"events": 3}', b'{"events": [1], "next": null}', b"\xff"])
def test_what_is_no_answer_of_trailhound_is_said_to_be_none(body: bytes) -> None:
    asked = client(lambda _: httpx.Response(200, content=body))
    with pytest.raises(RequestError, match="this is no answer of Trailhound"):
        list(asked.events())
    with pytest.raises(RequestError, match="this is no answer of Trailhound"):
        asked.summary()


def test_a_server_that_gives_the_same_empty_page_for_ever_is_left() -> None:
    assert list(client(lambda _: httpx.Response(200, json={"events": [], "next": "again"})).events()) == []


def test_a_server_that_is_not_there_is_said_to_be_so() -> None:
    with Client("http://127.0.0.1:9") as nobody, pytest.raises(RequestError, match="refused") as raised:
        nobody.health()
    assert raised.value.status is None


@pytest.mark.parametrize("url", ["", "trailhound.example", "ftp://trailhound.example", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="was expected"):
        Client(url)


def test_a_file_of_certificates_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.pem"):
        Client("https://trailhound.example", ca_file=tmp_path / "none.pem")


def test_what_stands_in_a_path_cannot_leave_it() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(404, json={"detail": "none"})

    with pytest.raises(RequestError):
        client(answer).event("../keys?x=1#y")
    assert seen == ["/api/v1/events/..%2Fkeys%3Fx%3D1%23y"]


def test_parameters_are_written_as_the_api_takes_them() -> None:
    assert parameters({"class_": ["c2", "malware"], "q": "a", "none": None, "compare": False}) == [
        ("class", "c2"),
        ("class", "malware"),
        ("q", "a"),
        ("compare", "false"),
    ]
