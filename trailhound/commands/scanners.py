"""Scanning with several processes: each takes groups of files that belong together; one big file is shared."""

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

from ingest.archive import Reading, read_on
from ingest.batch import BadLine
from ingest.heartbeat import now
from ingest.positions import Position
from ingest.scan import FileReport, Scanned, Unit, scan_file, size_of, units
from ingest.segments import count, format_of
from ingest.stretch import Stretch
from ingest.tail import shown
from ingest.windows import Collector
from matchers.engine import Engine
from matchers.events import Events
from trailhound import log
from trailhound.commands import behaving, prepare
from trailhound.commands.crew import Crew, undisturbed
from trailhound.commands.sensors import sensor_of
from trailhound.errors import TrailhoundError
from trailhound.event import Event
from trailhound.settings import Settings

SMALL = 16 * 1024 * 1024  # Bytes below which starting processes takes longer than scanning.
BIG = 128 * 1024 * 1024  # Bytes above which a file is worth being shared: starting processes takes a second.
AHEAD = 32  # Parts that may wait for whoever takes them.
_LOOK_AFTER = 5.0  # Seconds without a word after which it is seen whether everybody is still there.


@dataclass(frozen=True, slots=True)
class Job:
    """What to scan with. `processes` 0 means one a core.

    With `on`, each file is read on from where a saved position says, and where it stands then is told. In `window`
    records are collected for behaviour, those of each folder of logs apart.
    """

    settings: Settings
    sensor: str
    processes: int
    on: bool = False
    window: Path | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the outcome. `read` is how many bytes on disk it took; with `report` the file is done.

    `position` is where reading stands after it; with `begins` it is where it begins.
    """

    path: Path
    read: int
    events: Sequence[Event] = ()
    bad_lines: Sequence[BadLine] = ()
    report: FileReport | None = None
    sensor: str = ""
    position: Position | None = None
    begins: bool = False


def scan_all(
    job: Job, files: Sequence[Path], known: Callable[[Path], tuple[Position, ...]] = lambda _: ()
) -> Iterator[Part]:
    """Scan all files; parts come in the order in which they are done. `known` gives the positions to go on at."""
    work = units(files)
    for unit in work if job.on else ():
        unit.known = {path: known(path) for path in unit.files}
    most = job.processes or len(os.sched_getaffinity(0))
    # A file that is read on is one process's: its position is where that one stands. What heuristics count goes from
    # line to line.
    alone = job.on or job.settings.heuristics.enabled
    if most > 1 and not alone and (shared := _to_share(work, most)):
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
            yield from _parts(unit, scan, lambda _: job.sensor)


def _scan_unit(job: Job, engine: Engine, unit: Unit) -> Iterator[Part]:
    max_line = job.settings.logs.max_line_bytes
    if engine.heuristics is not None:
        engine.heuristics.begin_anew()

    if job.window is not None and unit.files:
        engine.onlooker = behaving.collector(job.settings, job.window / _place_of(unit))

    def sensor(path: Path) -> str:
        if job.sensor or not job.on:
            return job.sensor
        return sensor_of(job.settings, *(Path(saved.path) for saved in unit.known.get(path, ())), path)

    def scan(path: Path) -> Iterator[Scanned]:
        if job.on:
            return read_on(path, unit.known.get(path, ()), sensor(path), Reading(engine, max_line, now))
        return scan_file(path, engine, job.sensor, max_line=max_line, now=now)

    yield from _parts(unit, scan, sensor)
    if isinstance(engine.onlooker, Collector):
        engine.onlooker.close_segment()


def _place_of(unit: Unit) -> str:
    folder = os.fsencode(unit.files[0].absolute().parent)
    return blake2b(folder, digest_size=12).hexdigest()


def _parts(unit: Unit, scan: Callable[[Path], Iterator[Scanned]], sensor: Callable[[Path], str]) -> Iterator[Part]:
    for path in unit.files:
        read = 0
        begins = True
        size = size_of(path)
        for scanned in scan(path):
            # Of a compressed file more is read than it has on disk.
            upto = size if scanned.stretch is None else min(scanned.read, size)
            stretch = scanned.stretch or Stretch()
            yield Part(
                path,
                upto - read,
                stretch.events,
                stretch.bad_lines,
                scanned.report if scanned.stretch is None else None,
                sensor(path),
                scanned.position,
                begins=begins and scanned.position is not None,
            )
            read = upto
            begins = False


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
    with undisturbed():
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
    done.put(None)
