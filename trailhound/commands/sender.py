"""Sending out in a process of its own, so that no target, however slow or dead, holds up detection or the API."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import structlog

from api.sending.follow import wall_clock
from api.sending.sender import keep_sending, stop_following
from trailhound import log
from trailhound.commands import prepare
from trailhound.errors import TrailhoundError
from trailhound.settings import Settings

_LOOK_SECONDS = 5.0  # Between two looks whether another process of this state directory has stopped sending.
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE = 60.0
_END_SECONDS = 5.0
_log = structlog.get_logger("send")


class Sender:
    """Sends what is found, by settings that may change; of several processes on one state directory one does."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._news = threading.Event()  # Other settings, or the end.
        self._ending = threading.Event()

    def take_settings(self, settings: Settings) -> None:
        """Go by other settings as soon as what is under way is through. Does not wait for it."""
        if settings.send != self._settings.send:
            self._settings = settings
            self._news.set()

    def end(self) -> None:
        self._ending.set()
        self._news.set()

    def run(self) -> None:
        """Send until ended."""
        pause = _PAUSE_SECONDS
        begun: int | None = None  # What is found while the other process starts, or starts again, is to be sent too.
        while not self._ending.is_set():
            settings = self._settings
            if not settings.send.is_wanted:
                if begun is not None:
                    self._give_up(settings)
                begun = None
                self._wait(None)
                continue
            begun = wall_clock() if begun is None else begun
            with _alone(settings.state_dir / "send.lock") as is_ours:
                if is_ours:
                    send_apart(settings, self._news, begun)
            if self._news.is_set():
                pause = _PAUSE_SECONDS
            elif is_ours:
                _log.error("sending ended by itself; starting it again", seconds=pause)
            if not self._wait(pause if is_ours else _LOOK_SECONDS):
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _wait(self, seconds: float | None) -> bool:
        """Wait for news, at most so long; tell whether there are any."""
        is_new = self._news.wait(seconds)
        if not self._ending.is_set():
            self._news.clear()
        return is_new

    def _give_up(self, settings: Settings) -> None:
        """Drop what waits, unless another process sends from this state directory: it has settings of its own."""
        try:
            with _alone(settings.state_dir / "send.lock") as is_ours:
                if is_ours:
                    stop_following(settings)
        except TrailhoundError as error:
            _log.error("what waits to be sent cannot be dropped", reason=str(error))


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Be the only one who sends from a state directory, if nobody is yet; the kernel ends that when we die."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(file)


def send_apart(settings: Settings, stop: threading.Event, begun: int) -> None:
    """Send in a process of its own until stopped, or until it ends by itself."""
    context = multiprocessing.get_context("spawn")
    thread_end, lifeline = context.Pipe(duplex=False)
    process = context.Process(
        target=_send_child, args=(settings, thread_end, begun), name="trailhound-send", daemon=True
    )
    _start(process)
    thread_end.close()
    with lifeline:
        while process.is_alive() and not stop.is_set():
            process.join(0.2)
    # The end of the lifeline tells it to stop.
    process.join(_END_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _start(process: SpawnProcess) -> None:
    """Start a process that Ctrl-C does not reach: it reaches all of a terminal, and the parent decides when we end.

    What a thread has blocked is blocked in what it starts; only the main thread could have it ignored.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP, signal.SIGTERM))
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send_child(settings: Settings, lifeline: Connection, begun: int) -> None:
    """Send until the other end of the lifeline closes, also when the parent was killed."""
    log.configure(settings)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(lifeline, stop), name="lifeline", daemon=True).start()
    try:
        with closing(prepare.store(settings, read_only=True)) as store:
            keep_sending(settings, store, stop, begun)
    except TrailhoundError as error:
        _log.error("nothing is sent", reason=str(error))


def _listen(lifeline: Connection, stop: threading.Event) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv()
    stop.set()
