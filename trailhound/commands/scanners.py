"""Scanning with several processes: each takes groups of files that belong together; one big file is shared."""

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from ingest.batch import BadLine
from ingest.heartbeat import now
from ingest.scan import FileReport, Scanned, Unit, scan_file, units
from ingest.segments import count, format_of
from ingest.tail import shown
from matchers.engine import Engine
from matchers.events import Events
from trailhound import log
from trailhound.commands import prepare
from trailhound.commands.crew import Crew
from trailhound.errors import TrailhoundError
from trailhound.event import Event
from trailhound.settings import Settings

SMALL = 16 * 1024 * 1024  # Bytes below which starting processes takes longer than scanning.
BIG = 128 * 1024 * 1024  # Bytes above which a file is worth being shared: starting processes takes a second.
AHEAD = 32  # Parts that may wait for whoever takes them.
_LOOK_AFTER = 5.0  # Seconds without a word after which it is seen whether everybody is still there.


@dataclass(frozen=True, slots=True)
class Job:
    """What to scan with. `processes` 0 means one a core."""

    settings: Settings
    sensor: str
    processes: int


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the outcome. `read` is how many bytes on disk it took; with `report` the file is done."""

    path: str
    read: int
    events: Sequence[Event] = ()
    bad_lines: Sequence[BadLine] = ()
    report: FileReport | None = None


def scan_all(job: Job, files: Sequence[Path]) -> Iterator[Part]:
    """Scan all files; parts come in the order in which they are done."""
    work = units(files)
    most = job.processes or len(os.sched_getaffinity(0))
    if most > 1 and (shared := _to_share(work, most)):
        yield from _with_crew(job, shared, most)
        work = [unit for unit in work if unit not in shared]
    processes = min(most, len(work))
    if processes > 1 and sum(unit.bytes for unit in work) > SMALL:
        yield from _with_processes(job, work, processes)
        return
    engine = _engine(job)
    for unit in work:
        yield from _scan_unit(job, engine, unit)


def _engine(job: Job) -> Engine:
    return prepare.engine(job.settings, prepare.trail_set(job.settings))


def _ready_engine(job: Job) -> Engine:
    """Make the engine of a process of its own."""
    log.configure(job.settings)
    return _engine(job)


def _to_share(work: Sequence[Unit], processes: int) -> list[Unit]:
    """Give the groups that would keep one process busy when all others are done, for one big file in them."""
    total = sum(unit.bytes for unit in work)
    return [unit for unit in work if unit.bytes * processes > total and any(map(_shared_format, unit.files))]


def _shared_format(path: Path) -> str | None:
    return format_of(path) if path.exists() and path.stat().st_size > BIG else None


def _with_crew(job: Job, work: Sequence[Unit], processes: int) -> Iterator[Part]:
    """Scan groups one after the other, and big files in them with all processes."""
    max_line = job.settings.logs.max_line_bytes
    engine = _engine(job)
    largest = max(path.stat().st_size for unit in work for path in unit.files if path.exists())
    with Crew(min(processes, count(largest)), partial(_ready_engine, job), max_line) as crew:

        def scan(path: Path) -> Iterator[Scanned]:
            format_ = _shared_format(path)
            if format_ is None:
                return scan_file(path, engine, job.sensor, max_line=max_line, now=now)
            return crew.scan(path, format_, engine, Events(job.sensor, shown(path), now))

        for unit in work:
            yield from _parts(unit, scan)


def _scan_unit(job: Job, engine: Engine, unit: Unit) -> Iterator[Part]:
    max_line = job.settings.logs.max_line_bytes
    yield from _parts(unit, lambda path: scan_file(path, engine, job.sensor, max_line=max_line, now=now))


def _parts(unit: Unit, scan: Callable[[Path], Iterator[Scanned]]) -> Iterator[Part]:
    for path in unit.files:
        read = 0
        size = path.stat().st_size if path.exists() else 0
        for scanned in scan(path):
            # Of a compressed file more is read than it has on disk.
            upto = size if scanned.stretch is None else min(scanned.read, size)
            part = Part(str(path), upto - read)
            read = upto
            if scanned.stretch is None:
                yield Part(part.path, part.read, report=scanned.report)
            else:
                yield Part(part.path, part.read, scanned.stretch.events, scanned.stretch.bad_lines)


def _with_processes(job: Job, work: Sequence[Unit], processes: int) -> Iterator[Part]:
    context = multiprocessing.get_context("spawn")
    waiting: Queue[Unit | None] = context.Queue()
    done: Queue[Any] = context.Queue(AHEAD)
    for unit in work:
        waiting.put(unit)
    workers = []
    for _ in range(processes):
        waiting.put(None)
        workers.append(context.Process(target=_worker, args=(job, waiting, done), daemon=True))
    for worker in workers:
        worker.start()
    left = processes
    try:
        while left:
            try:
                part = done.get(timeout=_LOOK_AFTER)
            except queue.Empty:
                if not any(worker.is_alive() for worker in workers):
                    raise TrailhoundError(
                        "the scanning processes ended without a word; is there enough memory?"
                    ) from None
                continue
            if part is None:
                left -= 1
            elif isinstance(part, str):
                raise TrailhoundError(part)
            else:
                yield part
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
        waiting.cancel_join_thread()


def _worker(job: Job, waiting: "Queue[Unit | None]", done: "Queue[Any]") -> None:
    try:
        engine = _ready_engine(job)
        while (unit := waiting.get()) is not None:
            for part in _scan_unit(job, engine, unit):
                done.put(part)
    except TrailhoundError as error:
        done.put(str(error))
    except KeyboardInterrupt:
        return
    done.put(None)
