"""Feeds that are updated while `trailhound run` is at work: each when it is due, in a process of its own."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import structlog

from feeds import status
from feeds.sources import SOURCES
from feeds.update import Update, update
from trailhound import log
from trailhound.commands import feeds_work
from trailhound.errors import TrailhoundError
from trailhound.settings import Settings

LOOK_SECONDS = 10.0  # Between two looks at what is due.
_PAUSE = 60.0  # After an update that could not be done; each further one in a row doubles it.
_LONGEST_PAUSE = 3600.0
_NICENESS = 10
_END_SECONDS = 5.0
_log = structlog.get_logger("feeds")
# Updates feeds by name, until it is done or told to stop; gives what went wrong with the whole, or an empty text.
Updater = Callable[[Settings, Collection[str], threading.Event], str]


def is_wanted(settings: Settings) -> bool:
    return settings.feeds.update and settings.compiles_trails


def keep_updating(settings: Settings, stop: threading.Event, run: Updater | None = None) -> None:
    """Update what is due, again and again, until stopped. One update at a time; running processes take up the set."""
    if not is_wanted(settings):
        return
    run, pause, troubles = run or update_apart, 0.0, 0
    while not stop.wait(pause):
        try:
            names = status.due_now(feeds_work.statuses(settings), int(time.time()))
            trouble = run(settings, names, stop) if names else ""
        except (TrailhoundError, OSError) as error:
            trouble = str(error)
        if not trouble:
            pause, troubles = LOOK_SECONDS, 0
            continue
        _log.warning("feeds are not updated; the trails in force stay in force", reason=trouble)
        pause = min(_PAUSE * 2 ** min(troubles, 10), _LONGEST_PAUSE)
        troubles += 1


def update_apart(settings: Settings, names: Collection[str], stop: threading.Event) -> str:
    """Update feeds in a process of low priority, whose memory is given back at its end."""
    context = multiprocessing.get_context("spawn")
    answers, answer = context.Pipe(duplex=False)
    thread_end, lifeline = context.Pipe(duplex=False)
    process = context.Process(
        target=_update_child, args=(settings, tuple(names), answer, thread_end), name="trailhound-feeds", daemon=True
    )
    start_undisturbed(process)
    answer.close()
    thread_end.close()
    with answers, lifeline:
        while not answers.poll(0.2):
            if stop.is_set():
                _end(process)
                return ""
        try:
            said = answers.recv()
        except EOFError:
            said = "the process that updates feeds ended without a word; is there enough memory?"
    process.join()
    return str(said)


def start_undisturbed(process: SpawnProcess) -> None:
    """Start a process that Ctrl-C does not reach: it reaches all of a terminal, and the parent decides when we end.

    What a thread has blocked is blocked in what it starts; only the main thread could have it ignored.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGHUP))
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: SpawnProcess) -> None:
    """Break an update off: whatever it was at, what was in force is in force."""
    process.terminate()
    process.join(_END_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()


def _update_child(settings: Settings, names: tuple[str, ...], answer: Connection, lifeline: Connection) -> None:
    with suppress(OSError):
        os.nice(_NICENESS)
    log.configure(settings)
    threading.Thread(target=_end_with, args=(lifeline,), name="lifeline", daemon=True).start()
    trouble = ""
    try:
        feeds = feeds_work.known(settings)
        # Somebody may have switched one off a moment ago.
        wanted = [name for name in names if name in feeds and feeds[name].enabled]
        done = update(
            wanted,
            settings,
            feeds_work.shelf(settings),
            feeds,
            manners=feeds_work.manners(settings),
            sources=SOURCES,
        )
        _tell(done)
    except (TrailhoundError, OSError) as error:
        trouble = str(error) or type(error).__name__
    with suppress(OSError):
        answer.send(trouble)


def _tell(done: Update) -> None:
    new = [report.name for report in done.feeds if report.outcome == "new"]
    failed = [report.name for report in done.feeds if not report.well]
    _log.info("feeds updated", feeds=len(done.feeds), new=new, failed=failed, seconds=round(done.seconds, 1))


def _end_with(lifeline: Connection) -> None:
    """End at once when the parent does, killed or not: nobody would take up what comes, and a new one is started."""
    with suppress(EOFError, OSError):
        lifeline.recv()
    os._exit(1)
