"""A real HTTP proxy before a real Elasticsearch, which makes trouble on command."""

import gzip
import http.client
import json
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with this status and pass nothing on."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class RefuseItems:
    """Pass a bulk on without the items that are picked by their place; these answer 429, in their places."""

    picked: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut the connection: after the server did what was asked, or before it heard of it."""

    after: bool = True


@dataclass(frozen=True, slots=True)
class Delay:
    """Pass it on after some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Answer nothing until the proxy is healed, and cut the connection then."""


Trouble = Refuse | RefuseItems | Cut | Delay | Hang


@dataclass(slots=True)
class _Plan:
    trouble: Trouble
    times: float
    only: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came: what the client asked, and what trouble it met."""

    method: str
    path: str
    trouble: Trouble | None


@dataclass(slots=True)
class TroubleProxy:
    """Stands between a client and the server at `upstream`; `url` is what the client gets."""

    upstream: str
    seen: list[Seen] = field(default_factory=list)
    _plans: list[_Plan] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _healed: threading.Event = field(default_factory=threading.Event)
    _server: "_Server | None" = None
    _port: int = 0

    def __enter__(self) -> Self:
        self.come_back()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_away()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def make(self, trouble: Trouble, times: float = float("inf"), only: str = "") -> None:
        """Meet the next requests, whose paths hold `only`, with trouble; what was ordered first comes first."""
        with self._lock:
            self._healed.clear()
            self._plans.append(_Plan(trouble, times, only))

    def heal(self) -> None:
        """Make no more trouble, and let go of what hangs."""
        with self._lock:
            self._plans.clear()
            self._healed.set()

    def go_away(self) -> None:
        """Refuse connections, and cut those there are."""
        server, self._server = self._server, None
        if server is not None:
            self._healed.set()
            server.shutdown()
            server.server_close()
            server.cut_all()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        if self._server is None:
            self._healed.clear()
            self._server = _Server(("127.0.0.1", self._port), self)
            self._port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def next_trouble(self, method: str, path: str) -> Trouble | None:
        with self._lock:
            plan = next((plan for plan in self._plans if plan.only in path), None)
            if plan is not None:
                plan.times -= 1
                if plan.times <= 0:
                    self._plans.remove(plan)
            trouble = plan.trouble if plan else None
            self.seen.append(Seen(method, path, trouble))
            return trouble

    def wait_until_healed(self, seconds: float = _PATIENCE) -> None:
        self._healed.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], proxy: TroubleProxy) -> None:
        self.proxy = proxy
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        for connection in list(self._connections):
            _cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that give up, which is what this is for; what else fails is our fault."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base's
        """Say nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match self.server.proxy.next_trouble(self.command, self.path):
            case Refuse() as refusal:
                self._refuse(refusal)
            case RefuseItems(picked) if "_bulk" in self.path:
                self._pass_some(body, picked)
            case Cut(after):
                if after:
                    self._ask(body)
                self._cut()
            case Delay(seconds):
                self.server.proxy.wait_until_healed(seconds)
                self._answer(*self._ask(body))
            case Hang():
                self.server.proxy.wait_until_healed()
                self._cut()
            case _:
                self._answer(*self._ask(body))

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the names are the base's

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = urlsplit(self.server.proxy.upstream)
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port or 80, timeout=_PATIENCE)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {*_HOP_BY_HOP, "host"}}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, refusal: Refuse) -> None:
        headers = [("X-Elastic-Product", "Elasticsearch"), ("Content-Type", "application/json")]
        if refusal.retry_after is not None:
            headers.append(("Retry-After", str(refusal.retry_after)))
        error = {"type": "trouble_exception", "reason": "the proxy refuses"}
        body = {"error": {"root_cause": [error], **error}, "status": refusal.status}
        self._answer(refusal.status, headers, json.dumps(body).encode())

    def _pass_some(self, body: bytes, picked: Callable[[int], bool]) -> None:
        """Pass on what is not picked, and put the answers together in the order of the questions."""
        del self.headers["Accept-Encoding"]
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
            del self.headers["Content-Encoding"]
        items = split_bulk(body)
        passed = b"".join(lines for place, (_, lines) in enumerate(items) if not picked(place))
        headers = [("X-Elastic-Product", "Elasticsearch"), ("Content-Type", "application/json")]
        answers: list[Any] = []
        if passed:
            status, headers, answer = self._ask(passed)
            if status != http.client.OK:
                self._answer(status, headers, answer)
                return
            answers = json.loads(answer)["items"]
        remaining = iter(answers)
        whole = [_refused(action) if picked(place) else next(remaining) for place, (action, _) in enumerate(items)]
        errors = any("error" in answer for item in whole for answer in item.values())
        self._answer(http.client.OK, headers, json.dumps({"took": 1, "errors": errors, "items": whole}).encode())

    def _cut(self) -> None:
        self.close_connection = True
        _cut(self.connection)


def split_bulk(body: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """Give each item of a bulk: its action, and its lines as they came."""
    lines = iter(body.splitlines(keepends=True))
    items = []
    for line in lines:
        if line.strip():
            action = json.loads(line)
            source = b"" if "delete" in action else next(lines)
            items.append((action, line + source))
    return items


def _refused(action: dict[str, Any]) -> dict[str, Any]:
    ((kind, meta),) = action.items()
    error = {"type": "es_rejected_execution_exception", "reason": "rejected execution: the proxy picked this item"}
    return {kind: {"_index": meta.get("_index"), "_id": meta.get("_id"), "status": 429, "error": error}}


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The client was faster.
