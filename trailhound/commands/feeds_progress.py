"""A display of what is being fetched, by feeds and bytes; silent where nobody looks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TaskID, TextColumn


@dataclass(slots=True)
class Display:
    """Hears of bytes from several threads, and of each feed that is done."""

    progress: Progress
    feeds: int
    done: int = 0
    bytes: int = 0
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _came: dict[str, int] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _all: TaskID | None = None

    def came(self, name: str, done: int, total: int | None) -> None:
        """Hear how many bytes of a document have come; a feed may have several, one after the other."""
        with self._turn:
            task = self._tasks.get(name)
            if task is None:
                task = self._tasks[name] = self.progress.add_task(name, total=total)
            before = self._came.get(name, 0)
            self.bytes += done - before if done >= before else done
            self._came[name] = done
            self.progress.update(task, completed=done, total=total)
            self._tell()

    def ended(self, name: str) -> None:
        with self._turn:
            self.done += 1
            task = self._tasks.pop(name, None)
            if task is not None:
                self.progress.remove_task(task)
            self._tell()

    def begin(self) -> None:
        self._all = self.progress.add_task("feeds", total=None)
        self._tell()

    def _tell(self) -> None:
        if self._all is not None:
            words = f"{self.done} of {self.feeds} feeds" if self.done < self.feeds else "putting the trail set together"
            self.progress.update(self._all, description=words, completed=self.bytes)


@contextmanager
def display(feeds: int) -> Iterator[Display]:
    """Show on standard error, when that is a terminal, how far fetching is."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        shown = Display(progress, feeds)
        shown.begin()
        yield shown
