"""One big file at a time for several processes: a crew that looks through its segments."""

import multiprocessing
import queue
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest.scan import FileReport, Scanned
from ingest.segments import Found, Joined, Segment, find, first_state, segments
from matchers.engine import Engine
from matchers.events import Events
from trailhound.errors import SourceError, TrailhoundError

_LOOK_AFTER = 5.0  # Seconds without a word after which it is seen whether everybody is still there.
_SPARE = 1  # Segments that wait, so that nobody has to.


@dataclass(frozen=True, slots=True)
class Task:
    """A segment, and what its reader is taken to know at its beginning."""

    number: int
    segment: Segment
    state: str


class Crew:
    """Processes that look through segments; a context manager. `make_engine` is called in each of them."""

    def __init__(self, processes: int, make_engine: Callable[[], Engine], max_line: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._todo: Queue[Task | None] = context.Queue()
        self._done: Queue[Any] = context.Queue()
        self._workers: list[BaseProcess] = [
            context.Process(target=_work, args=(make_engine, max_line, self._todo, self._done), daemon=True)
            for _ in range(processes)
        ]
        self._max_line = max_line
        self._number = 0
        self._found: dict[int, Found] = {}

    def __enter__(self) -> Self:
        with undisturbed():
            for worker in self._workers:
                worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.terminate()
            worker.join()
        self._todo.cancel_join_thread()

    def scan(self, path: Path, format_: str, engine: Engine, events: Events) -> Iterator[Scanned]:
        """Scan a file as `scan_file` does, and with the same outcome."""
        report = FileReport(str(path), format_)
        joined = Joined(report, engine, events, self._max_line)
        try:
            yield from self._joined(joined, path, engine)
        except SourceError as error:
            report.problem = str(error)
        yield Scanned(report, None, path.stat().st_size if path.exists() else 0)

    def _joined(self, joined: Joined, path: Path, engine: Engine) -> Iterator[Scanned]:
        left = segments(path, joined.report.format or "")
        guess: str | None = None
        ahead: deque[Task] = deque()
        while joined.report.problem is None:
            while len(ahead) < len(self._workers) + _SPARE and (segment := next(left, None)) is not None:
                if segment.start and guess is None:
                    guess = first_state(ahead[0].segment, engine, self._max_line)
                ahead.append(self._give(segment, guess or ""))
            if not ahead:
                return
            task = ahead.popleft()
            yield from joined.take(task.segment, self._wait(task))
            guess = state = joined.state
            ahead = deque(self._again(task, state) for task in ahead)

    def _give(self, segment: Segment, state: str) -> Task:
        self._number += 1
        task = Task(self._number, segment, state)
        self._todo.put(task)
        return task

    def _again(self, task: Task, state: str) -> Task:
        """Have a segment looked through again when the guess of its state was wrong."""
        return task if task.state == state else self._give(task.segment, state)

    def _wait(self, task: Task) -> Found:
        while task.number not in self._found:
            try:
                answer = self._done.get(timeout=_LOOK_AFTER)
            except queue.Empty:
                if not all(worker.is_alive() for worker in self._workers):
                    raise TrailhoundError("a scanning process ended without a word; is there enough memory?") from None
                continue
            if isinstance(answer, str):
                raise TrailhoundError(answer)
            number, found = answer
            self._found[number] = found
        found = self._found.pop(task.number)
        # Of what was done again, the first outcome is of no use.
        self._found = {number: other for number, other in self._found.items() if number > task.number}
        return found


@contextmanager
def undisturbed() -> Iterator[None]:
    """Start processes that Ctrl-C does not end: it reaches all of a terminal, and whoever started them ends them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(make_engine: Callable[[], Engine], max_line: int, waiting: "Queue[Task | None]", done: "Queue[Any]") -> None:
    try:
        engine = make_engine()
        while (task := waiting.get()) is not None:
            done.put((task.number, find(task.segment, task.state, engine, max_line)))
    except TrailhoundError as error:
        done.put(str(error))
