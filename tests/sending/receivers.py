"""Real receivers: an HTTP(S) server that answers as a test wants, and syslog over UDP, TCP and TLS."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20.0


@dataclass(frozen=True)
class Posted:
    path: str
    headers: Mapping[str, str]
    body: bytes


Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Hook:
    """A server; `answer` says what it answers, `posts` what it was sent."""

    port: int = 0
    scheme: str = "http"
    answer: Callable[[Posted], Reply] = lambda _: (200, {}, b"ok")
    posts: list[Posted] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hook: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        posted = Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        if self.hook.over.is_set():
            self.close_connection = True  # It was killed.
            return
        self.hook.posts.append(posted)
        try:
            code, headers, said = self.hook.answer(posted)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self.hook.posts.append(Posted(f"GET {self.path}", {}, b""))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def hooking(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    hook = Hook(scheme="https" if tls else "http")
    handler = type("Handler", (_Handler,), {"hook": hook})
    server = _Quiet(("127.0.0.1", port), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        hook.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Receiver:
    """What came on connections of a syslog receiver: all bytes, one connection after the other."""

    port: int
    data: bytearray = field(default_factory=bytearray)
    connections: list[socket.socket] = field(default_factory=list)
    _listener: socket.socket | None = None

    def kill(self) -> None:
        """Hang up and listen no more."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for one in self.connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def receiving(port: int = 0, tls: ssl.SSLContext | None = None, *, reads: bool = True) -> Iterator[Receiver]:
    """Receive on TCP, or TLS. Without `reads` it hangs: it takes connections and never reads from them."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if not reads:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    receiver = Receiver(listener.getsockname()[1], _listener=listener)

    def read(line: socket.socket) -> None:
        with suppress(OSError):
            if tls is not None:
                line = tls.wrap_socket(line, server_side=True)
                receiver.connections.append(line)
            while reads and (found := line.recv(65_536)):
                receiver.data += found

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                if tls is None:
                    receiver.connections.append(line)
                threading.Thread(target=read, args=(line,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.kill()
        thread.join(PATIENCE)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {PATIENCE:g} seconds"
        time.sleep(0.01)
