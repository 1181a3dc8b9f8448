"""A real HTTP(S) server that behaves as badly as a test wants, and a real small proxy."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme

Answer = Callable[["Handler"], None]


@dataclass
class Request:
    path: str
    headers: Mapping[str, str]


@dataclass
class Place:
    """Where a server listens, what it answers by path, and what it was asked."""

    base: str
    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"{self.base}{path}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place: Place

    def do_GET(self) -> None:
        place = self.place
        headers = {name.lower(): value for name, value in self.headers.items()}
        with place.lock:
            place.requests.append(Request(self.path, headers))
            place.busy += 1
            place.busiest = max(place.busiest, place.busy)
        try:
            place.answers.get(self.path.partition("?")[0], status(404))(self)
        except OSError:
            self.close_connection = True  # Who asked has gone, as some tests want it to.
        finally:
            with place.lock:
                place.busy -= 1

    def reply(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # A client that goes away is what half of the tests are about.


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], authority: trustme.CA | None, place: Place | None = None
) -> Iterator[Place]:
    with _Server(("127.0.0.1", 0), handler) as server:
        port = server.server_address[1]
        scheme = "http"
        if authority is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost", "feeds.test", "127.0.0.1").configure_cert(context)
            # The handshake belongs into the thread of the request.
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            scheme = "https"
        place = place or Place("", 0)
        place.base, place.port = f"{scheme}://localhost:{port}", port
        server.RequestHandlerClass = type("Bound", (handler,), {"place": place})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield place
        finally:
            place.over.set()
            server.shutdown()
            thread.join()


def body(content: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(200, named, content)


def status(code: int, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(code, named, b"" if code == 304 else b"trouble here")


def to(url: str, code: int = 302) -> Answer:
    return lambda handler: handler.reply(code, {"Location": url}, b"")


def conditional(content: bytes, *, etag: str = "", modified: str = "") -> Answer:
    """Answer 304 to whoever has it already."""

    def answer(handler: Handler) -> None:
        known = handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since")
        headers = {name: value for name, value in (("ETag", etag), ("Last-Modified", modified)) if value}
        if (etag and known[0] == etag) or (modified and known[1] == modified):
            handler.reply(304, {}, b"")
        else:
            handler.reply(200, headers, content)

    return answer


def first(*answers: Answer) -> Answer:
    """Give one answer after the other, then the last one again and again."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        now = left.pop(0) if len(left) > 1 else left[0]
        now(handler)

    return answer


def cut(content: bytes) -> Answer:
    def answer(handler: Handler) -> None:
        handler.reply(200, {"Content-Length": str(len(content) * 2)}, content)
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.connection.shutdown(socket.SHUT_RDWR)

    return answer


def dripping(*, headers_too: bool) -> Answer:
    """Send one byte after the other and never come to an end."""

    def answer(handler: Handler) -> None:
        if headers_too:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
        while not handler.place.over.wait(0.05):
            handler.wfile.write(b"1")
            handler.wfile.flush()

    return answer


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    while not handler.place.over.is_set():
        handler.wfile.write(b"192.0.2.1\n" * 1000)


class Proxy(BaseHTTPRequestHandler):
    """Forward what is asked in full, tunnel what is to be connected; refuse who has no password if one is wanted."""

    protocol_version = "HTTP/1.1"
    place: Place
    password = ""

    def do_CONNECT(self) -> None:
        if not self._may():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((self._real(host), int(port))) as far:
            self.send_response(200)
            self.end_headers()
            self._pump(far)
        self.close_connection = True

    def do_GET(self) -> None:
        if not self._may():
            return
        host, _, path = self.path.removeprefix("http://").partition("/")
        name, _, port = host.partition(":")
        with socket.create_connection((self._real(name), int(port))) as far:
            far.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            while data := far.recv(65536):
                self.wfile.write(data)
        self.close_connection = True

    def _may(self) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.place.requests.append(Request(self.path, headers))
        if self.password and headers.get("proxy-authorization") != self.password:
            self.send_response(407)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        return True

    def _real(self, host: str) -> str:
        return "127.0.0.1" if host == "feeds.test" else host

    def _pump(self, far: socket.socket) -> None:
        ends = {self.connection: far, far: self.connection}
        while not self.place.over.is_set():
            for end in select.select(list(ends), [], [], 0.05)[0]:
                data = end.recv(65536)
                if not data:
                    return
                ends[end].sendall(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
