"""Folders of logs: which files there are to follow, and a notice when something changes."""

import fnmatch
import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.mounts import is_remote
from trailhound.errors import SourceError
from trailhound.watching import Folder

MAX_LINKS = 32  # Linked folders that are watched by themselves; each takes an instance of inotify.
# What rotation and compression put behind a name: `.1`, `-20260101`, `.old`, `.gz`.
_ENDING = re.compile(r"(?:\.(?:gz|zst|old|bak|\d{1,3})|[-.]\d{4}-?\d{2}-?\d{2}(?:[-_T.:]?\d{1,10})*)$")
_log = structlog.get_logger("ingest")


class Watch:
    """Watches folders. `wait` returns as soon as something changes, `files` lists what is to be followed."""

    def __init__(self, folders: Sequence[Folder], *, polling: bool) -> None:
        """Start watching; with `polling`, without the kernel's notices.

        Raises `SourceError` for a folder that is not there or cannot be read.
        """
        self.folders = folders
        self._changed = threading.Event()
        self._links: set[str] = set()
        self.devices: set[int] = set()
        self.is_complete = False
        for folder in folders:
            _check(folder.path)
        self._notice = _Notice(self._changed)
        self._observer = None if polling else _observe(folders, self._notice)

    def wait(self, seconds: float) -> bool:
        """Wait for a change, at most `seconds`; tell whether there was one."""
        changed = self._changed.wait(seconds)
        self._changed.clear()
        return changed

    def wake(self) -> None:
        self._changed.set()

    def files(self) -> Iterator[tuple[Path, Folder]]:
        """List the files to follow. A folder that is away for the moment has none."""
        return ((path, folder) for path, folder, is_rotated in self.listing() if not is_rotated)

    def listing(self) -> Iterator[tuple[Path, Folder, bool]]:
        """List files, the followed ones and those that were such before they were rotated or compressed.

        Afterwards `devices` tells on which devices folders were found, and `is_complete` whether all could be read.
        """
        self.devices = set()
        self.is_complete = True
        for folder in self.folders:
            visited: set[tuple[int, int]] = set()
            self._is_new(folder.path, visited)
            for place, folders, names in os.walk(folder.path, followlinks=True, onerror=self._note):
                # A link may lead back to where we came from.
                folders[:] = [name for name in sorted(folders) if self._is_new(Path(place, name), visited)]
                for name in folders:
                    self._watch_link(Path(place, name))
                for name in sorted(names):
                    if is_followed(name, folder):
                        yield Path(place, name), folder, False
                    elif is_rotated(name, folder):
                        yield Path(place, name), folder, True

    def _note(self, error: OSError) -> None:
        # A folder that was removed between listing and looking has taken its files along.
        self.is_complete = self.is_complete and isinstance(error, FileNotFoundError)

    def _is_new(self, path: Path, visited: set[tuple[int, int]]) -> bool:
        try:
            status = path.stat()
        except OSError as error:
            self._note(error)
            return False
        key = (status.st_dev, status.st_ino)
        if key in visited:
            return False
        visited.add(key)
        self.devices.add(status.st_dev)
        return True

    def missing(self) -> Iterator[Folder]:
        """List the folders that are away for the moment."""
        for folder in self.folders:
            if not os.access(folder.path, os.R_OK | os.X_OK):
                yield folder

    def close(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)

    def _watch_link(self, path: Path) -> None:
        """Ask for notices of a linked folder, such as Zeek's `current`: they do not come with those of its parent."""
        if self._observer is None or not path.is_symlink():
            return
        target = os.path.realpath(path)
        if target in self._links or is_remote(path) or len(self._links) >= MAX_LINKS:
            return
        self._links.add(target)
        try:
            self._observer.schedule(self._notice, target, recursive=True)
        except OSError as error:
            _log.warning("no notices of a linked folder; it is looked through from time to time", reason=str(error))


def is_followed(name: str, folder: Folder) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in folder.include) and not any(
        fnmatch.fnmatch(name, pattern) for pattern in folder.exclude
    )


def is_rotated(name: str, folder: Folder) -> bool:
    """Tell whether a name is a followed one with endings of rotation or compression; one of its own is not."""
    plain = unrotated(name)
    is_excluded = any(fnmatch.fnmatch(name, pattern) for pattern in folder.exclude)
    return plain != name and not is_excluded and is_followed(plain, folder)


def unrotated(name: str) -> str:
    """Give a name without what rotation and compression put behind it: `eve.json.1.gz` was `eve.json`."""
    while (plain := _ENDING.sub("", name)) != name and plain:
        name = plain
    return name


class _Notice(FileSystemEventHandler):
    def __init__(self, changed: threading.Event) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        # Reading a file is a change to inotify too, and would wake us by our own doing.
        if event.event_type not in ("opened", "closed_no_write"):
            self._changed.set()


def _observe(folders: Sequence[Folder], notice: _Notice) -> BaseObserver | None:
    """Ask the kernel for notices; where it has none left to give, looking through the folders has to do."""
    observer: BaseObserver = Observer()
    try:
        for folder in folders:
            if is_remote(folder.path):
                _log.info("no notices from a network share, only looks from time to time", path=str(folder.path))
                continue
            observer.schedule(notice, str(folder.path), recursive=True)
        observer.start()
    except OSError as error:
        observer.stop()
        _log.warning("no notices of changed files; folders are looked through from time to time", reason=str(error))
        return None
    return observer


def _check(path: Path) -> None:
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except OSError as error:
        raise SourceError(f"{path}: this folder of logs cannot be read: {error.strerror} (logs.folders)") from error
    if not is_folder:
        what = "is no folder" if is_there else "does not exist"
        raise SourceError(f"{path}: this folder of logs {what} (logs.folders)")
    if not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(f"{path}: this folder of logs cannot be read by this user (logs.folders)")
