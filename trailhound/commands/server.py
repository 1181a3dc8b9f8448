"""The API in a process of its own beside the reading, so that neither holds up the other."""

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import structlog
from fastapi import FastAPI

from api.serve import serve
from matchers.engine import Engine
from trailhound import log
from trailhound.commands import desks, prepare
from trailhound.commands.reload import Reload
from trailhound.errors import SettingsError, TrailhoundError
from trailhound.settings import Settings

_log = structlog.get_logger("server")
_START_SECONDS = 60.0
_PAUSE_SECONDS = 2.0  # Before a process that ended without being asked is started again.


@dataclass(slots=True)
class Told:
    """What the process that reads logs has told the one that serves: what is wrong, and other settings."""

    trouble: str | None = None
    take_settings: Callable[[Settings], None] = lambda _: None

    def take(self, news: "News") -> None:
        self.trouble = news.trouble
        self.go_by(news.settings)

    def go_by(self, settings: Settings) -> None:
        """Go by other settings, as soon as there is somebody who can."""
        self.take_settings(settings)


@dataclass(frozen=True, slots=True)
class News:
    """All that the serving process has to know of the reading one, at one moment."""

    settings: Settings
    trouble: str | None = None


def serve_here(
    settings: Settings,
    *,
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    told: Told | None = None,
) -> None:
    """Serve in this process until stopped. `told` may say meanwhile what the store cannot."""
    told = told or Told()
    store = prepare.store(settings, read_only=True)
    desk = desks.open_desk(settings)
    ended = threading.Event()
    try:
        engine = prepare.engine(settings, prepare.trail_set(settings))
        lookup = prepare.Lookup(engine.rules)

        def take(engine: Engine) -> None:
            lookup.rules = engine.rules

        reload = Reload(settings, engine, take, compiles=False, desk=desk)

        def made(app: FastAPI) -> None:
            told.take_settings = partial(_resettle, reload, app)

        threading.Thread(target=reload.run, args=(ended,), name="reload", daemon=True).start()
        serve(settings, store, lookup, desk=desk, ready=ready, stop=stop, trouble=lambda: told.trouble, made=made)
    finally:
        ended.set()
        desk.close()
        store.close()


def _resettle(reload: Reload, app: FastAPI, settings: Settings) -> None:
    if settings == reload.settings:
        return
    log.configure(settings)
    app.state.settings = settings
    try:
        reload.take_settings(settings)
    except TrailhoundError as error:
        _log.error("the trails in force stay in force", reason=str(error))


class Server:
    """A context in which the API runs. Raises `SettingsError` on entry when it cannot start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._news: News | None = None
        self._fresh = threading.Event()
        self._leaving = threading.Event()
        self._turn = threading.Lock()  # Held while a process is started, so that none is left behind.
        self.url = ""

    def __enter__(self) -> Self:
        self._start()
        self._keeper = threading.Thread(target=self._keep, name="server-keeper", daemon=True)
        self._keeper.start()
        threading.Thread(target=self._tell, name="server-news", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._fresh.set()
        with self._turn:
            self._lifeline.close()
            self._process.join(timeout=10)
            if self._process.is_alive():
                self._process.kill()
        self._keeper.join()

    def tell(self, trouble: str | None) -> None:
        """Have the API say what is wrong with the reading of logs, None when nothing is. Does not wait for it."""
        if trouble != (self._news.trouble if self._news is not None else None):
            self._spread(News(self._settings, trouble))

    def take_settings(self, settings: Settings) -> None:
        """Have the API go by other settings. Does not wait for it."""
        self._settings = settings
        self._spread(News(settings, self._news.trouble if self._news is not None else None))

    def _spread(self, news: News) -> None:
        self._news = news
        self._fresh.set()

    def _tell(self) -> None:
        """Pass the latest news on: from a thread of its own, since a process that hangs takes nothing."""
        while not self._leaving.is_set():
            self._fresh.wait()
            self._fresh.clear()
            # A process that has ended is started again and told then.
            with suppress(OSError, ValueError):
                self._lifeline.send(self._news)

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
                    self._fresh.set()


def _serve_child(settings: Settings, answer: Connection, lifeline: Connection) -> None:
    """Serve until the other end of the lifeline closes, also when the parent was killed."""
    # Ctrl-C reaches all of a terminal and a stop all of a service; the parent decides when we end.
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    log.configure(settings)
    stop = threading.Event()
    told = Told()
    threading.Thread(target=_listen, args=(lifeline, told, stop), name="lifeline", daemon=True).start()
    try:
        serve_here(settings, ready=partial(_ready, answer), stop=stop, told=told)
    except TrailhoundError as error:
        if not _tell(answer, "problem", str(error)):
            _log.error("the API ended", reason=str(error))


def _ready(answer: Connection, url: str) -> None:
    _tell(answer, "ready", url)


def _tell(answer: Connection, what: str, more: str) -> bool:
    """Tell the parent; False when it hears no more, being killed or through with starting us."""
    try:
        answer.send((what, more))
    except OSError:
        return False
    return True


def _listen(lifeline: Connection, told: Told, stop: threading.Event) -> None:
    """Take in what the parent says, until it ends."""
    with suppress(EOFError, OSError):
        while True:
            news = lifeline.recv()
            if isinstance(news, News):
                told.take(news)
    stop.set()
