"""The API in a process of its own beside the reading, so that neither holds up the other."""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import structlog

from api.serve import serve
from matchers.engine import Engine
from trailhound import log
from trailhound.commands import prepare
from trailhound.commands.reload import Reload
from trailhound.errors import SettingsError, TrailhoundError
from trailhound.settings import Settings

_log = structlog.get_logger("server")
_START_SECONDS = 60.0
_PAUSE_SECONDS = 2.0  # Before a process that ended without being asked is started again.


def serve_here(
    settings: Settings, *, ready: Callable[[str], None] | None = None, stop: threading.Event | None = None
) -> None:
    """Serve in this process until stopped."""
    store = prepare.store(settings, read_only=True)
    ended = threading.Event()
    try:
        engine = prepare.engine(settings, prepare.trail_set(settings))
        lookup = prepare.Lookup(engine.rules)

        def take(engine: Engine) -> None:
            lookup.rules = engine.rules

        reload = Reload(settings, engine, take, compiles=False)
        threading.Thread(target=reload.run, args=(ended,), name="reload", daemon=True).start()
        serve(settings, store, lookup, ready=ready, stop=stop)
    finally:
        ended.set()
        store.close()


class Server:
    """A context in which the API runs. Raises `SettingsError` on entry when it cannot start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._leaving = threading.Event()
        self._turn = threading.Lock()  # Held while a process is started, so that none is left behind.
        self.url = ""

    def __enter__(self) -> Self:
        self._start()
        self._keeper = threading.Thread(target=self._keep, name="server-keeper", daemon=True)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        with self._turn:
            self._lifeline.close()
            self._process.join(timeout=10)
            if self._process.is_alive():
                self._process.kill()
        self._keeper.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        answers, answer = context.Pipe(duplex=False)
        thread_end, self._lifeline = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_serve_child, args=(self._settings, answer, thread_end), name="trailhound-api"
        )
        self._process.start()
        answer.close()
        thread_end.close()
        with answers:
            try:
                said = answers.recv() if answers.poll(_START_SECONDS) else ("problem", "the API does not start")
            except EOFError:
                said = ("problem", "the process of the API ended without a word")
        if said[0] != "ready":
            self._lifeline.close()
            self._process.kill()
            self._process.join()
            raise SettingsError(said[1])
        self.url = said[1]

    def _keep(self) -> None:
        """Start the API again should its process end by itself."""
        while True:
            self._process.join()
            if self._leaving.is_set():
                return
            _log.error("the API ended by itself; starting it again", exit_code=self._process.exitcode)
            self._lifeline.close()
            if self._leaving.wait(_PAUSE_SECONDS):
                return
            with self._turn:
                if self._leaving.is_set():
                    return
                try:
                    self._start()
                except SettingsError as error:
                    _log.error("the API does not start", reason=str(error))
                else:
                    _log.info("the API is there again", url=self.url)


def _serve_child(settings: Settings, answer: Connection, lifeline: Connection) -> None:
    """Serve until the other end of the lifeline closes, also when the parent was killed."""
    # Ctrl-C reaches all of a terminal and a stop all of a service; the parent decides when we end.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    log.configure(settings)
    stop = threading.Event()
    threading.Thread(target=_wait_for_end, args=(lifeline, stop), name="lifeline", daemon=True).start()
    try:
        serve_here(settings, ready=lambda url: answer.send(("ready", url)), stop=stop)
    except TrailhoundError as error:
        try:
            answer.send(("problem", str(error)))
        except OSError:
            _log.error("the API ended", reason=str(error))


def _wait_for_end(lifeline: Connection, stop: threading.Event) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        stop.set()
