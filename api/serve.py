"""Serving over HTTP, in this process, until told to stop."""

import contextlib
import errno
import gc
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.health import Trouble, untroubled
from api.lists.rule import classic
from api.lookup import TrailLookup
from api.moments import wall_clock
from api.patience import patient
from api.remembered import RememberingStore
from api.streams import Streams
from stores.contract import Store
from stores.desk import Desk
from trailhound.errors import SettingsError
from trailhound.settings import Settings

# A URL with a hundred values to check has to fit in here, whole.
MAX_HEAD_BYTES = 262_144
MAX_CONNECTIONS = 500
GRACE_SECONDS = 5
KEEP_ALIVE_SECONDS = 10
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
    desk: Desk | None = None,
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    trouble: Trouble = untroubled,
    made: Callable[[FastAPI], None] | None = None,
) -> None:
    """Serve until `stop` is set, or until SIGINT or SIGTERM; answer what is under way before returning.

    `ready` is called with the URL once requests are answered. With `stop`, signals are the caller's matter; without it
    the call must come from the main thread. `trouble` says what is wrong with the reading of logs that the store cannot
    say. `made` is given the application before it answers anybody. Store and desk are not closed. Raises
    `SettingsError` when `api.host` and `api.port` cannot be listened on.
    """
    with contextlib.closing(_listen(settings)) as listener, contextlib.ExitStack() as ending:
        app = create_app(settings, RememberingStore(store), trails, desk=desk, trouble=trouble)
        if made is not None:
            made(app)
        ending.callback(app.state.lists.close)
        app.state.lists.warm(classic("4", settings), wall_clock())
        config = _config(app, settings)
        _secure(config, settings)
        url = _url(listener, "https" if config.is_ssl else "http")
        ending.enter_context(_settled())
        _Server(config, url=url, ready=ready, stop=stop, streams=app.state.streams).run(sockets=[listener])


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    """Leave what lives as long as the server, a hundred thousand objects, out of each search for garbage."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=patient(settings.api.request_seconds, settings.api.trusted_proxies),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # What they say is `api.access.proxies`' matter.
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
        # Connections that wait for their next request cost a place each.
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ssl_certfile=settings.api.tls_cert,
        ssl_keyfile=settings.api.tls_key,
    )


class _Server(uvicorn.Server):
    """Uvicorn that tells when it is ready and can be stopped from another thread."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        url: str,
        ready: Callable[[str], None] | None,
        stop: threading.Event | None,
        streams: Streams,
    ) -> None:
        super().__init__(config)
        self._streams = streams
        self._url = url
        self._ready = ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and self._ready is not None:
            self._ready(self._url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # They would never end by themselves.
        self._streams.end()
        await super().shutdown(sockets=sockets)

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


def _secure(config: uvicorn.Config, settings: Settings) -> None:
    """Read the certificate. Raises `SettingsError` when it or its key cannot be used."""
    try:
        config.load()
    except (OSError, ValueError) as error:
        if not config.is_ssl:
            raise
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"api.tls_cert = {str(settings.api.tls_cert)!r}, api.tls_key = {str(settings.api.tls_key)!r}: a certificate"
            f" chain and its key without a password, both PEM, were expected: {reason}"
        ) from error
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2


def _url(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
