"""Where in which file reading stands; saved only for what the store has acknowledged.

A file is known by device, inode and a hash of its first bytes, so that it is found again under another name, and so
that a new file in a reused inode is not taken for the old one. A hash of the bytes right before the offset tells
whether what was read is there still.

Before events of a stretch go to the store, `pending` says where the stretch ends. After a crash between store and save
the same stretch is read again, no more and no less: it gives the same events, which the store has already.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from ingest.formats import READERS
from trailhound.errors import SettingsError

VERSION = 2
_OLDEST = 1  # It knew less of each file; what it did not know is guessed by nobody.
UNSEEN = -1
_Natural = Annotated[int, msgspec.Meta(ge=0)]


class Position(msgspec.Struct, omit_defaults=True):
    """Where reading of one file stands. Offsets and sizes are bytes, `seen` is seconds since the epoch.

    `log` is the log's name when the file was first seen: a rotated file may be called anything. `state` is that of the
    reader. `discarding` says that the offset stands in a line that is too long and passed over. `size` and `modified`
    (nanoseconds) tell of a file that was let go what it was like when all of it that can be read had been; `known` and
    `touched` (nanoseconds) what any file was like when it was last looked at: `known` counts bytes of content, and
    none of a file that is no log. `check` is a hash of the bytes before the offset. Records before `since`
    (microseconds since the epoch) are not matched. `cut` says that the file holds something else by now.
    """

    path: str
    device: int
    inode: int
    prefix: _Natural
    digest: str
    log: str = ""
    offset: _Natural = 0
    pending: _Natural | None = None
    lines: _Natural = 0
    format: str = ""
    state: bytes = b""
    discarding: bool = False
    size: int = UNSEEN
    modified: int = UNSEEN
    seen: float = 0.0
    check: str = ""
    known: _Natural = 0
    touched: int = 0
    since: int = 0
    cut: bool = False

    @property
    def unread(self) -> int:
        """Tell how many bytes of the file are known to be unread."""
        return max(0, self.known - self.offset)


class Saved(list[Position]):
    """Positions, and when (seconds since the epoch) all folders had last been looked through; 0 for never."""

    def __init__(self, files: Iterable[Position] = (), looked: float = 0.0) -> None:
        super().__init__(files)
        self.looked = looked


class _Versioned(msgspec.Struct):
    version: int


class _File(_Versioned):
    files: list[Position]
    looked: float = 0.0


def load(path: Path) -> Saved:
    """Read saved positions; none when there is no file. Raises `SettingsError` when it cannot be read as ours."""
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Versioned).version
        is_known = _OLDEST <= version <= VERSION
        saved = msgspec.json.decode(content, type=_File) if is_known else _File(version, [])
    except FileNotFoundError:
        return Saved()
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise _refuse(path, f"cannot be read: {error}") from error
    if not is_known:
        raise _refuse(path, f"are of version {version}, this Trailhound reads version {VERSION}")
    unknown = next((file.format for file in saved.files if file.format and file.format not in READERS), None)
    if unknown is not None:
        raise _refuse(path, f"name the format {unknown!r}, one of {', '.join(READERS)} was expected")
    return Saved(saved.files, saved.looked)


def _refuse(path: Path, what: str) -> SettingsError:
    return SettingsError(f"{path}: the saved positions {what}; move the file away to read all logs from the beginning")


def save(path: Path, positions: Iterable[Position], looked: float | None = None) -> None:
    """Write positions durably and in one step: a crash leaves the old file or the new one. May raise `OSError`.

    `looked` is that of `Saved`, and need not be given with it. Only one process may save to the same path.
    """
    if looked is None:
        looked = positions.looked if isinstance(positions, Saved) else 0.0
    # Always the same name, so that a crash leaves one such file behind and not one more each time.
    unborn = path.with_name(f"{path.name}.new")
    with unborn.open("wb") as file:
        file.write(msgspec.json.encode(_File(VERSION, list(positions), looked)))
        file.flush()
        os.fsync(file.fileno())
    unborn.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
