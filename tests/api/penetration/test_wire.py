"""Requests that proxies and servers read in two ways, and clients that are slow, over real sockets."""

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from api import serve
from stores.contract import Store
from stores.embedded import open_embedded
from tests.api.test_serve import serving
from tests.api.trails import DictLookup
from tests.stores.factory import make_event
from trailhound.settings import Api, Settings

SECONDS = 1.0
# What a smuggler hides in the body of a request: were it answered, it would be the second answer on the connection.
HIDDEN = b"GET /api/v1/summary HTTP/1.1\r\nHost: localhost\r\n\r\n"
JSON = b"POST /api/v1/lookup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_embedded(tmp_path_factory.mktemp("store") / "events.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Iterator[str]:
    api = Api(port=0, access="open", request_seconds=SECONDS)
    settings = Settings(state_dir=tmp_path_factory.mktemp("wire"), api=api)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serve, "KEEP_ALIVE_SECONDS", 1)
        with serving(settings, store, DictLookup([])) as address:
            yield address


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0), timeout=8) as one:
        yield one


def answered(one: socket.socket) -> bytes:
    """Give all that comes until the other side ends the connection."""
    got = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := one.recv(65536):
            got += part
    return bytes(got)


SMUGGLED = {
    "length and chunks": JSON + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": JSON + LENGTH + b"Content-Length: 0\r\n\r\n" + HIDDEN,
    "two lengths in one line": JSON + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "length with a sign": JSON + b"Content-Length: +%d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "length in hex": JSON + b"Content-Length: 0x10\r\n\r\n" + HIDDEN,
    "negative length": JSON + b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "chunks by another name": JSON + b"Transfer-Encoding: xchunked\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "chunks twice": JSON + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks after identity": JSON + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "space before the colon": JSON + b"Transfer-Encoding : chunked\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "folded line": JSON + b"X: y\r\n Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "size of a chunk with a sign": JSON + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + HIDDEN,
    "size of a chunk beyond 64 bits": JSON + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n" + HIDDEN,
    "NUL in a header": JSON + b"X: a\x00b\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "carriage return in a header": JSON + b"X: a\rTransfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "GET with a body": b"GET /ping HTTP/1.1\r\nHost: localhost\r\n" + LENGTH + b"\r\n" + HIDDEN,
    "HTTP/1.0 with chunks": JSON.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "no host": b"GET /api/v1/summary HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /api/v1/summary HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n",
    "another host in the line": b"GET http://attacker.example/ping HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
    "bytes beyond ASCII in the line": b"GET /\xff\xfe/api/v1/summary HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64 + b"\r\n\r\n",
    "too long a head": b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 3_000_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_no_request_hides_in_another(url: str, how: str) -> None:
    with connected(url) as one:
        with contextlib.suppress(OSError):
            one.sendall(SMUGGLED[how])
        got = answered(one)
    assert b'"totals"' not in got, "what was hidden was answered"
    assert got.count(b"HTTP/1.1 ") <= 1
    assert not got or got[9:12] in (b"400", b"404", b"413", b"415", b"421", b"422", b"431", b"505"), got[:200]
    assert httpx.get(f"{url}/ping").text == "pong"


def test_two_requests_in_a_row_are_two(url: str) -> None:
    """The test above sees a smuggled answer when there is one."""
    with connected(url) as one:
        one.sendall(
            b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
            + HIDDEN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        got = answered(one)
    assert got.count(b"HTTP/1.1 200") == 2
    assert b'"totals"' in got


@pytest.mark.parametrize(
    "target",
    [
        *(b"/static/..%2f..%2f..%2fetc%2fpasswd", b"/static/%2e%2e/%2e%2e/etc/passwd", b"/static/..\\..\\etc\\passwd"),
        *(b"/static/%252e%252e%252fetc%252fpasswd", b"/static/style.css%00.html", b"/static//etc/passwd"),
        *(b"/../../../../etc/passwd", b"/..;/etc/passwd", b"/static/....//....//etc/passwd", b"//etc/passwd"),
        *(b"/static/%c0%ae%c0%ae/etc/passwd", b"/lists/..%2f..%2faccounts.sqlite.txt", b"file:///etc/passwd"),
        *(b"/lists/%2e%2e.txt", b"/blacklist/..%2f..%2fevents.sqlite", b"/api/v1/../../accounts.sqlite"),
    ],
)
def test_no_path_leads_to_a_file(url: str, target: bytes) -> None:
    with connected(url) as one:
        one.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = answered(one)
    assert got[9:12] in (b"400", b"404", b"422"), got[:200]
    assert b"root:" not in got
    assert b"SQLite format" not in got


def test_many_slow_requests_keep_nobody_out(url: str) -> None:
    """Slowloris: heads and bodies without end, and nobody answered later than ever."""
    starts = (b"GET /ping HTTP/1.1\r\nX-A: ", JSON + b"Content-Length: 1000\r\n\r\n{", b"")
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(url)) for _ in range(200)]
        for number, one in enumerate(slow):
            one.sendall(starts[number % len(starts)])
        begin = time.monotonic()
        assert httpx.get(f"{url}/ping", timeout=5).text == "pong"
        assert time.monotonic() - begin < 2
        time.sleep(2 * SECONDS)
        for one in slow:
            one.settimeout(2)
            assert one.recv(1024)[9:12] in (b"", b"400", b"408"), "it was waited for"


@pytest.mark.parametrize(
    "path", ["/api/v1/events/export?format=csv", "/api/v1/events/export", "/api/v1/events?limit=1000"]
)
def test_an_answer_that_nobody_takes_up_ends(url: str, store: Store, path: str) -> None:
    store.append([make_event(identity=f"event-{number}", message="x" * 30_000) for number in range(1000)])
    with connected(url) as one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(4 * SECONDS)
        begin = time.monotonic()
        got = answered(one)
        assert time.monotonic() - begin < 5, "it went on as soon as somebody took it up"
    assert got.startswith(b"HTTP/1.1 200")
    assert len(got) < 29_000_000, "it was not cut off"
    assert httpx.get(f"{url}/ping").text == "pong"
