"""Serving over HTTP, in this process, until told to stop."""

import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn

from api.app import create_app
from api.health import Trouble, untroubled
from api.lookup import TrailLookup
from stores.contract import Store
from trailhound.errors import SettingsError
from trailhound.settings import Settings

# A URL with a hundred values to check has to fit in here, whole.
MAX_HEAD_BYTES = 262_144
MAX_CONNECTIONS = 500
GRACE_SECONDS = 5
_REASONS = {
    errno.EADDRINUSE: "another program listens there already; stop it or choose another port",
    errno.EACCES: "this needs more rights; choose a port from 1024 on",
    errno.EADDRNOTAVAIL: "this host has no such address",
}


def serve(
    settings: Settings,
    store: Store,
    trails: TrailLookup,
    *,
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    trouble: Trouble = untroubled,
) -> None:
    """Serve until `stop` is set, or until SIGINT or SIGTERM; answer what is under way before returning.

    `ready` is called with the URL once requests are answered. With `stop`, signals are the caller's matter; without it
    the call must come from the main thread. `trouble` says what is wrong with the reading of logs that the store cannot
    say. The store is not closed. Raises `SettingsError` when `api.host` and
    `api.port` cannot be listened on.
    """
    with contextlib.closing(_listen(settings)) as listener:
        config = uvicorn.Config(
            create_app(settings, store, trails, trouble=trouble),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # A client's address is that of its connection; headers that say otherwise are not believed.
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        _Server(config, url=_url(listener), ready=ready, stop=stop).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Uvicorn that tells when it is ready and can be stopped from another thread."""

    def __init__(
        self, config: uvicorn.Config, *, url: str, ready: Callable[[str], None] | None, stop: threading.Event | None
    ) -> None:
        super().__init__(config)
        self._url = url
        self._ready = ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._ready is not None:
            self._ready(self._url)

    async def on_tick(self, counter: int) -> bool:
        if self._stop is not None and self._stop.is_set():
            self.should_exit = True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as a wish to stop; uvicorn's own way raises them again and so kills the caller's clean-up."""
        if self._stop is not None:
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.api.host, settings.api.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise SettingsError(f"api.host = {host!r}: a name or address of this host was expected") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` means every address of this host, IPv4 too.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise SettingsError(f"api.host = {host!r}, api.port = {port}: {reason}") from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
