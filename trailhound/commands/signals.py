"""What signals do to a run: stop within a time limit, read the settings again."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import structlog

UNFINISHED = 1  # Exit status when what was in hand could not be finished in time.
_log = structlog.get_logger("run")


@contextmanager
def on_signals(
    *, stop: Callable[[], None], renew: Callable[[], None], stop_seconds: Callable[[], float]
) -> Iterator[threading.Event]:
    """Call `stop` at SIGINT and SIGTERM and `renew` at SIGHUP, from threads.

    The body sets the event that it is given when it has stopped. When it has not done so `stop_seconds` after `stop`,
    the process ends all the same: what was in hand is not taken for done, so nothing is lost by that.

    When the terminal is closed that we were started on, SIGHUP comes too, and means a stop.

    A signal handler interrupts the main thread wherever it is; a lock that is held there would then never be given
    back. So all that the handler does is done by the interpreter: the number of the signal into a pipe.
    """
    terminals = _terminals()
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    ended = threading.Event()

    def listen() -> None:
        with os.fdopen(receiver, "rb", buffering=0) as pipe:
            while numbers := pipe.read(1):
                is_hangup = numbers[0] == signal.SIGHUP
                if is_hangup and not _are_closed(terminals):
                    # Compiling trails takes its time, and a stop must not wait for it.
                    threading.Thread(target=renew, name="renew", daemon=True).start()
                elif is_hangup or numbers[0] in (signal.SIGINT, signal.SIGTERM):
                    stop()
                    threading.Thread(target=_end_in_time, args=(ended, stop_seconds()), daemon=True).start()
                    return

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, lambda *_: None)
    try:
        yield ended
    finally:
        ended.set()
        signal.set_wakeup_fd(-1)
        os.close(sender)


@contextmanager
def on_hangup(renew: Callable[[], None]) -> Iterator[None]:
    """Call `renew` at SIGHUP, from a thread, where another takes care of all other signals.

    When the terminal is closed that we were started on, SIGHUP means a stop.
    """
    terminals = _terminals()
    # Of all that could wake a thread, only this may be used by a handler that interrupts itself.
    asked: SimpleQueue[bool] = SimpleQueue()

    def listen() -> None:
        while asked.get():
            if _are_closed(terminals):
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                renew()

    threading.Thread(target=listen, name="hangups", daemon=True).start()
    signal.signal(signal.SIGHUP, lambda *_: asked.put(True))
    try:
        yield
    finally:
        asked.put(False)


def _terminals() -> list[int]:
    return [number for number in (0, 1, 2) if os.isatty(number)]


def _are_closed(terminals: list[int]) -> bool:
    return bool(terminals) and not any(map(os.isatty, terminals))


def _end_in_time(ended: threading.Event, seconds: float) -> None:
    if not ended.wait(seconds):
        _log.error("stopped before what was in hand could be stored; it is read again at the next start")
        os._exit(UNFINISHED)
