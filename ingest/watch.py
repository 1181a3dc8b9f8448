"""Folders of logs: which files there are to follow, and a notice when something changes."""

import fnmatch
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

from trailhound.errors import SourceError
from trailhound.settings import Folder


class Watch:
    """Watches folders. `wait` returns as soon as something changes, `files` lists what is to be followed."""

    def __init__(self, folders: Sequence[Folder], *, polling: bool, poll_seconds: float) -> None:
        """Start watching. Raises `SourceError` for a folder that is not there or cannot be read."""
        self._folders = folders
        self._poll_seconds = poll_seconds
        self._changed = threading.Event()
        for folder in folders:
            _check(folder.path)
        self._observer = _observe(folders, _Notice(self._changed), polling=polling, seconds=poll_seconds)

    def wait(self, seconds: float) -> bool:
        """Wait for a change, at most `seconds`; tell whether there was one."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def wake(self) -> None:
        self._changed.set()

    def files(self) -> Iterator[tuple[Path, Folder]]:
        """List the files to follow. A folder that is away for the moment has none."""
        for folder in self._folders:
            visited: set[tuple[int, int]] = set()
            for place, folders, names in os.walk(folder.path, followlinks=True):
                # A link may lead back to where we came from.
                folders[:] = [name for name in sorted(folders) if _is_new(Path(place, name), visited)]
                for name in sorted(names):
                    if is_followed(name, folder):
                        yield Path(place, name), folder

    def close(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)


def _is_new(path: Path, visited: set[tuple[int, int]]) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    if key in visited:
        return False
    visited.add(key)
    return True


def is_followed(name: str, folder: Folder) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in folder.include) and not any(
        fnmatch.fnmatch(name, pattern) for pattern in folder.exclude
    )


class _Notice(FileSystemEventHandler):
    def __init__(self, changed: threading.Event) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Reading a file is a change to inotify too, and would wake us by our own doing.
        if event.event_type not in ("opened", "closed_no_write"):
            self._changed.set()


def _observe(folders: Sequence[Folder], notice: _Notice, *, polling: bool, seconds: float) -> BaseObserver | None:
    """Ask the kernel for notices; where it has none left to give, looking through the folders has to do."""
    observer: BaseObserver = PollingObserver(timeout=seconds) if polling else Observer()
    try:
        for folder in folders:
            observer.schedule(notice, str(folder.path), recursive=True)
        observer.start()
    except OSError:
        return None
    return observer


def _check(path: Path) -> None:
    if not path.is_dir():
        what = "is no folder" if path.exists() else "does not exist"
        raise SourceError(f"{path}: this folder of logs {what} (logs.folders)")
    if not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(f"{path}: this folder of logs cannot be read by this user (logs.folders)")
