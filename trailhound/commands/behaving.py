"""Behaviour looked for beside the loop: a process of its own folds what the loop spooled, and looks through the window.

That process imports pandas, is niced, and ends with each look, so that its memory is given back. What it finds becomes
events here, by the whitelist, exceptions and mutes in force.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog

from ingest import spool
from ingest.heartbeat import now
from ingest.pipeline import Pipeline
from ingest.windows import Collector, adopt
from matchers import behaviour
from matchers.behaviour import status
from matchers.behaviour.behaviour import Chosen, Seen
from matchers.behaviour.status import FOLDER, Status
from matchers.engine import Engine
from matchers.events import Events
from matchers.findings import Finding
from trailhound import log
from trailhound.commands import suspicions
from trailhound.commands.feeds_schedule import start_undisturbed
from trailhound.commands.look import Look, Looked
from trailhound.errors import TrailhoundError
from trailhound.event import Event
from trailhound.record import LARGEST, MICROSECONDS, Record
from trailhound.settings import Settings

_SPOOL = "spool"
_HOUR = 3600 * MICROSECONDS
_ALL_TIME = LARGEST
_NICE = 10
_POLL_SECONDS = 0.2
_END_SECONDS = 1.0
_log = structlog.get_logger("behaviour")


def is_wanted(settings: Settings) -> bool:
    """Tell whether behaviour is looked for at all."""
    return settings.behaviour.enabled and settings.heuristics.enabled


def collector(settings: Settings, folder: Path) -> Collector:
    """Make what collects for all behaviours, since any may be switched on while it is at work. May raise `OSError`."""
    columns = behaviour.columns(behaviour.registry().values())
    return Collector(folder / _SPOOL, columns, settings.behaviour.spool_megabytes * 1_000_000)


def chosen(settings: Settings) -> list[Chosen]:
    """Give the behaviours that are on. Raises `SettingsError`, `SourceError` as `suspicions.in_force` does."""
    asked = suspicions.in_force(settings)
    return behaviour.chosen(asked.disabled, asked.also, asked.thresholds)


@contextmanager
def behaving(settings: Settings, engine: Engine) -> Iterator[Collector | None]:
    """Have an engine show what passes to a collector; what it has is written at the end. None where that is off."""
    if not is_wanted(settings):
        yield None
        return
    try:
        adopt(settings.state_dir / FOLDER / _SPOOL)
        made = collector(settings, settings.state_dir / FOLDER)
    except OSError as error:
        raise TrailhoundError(f"{settings.state_dir / FOLDER}: cannot be written to: {error.strerror}") from error
    engine.onlooker = made
    try:
        yield made
    finally:
        made.flush()


def keep_looking(settings: Settings, collected: Collector | None, pipeline: Pipeline, stop: threading.Event) -> None:
    """Look every few minutes until stopped, and give the pipeline what is found."""
    if collected is None:
        return
    looked_at = -1  # How many records had come at the latest look; the first is for what an earlier run has left.
    while not stop.wait(settings.behaviour.every_minutes * 60):
        if looked_at == collected.rows:
            continue
        looked_at = collected.rows
        try:
            look_once(settings, collected, pipeline, stop)
        except TrailhoundError as error:
            _log.error("behaviour is not looked for", reason=str(error))
            _note(settings, Status(now(), lost=collected.lost, waiting=collected.held(), reason=str(error)))


def look_once(settings: Settings, collected: Collector, pipeline: Pipeline, stop: threading.Event) -> None:
    """Look through what there is now. Raises `TrailhoundError` when that cannot be done."""
    upto = now() + round(settings.logs.max_clock_skew_seconds * MICROSECONDS or _HOUR)
    folders = {settings.state_dir / FOLDER: collected.close_segment()}
    begun = time.monotonic()
    looked = look(Look(settings, folders, chosen(settings), steps=False, upto=upto), stop)
    collected.taken()
    if looked is None:
        return
    events = events_of(looked.seen, pipeline.engine)
    pipeline.give(events)
    seconds = round(time.monotonic() - begun, 1)
    for name, reason in looked.failed.items():
        _log.error("behaviour was not looked for", behaviour=name, reason=reason)
    _note(
        settings,
        Status(
            now(),
            seconds,
            looked.rows,
            len(events),
            collected.lost,
            looked.dropped,
            collected.held(),
            looked.held,
            tuple(looked.failed),
        ),
    )
    _log.info(
        "looked for behaviour",
        records=looked.rows,
        found=len(events),
        out_of_bounds=looked.dropped,
        lost=collected.lost,
        seconds=seconds,
    )


def _note(settings: Settings, looked: Status) -> None:
    try:
        status.save(settings.state_dir, looked)
    except OSError as error:
        _log.warning("how looking for behaviour goes cannot be written", reason=error.strerror)


def events_of(seen: Iterable[Seen], engine: Engine) -> list[Event]:
    """Make events of what was found, as far as it counts."""
    known = behaviour.registry()
    by_sensor: dict[str, Events] = {}
    for one in seen:
        observer = engine.observers.get(one.log)
        if observer is None or one.behaviour not in known:
            continue
        dataset = f"suricata.{observer.suricata}" if one.module == "suricata" else f"{one.module}.{one.log}"
        record = Record(one.log, one.module, dataset, one.time, f"{one.behaviour} {one.found.key}", one.fields)
        events = by_sensor.setdefault(one.sensor, Events(one.sensor, now=now))
        engine.tell([Finding(known[one.behaviour], one.found)], record, events)
    return [event for events in by_sensor.values() for event in events.drain()]


def look_through_archives(settings: Settings, collected: Path) -> list[Seen]:
    """Look through what a scan has collected, each folder of logs apart. Raises `TrailhoundError`."""
    folders = {window: spool.closed(window / _SPOOL) for window in sorted(collected.glob("*"))}
    if not any(folders.values()):
        return []
    looked = look(Look(settings, folders, chosen(settings), steps=True, upto=_ALL_TIME), threading.Event())
    for name, reason in looked.failed.items() if looked is not None else ():
        _log.error("behaviour was not looked for", behaviour=name, reason=reason)
    return looked.seen if looked is not None else []


def look(asked: Look, stop: threading.Event) -> Looked | None:
    """Look in a process of its own; None when stopped before it is done.

    Raises `TrailhoundError` when it ends without an answer, or takes too long.
    """
    context = multiprocessing.get_context("spawn")
    answers, question = context.Pipe(duplex=False)
    process = context.Process(target=_look_child, args=(asked, question), name="trailhound-behaviour", daemon=True)
    start_undisturbed(process)
    question.close()
    end = time.monotonic() + asked.settings.behaviour.max_seconds
    try:
        while not answers.poll(_POLL_SECONDS):
            if stop.is_set():
                return None
            if time.monotonic() > end:
                raise TrailhoundError(
                    f"the process that looks for behaviour took longer than {asked.settings.behaviour.max_seconds:g} s"
                    " (behaviour.max_seconds)"
                )
        answer = answers.recv()
    except EOFError:
        answer = "the process that looks for behaviour ended without a word; is there enough memory?"
    finally:
        process.join(_END_SECONDS)
        if process.is_alive():
            process.kill()  # What it has written stands, what it has not is folded again.
            process.join()
        answers.close()
    if isinstance(answer, str):
        raise TrailhoundError(answer)
    return answer if isinstance(answer, Looked) else None


def _look_child(asked: Look, answer: Connection) -> None:
    # One thread: what looks must not take the processors from what matches.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    os.nice(_NICE)
    log.configure(asked.settings)
    from trailhound.commands.looking import look_through  # noqa: PLC0415 - imports pandas, which is for here alone.

    looked: Any = Looked()
    try:
        for folder, segments in asked.folders.items():
            look_through(asked, folder, segments, looked)
    except (TrailhoundError, OSError) as error:
        looked = f"behaviour cannot be looked for: {error}"
    except MemoryError:
        looked = "behaviour cannot be looked for: there is too little memory; lower behaviour.max_rows"
    answer.send(looked)
