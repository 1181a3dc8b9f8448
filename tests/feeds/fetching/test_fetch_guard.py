"""Where connections go, and what never leaves: addresses at home, secrets, headers."""

import base64
import ipaddress
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme

from feeds import addresses
from feeds.manners import Manners
from feeds.secret import find_secret
from feeds.shelf import Shelf
from tests.feeds.fetching.conftest import MakeFeed
from tests.feeds.fetching.server import Handler, Place, Proxy, body, first, serving, status, to
from tests.feeds.fetching.trying import GOOD, content, fetched
from trailhound.errors import FetchError

SECRET = "k3y/with+odd=signs"
HEADER = "Own-Value-Of-A-Header"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("64:ff9b::808:808", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.2.1", False),
        ("192.88.99.1", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
        ("2001:0:1::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses_are_told_from_others(text: str, *, public: bool) -> None:
    assert addresses.is_public(ipaddress.ip_address(text)) is public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f000001", "2130706433", "127.1", "[::1]", "LOCALHOST", "a.localhost."]
)
def test_home_is_not_reached_unless_the_site_says_so(
    host: str, server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    feed = replace(make_feed(), urls=(f"https://{host}:{server.port}/list.txt",))
    result = fetched(feed, shelf, replace(manners, reachable=()))
    assert result.outcome == "failed"
    assert "no public address" in result.reason
    assert "feeds.reachable" in result.reason
    assert server.requests == []


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Have names in `.test` resolve to one answer after the other; give those that were asked for."""
    left, asked, real = list(answers), [], socket.getaddrinfo

    def resolve(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        if not host.endswith(".test"):
            return real(host, port, *arguments, **options)
        asked.append(host)
        return real(left.pop(0) if len(left) > 1 else left[0], port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_leads_home_is_not_followed(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "127.0.0.1")
    feed = make_feed(f"https://feeds.test:{server.port}/list.txt")
    result = fetched(feed, shelf, replace(manners, reachable=()))
    assert "feeds.test is 127.0.0.1, which is no public address" in result.reason
    assert server.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, "127.0.0.1", "10.0.0.1")
    server.answers["/list.txt"] = body(GOOD)
    result = fetched(make_feed(f"https://feeds.test:{server.port}/list.txt"), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")
    assert asked == ["feeds.test"], "a second answer could be another one"
    assert server.requests[0].headers["host"] == f"feeds.test:{server.port}"


def test_a_redirect_to_a_name_that_leads_home_is_not_followed(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "10.1.2.3")
    server.answers["/list.txt"] = to("https://inside.test/")
    assert "inside.test is 10.1.2.3, which is no public address" in fetched(make_feed(), shelf, manners).reason


def test_of_several_addresses_only_good_ones_are_tried(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, server.port))
        for address in ("10.0.0.1", "127.0.0.2", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert addresses.resolve("feeds.test", 443, manners.reachable) == ["127.0.0.2", "127.0.0.1"]


def test_an_address_that_does_not_answer_is_passed_over(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/list.txt"] = body(GOOD)
    monkeypatch.setattr(addresses, "resolve", lambda *_: ["127.0.0.9", "127.0.0.1"])
    result = fetched(make_feed(), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch, make_feed: MakeFeed) -> MakeFeed:
    monkeypatch.setenv("EVIL_KEY", f"{SECRET}\n")

    def make(path: str, **keys: Any) -> Any:
        headers = {"Authorization": "Bearer {secret}", "X-Own": HEADER}
        return make_feed(path, headers=headers, secret="EVIL_KEY", **keys)

    return make


def test_a_secret_goes_with_the_request(server: Place, secretive: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    server.answers["/k3y%2Fwith%2Bodd%3Dsigns/list.txt"] = body(GOOD)
    result = fetched(secretive("/{secret}/list.txt"), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert server.requests[0].headers["x-own"] == HEADER


def test_a_secret_and_headers_do_not_go_to_whom_we_are_sent_on_to(
    server: Place, secretive: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers |= {
        "/list.txt": first(to("/same"), to(f"https://127.0.0.1:{server.port}/other")),
        "/same": body(GOOD),
        "/other": body(GOOD),
    }
    fetched(secretive("/list.txt"), shelf, manners)
    assert "authorization" in server.asked("/same")[0].headers
    fetched(secretive("/list.txt"), shelf, manners)
    assert not {"authorization", "x-own"} & set(server.asked("/other")[0].headers)


@pytest.mark.parametrize("path", ["/list.txt", "/{secret}/list.txt"])
def test_a_secret_is_not_sent_in_the_clear(
    path: str, plain_server: Place, secretive: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    plain_server.answers["/list.txt"] = body(GOOD)
    result = fetched(secretive(plain_server.url(path)), shelf, manners)
    assert "a secret is only sent over https" in result.reason
    assert plain_server.requests == []


def test_a_missing_secret_is_named(server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    result = fetched(make_feed("/{secret}", secret="NOT_THERE"), shelf, manners)
    assert result.reason == "the secret NOT_THERE is missing: there is no such environment variable"


def test_a_secret_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (tmp_path / "key").write_text("of the folder\n")
    assert find_secret("key", tmp_path) == "of the folder"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert find_secret("key", tmp_path) == "of the folder"
    (credentials / "key").write_text("of systemd")
    assert find_secret("key", tmp_path) == "of systemd"
    monkeypatch.setenv("key", "of the environment")
    assert find_secret("key", tmp_path) == "of the environment"


@pytest.mark.parametrize("name", ["../key", "", "a/b", ".hidden"])
def test_the_name_of_a_secret_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="a name of letters, digits"):
        find_secret(name, tmp_path)


def test_a_secret_of_several_lines_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "a\r\nHost: evil")
    with pytest.raises(FetchError, match="KEY cannot be sent") as caught:
        find_secret("KEY")
    assert "evil" not in str(caught.value)


def blabbing(handler: Handler) -> None:
    """Give all that was sent back, wherever it could stick."""
    mine = handler.headers["Authorization"]
    handler.reply(200, {"ETag": f'"{mine}"', "Last-Modified": mine, "Content-Encoding": "identity"}, GOOD)


def test_secrets_and_headers_stand_nowhere(
    server: Place,
    secretive: MakeFeed,
    shelf: Shelf,
    manners: Manners,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    path = "/k3y%2Fwith%2Bodd%3Dsigns/list.txt"
    answers = [
        blabbing,
        *(status(code) for code in (404, 403, 503)),
        to(f"https://10.0.0.1/{SECRET}"),
        to(f"file:///{SECRET}"),
        to(f"http://localhost/{SECRET}"),
        body(b""),
        body(GOOD, Content_Encoding=SECRET),
        body(b"\0"),
        lambda handler: handler.wfile.write(f"HTTP/1.1 {SECRET}\r\n{SECRET}\r\n\r\n".encode()) and None,
    ]
    told = []
    with structlog.testing.capture_logs() as logs:
        for answer in answers:
            server.answers[path] = answer
            told.append(
                fetched(secretive("/{secret}/list.txt?more=" + "own-query"), shelf, replace(manners, retries=0))
            )
        told.append(fetched(secretive("https://localhost:1/{secret}"), shelf, manners))
        told.append(fetched(secretive("https://{secret}/"), shelf, manners))
    assert [result.outcome for result in told] == ["new", *["failed"] * len(answers), "failed"]
    everything = repr([told_.reason for told_ in told]) + repr(logs) + caplog.text + "".join(capfd.readouterr())
    for file in shelf.path.rglob("*"):
        everything += str(file) + (file.read_text("latin-1") if file.is_file() else "")
    for word in (SECRET, "k3y", "odd%3Dsigns", HEADER, "own-query"):
        assert word not in everything
    assert "evil.example" in everything, "the test looks at files"


@pytest.fixture
def proxy() -> Iterator[Place]:
    with serving(Proxy, None) as place:
        yield place


def test_a_proxy_is_used_and_resolves_names(
    server: Place, proxy: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD)
    manners = replace(manners, proxy=proxy.base)
    result = fetched(make_feed(f"https://feeds.test:{server.port}/list.txt"), shelf, manners)
    assert (result.outcome, result.reason) == ("new", "")
    assert [request.path for request in proxy.requests] == [f"feeds.test:{server.port}"]
    assert content(shelf) == [GOOD]


def test_a_proxy_is_used_for_http_too(
    plain_server: Place, proxy: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    plain_server.answers["/list.txt"] = body(GOOD)
    result = fetched(make_feed(plain_server.url("/list.txt")), shelf, replace(manners, proxy=proxy.base))
    assert (result.outcome, result.reason) == ("new", "")
    assert [request.path for request in proxy.requests] == [plain_server.url("/list.txt")]


def test_a_proxy_is_passed_by_for_hosts_that_are_near(
    server: Place, proxy: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    server.answers["/list.txt"] = body(GOOD)
    manners = replace(manners, proxy=proxy.base, direct=("localhost",))
    assert fetched(make_feed(), shelf, manners).outcome == "new"
    assert proxy.requests == []


def test_addresses_at_home_are_not_asked_of_a_proxy(
    proxy: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    manners = replace(manners, proxy=proxy.base, reachable=())
    assert "no public address" in fetched(make_feed("https://10.0.0.1/"), shelf, manners).reason
    assert proxy.requests == []


def test_a_proxy_may_want_a_password_which_stands_nowhere(
    server: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    wanted = "Basic " + base64.b64encode(b"me:pass-word").decode()
    server.answers["/list.txt"] = body(GOOD)
    with serving(type("Closed", (Proxy,), {"password": wanted}), None) as proxy:
        right = proxy.base.replace("//", "//me:pass-word@")
        assert fetched(make_feed(), shelf, replace(manners, proxy=right)).outcome == "new"
        wrong = proxy.base.replace("//", "//me:wrong-word@")
        result = fetched(make_feed(), shelf, replace(manners, proxy=wrong))
    assert "the proxy refuses: 407" in result.reason
    assert "wrong-word" not in result.reason + repr(shelf.facts("evil"))


def test_a_proxy_that_is_not_there_is_told(make_feed: MakeFeed, shelf: Shelf, manners: Manners) -> None:
    manners = replace(manners, proxy="http://me:pass-word@localhost:1")
    reason = fetched(make_feed(), shelf, manners).reason
    assert "cannot be reached: Connection refused" in reason
    assert "pass-word" not in reason


def test_a_proxy_does_not_weaken_certificates(
    proxy: Place, make_feed: MakeFeed, shelf: Shelf, manners: Manners
) -> None:
    with serving(Handler, trustme.CA()) as stranger:
        url = stranger.url("/list.txt")
        reason = fetched(make_feed(url), shelf, replace(manners, proxy=proxy.base)).reason
    assert "its certificate is not trusted" in reason
