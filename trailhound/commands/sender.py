"""Sending out in a process of its own, so that no target, however slow or dead, holds up detection or the API."""

import fcntl
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import structlog

from api.sending.follow import wall_clock
from api.sending.sender import keep_sending
from trailhound import log
from trailhound.commands import prepare
from trailhound.errors import TrailhoundError
from trailhound.settings import Settings

_LOOK_SECONDS = 5.0  # Between two looks whether another process of this state directory has stopped sending.
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE = 60.0
_END_SECONDS = 5.0
_log = structlog.get_logger("send")
# Sends until it is told to stop, or ends by itself.
Send = Callable[[Settings, threading.Event, int], None]


def keep_running(settings: Settings, stop: threading.Event, run: Send | None = None) -> None:
    """Send what is found until stopped; of several processes on one state directory one does."""
    if not settings.send.is_wanted:
        return
    run, pause = run or send_apart, _PAUSE_SECONDS
    begun = wall_clock()  # What is found while the other process starts is to be sent too.
    while not stop.is_set():
        with _alone(settings.state_dir / "send.lock") as is_ours:
            if is_ours:
                run(settings, stop, begun)
                if not stop.is_set():
                    _log.error("sending ended by itself; starting it again", seconds=pause)
        stop.wait(pause if is_ours else _LOOK_SECONDS)
        pause = min(pause * 2, _LONGEST_PAUSE)


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
    """Send in a process of its own until stopped, or until it ends."""
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
