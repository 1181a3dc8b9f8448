"""The last good copy of every feed on disk, with what happened to it since.

    feeds/
        lock                    held by whoever updates
        NAME/
            facts.json          when it was tried, what went wrong, which copy is in force
            copy-ID.1/          the copy in force, its documents as they were fetched
            new/                what is being fetched, or waits to be judged

The documents of a copy never change: another copy is written beside it, then the facts name that one, then the old one
goes. A crash at any point leaves the old copy or the new one in force, and what lies about is cleared at the next try.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from feeds import parts
from feeds.parts import Copy, Part
from trailhound.errors import FetchError

VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FACTS = "facts.json"
_LOCK = "lock"
_NEW = "new"
_FOLDER = re.compile(r"copy-[0-9a-f]{16}\.\d+")
_COPY = "copy-"
_MAX_ERROR = 500
_Natural = Annotated[int, msgspec.Meta(ge=0)]


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What happened to a feed. Times are seconds since the epoch, 0 for never.

    `copy` is the folder of the copy in force. `tried` is the last try, `checked` the last time that this copy was what
    the source had, `changed` when it came into force. `error` says what went wrong at the last try, `failing` since
    when and `failures` how often one after the other. Before `not_before` the server wants no further request.
    """

    version: int = VERSION
    copy: str = ""
    tried: _Natural = 0
    checked: _Natural = 0
    changed: _Natural = 0
    error: str = ""
    failing: _Natural = 0
    failures: _Natural = 0
    not_before: _Natural = 0


class Draft:
    """A copy in the making: documents come in one after the other, in the order in which they will be read."""

    def __init__(self, name: str, folder: Path, old: Copy | None) -> None:
        self.name = name
        self.folder = folder
        self.old = old
        self._parts: list[Part] = []
        self._files: set[str] = set()

    @property
    def next_file(self) -> str:
        """Give a name for a document that has none of its own."""
        return next(name for n in count(len(self._parts)) if (name := f"{n:02d}") not in self._files)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self._parts)

    @contextmanager
    def writing(self, file: str) -> Iterator[BinaryIO]:
        """Write the bytes of a document; what stands there when that fails is taken away, and may be tried again."""
        if not parts.is_safe_name(file) or file in self._files:
            raise FetchError(f"{self.name}: a document is called {file[:100]!r}; expected another, plain name for each")
        path = self.folder / file
        try:
            with parts.new_file(path) as stream:
                yield stream
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def add(self, part: Part) -> None:
        """Take a document in whose bytes were written."""
        parts.bounded(self.name, len(self._parts) + 1)
        self._parts.append(part)
        self._files.add(part.file)

    def keep(self, part: Part) -> None:
        """Take a document of the copy in force once more, as it is."""
        if self.old is None:
            raise FetchError(f"{self.name}: there is no copy to keep a document of")
        file = part.file if part.file not in self._files else self.next_file
        parts.link(self.old.folder / part.file, self.folder / file)
        self.add(msgspec.structs.replace(part, file=file))

    def seal(self) -> Copy:
        """Have all of it on disk. Raises `FetchError` when there is nothing."""
        if not self._parts:
            raise FetchError(f"{self.name}: there is no document")
        return parts.seal(self.folder, self.parts)


class Candidate:
    """A new copy that waits for a verdict: whether it is the feed, and no worse than what is in force."""

    def __init__(self, shelf: "Shelf", name: str, copy: Copy) -> None:
        self._shelf = shelf
        self.name = name
        self.copy = copy

    def accept(self, now: int, trouble: str = "") -> Copy:
        """Put it in force. `trouble` is what went wrong all the same, as one list of several that did not come."""
        return self._shelf.put_in_force(self, now, trouble)

    def reject(self, reason: str, now: int) -> None:
        """Throw it away and keep the copy in force; `reason` is what people are told."""
        self._shelf.clear(self.name)
        self._shelf.failed(self.name, reason, now)


class Shelf:
    """The copies of all feeds under one folder. Only who holds `alone` may change anything."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who updates; the kernel ends that when we die. Raises `FetchError` when another one does."""
        with self._explained():
            self._make()
            file = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
            parts.own_as_folder(self.path / _LOCK)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FetchError(
                    f"{self.path}: feeds are being updated already{_holder(file)}; wait for that to end"
                ) from error
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(file)

    def names(self) -> list[str]:
        """Give the names of all feeds that something is known of."""
        try:
            found = [entry.name for entry in os.scandir(self.path) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        return sorted(name for name in found if _NAME.fullmatch(name))

    def folder(self, name: str) -> Path:
        """Give the folder of a feed, for what is kept beside its copy; it need not be there."""
        if not _NAME.fullmatch(name):
            raise FetchError(f"{name[:100]!r} is no name of a feed; expected lower-case letters, digits and dashes")
        return self.path / name

    def facts(self, name: str) -> Facts:
        """Give what happened to a feed; a damaged file says nothing."""
        try:
            found = msgspec.json.decode((self.folder(name) / _FACTS).read_bytes(), type=Facts)
        except (OSError, UnicodeDecodeError, msgspec.MsgspecError):
            return Facts()
        return found if found.version == VERSION else Facts()

    def copy(self, name: str) -> Copy | None:
        """Give the copy in force, or None. When the facts are lost it is the newest one that is whole."""
        in_force = self.facts(name).copy
        found = parts.read(self.folder(name) / in_force) if _FOLDER.fullmatch(in_force) else None
        if found is not None:
            return found
        return max((copy for copy in self._copies(name)), key=lambda copy: copy.fetched, default=None)

    def candidate(self, name: str) -> Candidate | None:
        """Give the new copy that waits for a verdict, or None."""
        found = parts.read(self.folder(name) / _NEW)
        return Candidate(self, name, found) if found is not None else None

    def draft(self, name: str) -> Draft:
        """Begin a new copy; what was left of another one goes."""
        folder = self.folder(name)
        with self._explained():
            self._make(folder)
            self.clear(name)
            parts.new_folder(folder / _NEW)
        return Draft(name, folder / _NEW, self.copy(name))

    def clear(self, name: str) -> None:
        """Throw away what is in the making."""
        with self._explained(), suppress(FileNotFoundError):
            shutil.rmtree(self.folder(name) / _NEW)

    def put_in_force(self, candidate: Candidate, now: int, trouble: str = "") -> Copy:
        """Put a candidate in the place of the copy in force; see `Candidate.accept`."""
        name, folder, id_ = candidate.name, self.folder(candidate.name), candidate.copy.id
        with self._explained():
            taken = {path.name for path in self._folders(name)}
            target = next(folder / f"{_COPY}{id_}.{n}" for n in count(1) if f"{_COPY}{id_}.{n}" not in taken)
            candidate.copy.folder.rename(target)
            parts.sync_folder(folder)
            # What is imported was the source's when it was fetched, not today.
            checked = min(now, candidate.copy.fetched)
            self._note(name, lambda old: _well(old, now, target.name, trouble, checked))
            for other in taken:
                shutil.rmtree(folder / other)
        return Copy(target, candidate.copy.parts)

    def unchanged(
        self, name: str, now: int, trouble: str = "", same: tuple[Part, ...] = (), checked: int | None = None
    ) -> None:
        """Note that the source has what we have, or had it when it was `checked`.

        `same` are the documents in force, with what the server says of them anew.
        """
        copy = self.copy(name)
        with self._explained():
            if copy is not None and same not in ((), copy.parts) and parts.identity(same) == copy.id:
                parts.seal(copy.folder, same)
        folder = copy.folder.name if copy is not None else ""
        self._note(name, lambda old: _well(old, now, folder, trouble, now if checked is None else checked))

    def failed(self, name: str, reason: str, now: int, not_before: int = 0) -> None:
        """Note that a try failed, for a reason that people are told."""
        self._note(name, lambda old: _ill(old, now, reason, not_before))

    def forget(self, name: str) -> None:
        """Throw away all that is known of a feed."""
        with self._explained(), suppress(FileNotFoundError):
            shutil.rmtree(self.folder(name))

    def _make(self, folder: Path | None = None) -> None:
        """Have the folder of all feeds, and that of one."""
        for path in (self.path, folder):
            if path is not None and not path.is_dir():
                path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    parts.new_folder(path)

    def _note(self, name: str, change: Callable[[Facts], Facts]) -> None:
        folder = self.folder(name)
        with self._explained():
            self._make(folder)
            parts.replace_file(folder / _FACTS, msgspec.json.encode(change(self.facts(name))))

    def _folders(self, name: str) -> list[Path]:
        try:
            return sorted(path for path in self.folder(name).iterdir() if path.name.startswith(_COPY))
        except FileNotFoundError:
            return []

    def _copies(self, name: str) -> Iterator[Copy]:
        for folder in self._folders(name):
            found = parts.read(folder)
            if found is not None:
                yield found

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FetchError(f"{error.filename or self.path}: cannot be written: {error.strerror or error}") from error


def _well(old: Facts, now: int, copy: str, trouble: str, checked: int) -> Facts:
    changed = now if copy.partition(".")[0] != old.copy.partition(".")[0] else old.changed
    if not trouble:
        return Facts(copy=copy, tried=now, checked=checked, changed=changed)
    ill = _ill(old, now, trouble, 0)
    return msgspec.structs.replace(ill, copy=copy, checked=checked, changed=changed)


def _ill(old: Facts, now: int, reason: str, not_before: int) -> Facts:
    return msgspec.structs.replace(
        old,
        tried=now,
        error=reason[:_MAX_ERROR],
        failing=old.failing or now,
        failures=old.failures + 1,
        not_before=not_before,
    )


def _holder(file: int) -> str:
    """Say who holds the lock, when that is written there."""
    number = os.pread(file, 20, 0).strip()
    return f" (by process {int(number)})" if number.isdigit() else ""
