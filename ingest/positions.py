"""Where in which file reading stands; saved only for what the store has acknowledged.

A file is known by device, inode and a hash of its first bytes, so that it is found again under another name, and so
that a new file in a reused inode is not taken for the old one.

Before events of a stretch go to the store, `pending` says where the stretch ends. After a crash between store and save
the same stretch is read again, no more and no less: it gives the same events, which the store has already.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from ingest.formats import READERS
from trailhound.errors import SettingsError

VERSION = 1
PREFIX = 1024  # Bytes that tell a file from others. Zeek's first lines are all alike, so it takes more than one.
UNSEEN = -1
_Natural = Annotated[int, msgspec.Meta(ge=0)]


class Position(msgspec.Struct):
    """Where reading of one file stands. Offsets and sizes are bytes, `seen` is seconds since the epoch.

    `log` is the log's name when the file was first seen: a rotated file may be called anything. `state` is that of the
    reader. `discarding` says that the offset stands in a line that is too long and passed over. `size` and `modified`
    (nanoseconds) tell of a file that was let go what it was like when all of it that can be read had been.
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


class _Versioned(msgspec.Struct):
    version: int


class _File(_Versioned):
    files: list[Position]


def fingerprint(descriptor: int, length: int = PREFIX) -> tuple[int, str]:
    """Hash the first bytes of a file, at most `length`; give how many they are and their hash."""
    head = os.pread(descriptor, length, 0)
    return len(head), hashlib.sha256(head).hexdigest()


def load(path: Path) -> list[Position]:
    """Read saved positions; none when there is no file. Raises `SettingsError` when it cannot be read as ours."""
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Versioned).version
        files = msgspec.json.decode(content, type=_File).files if version == VERSION else []
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise _refuse(path, f"cannot be read: {error}") from error
    if version != VERSION:
        raise _refuse(path, f"are of version {version}, this Trailhound reads version {VERSION}")
    unknown = next((saved.format for saved in files if saved.format and saved.format not in READERS), None)
    if unknown is not None:
        raise _refuse(path, f"name the format {unknown!r}, one of {', '.join(READERS)} was expected")
    return files


def _refuse(path: Path, what: str) -> SettingsError:
    return SettingsError(f"{path}: the saved positions {what}; move the file away to read all logs from the beginning")


def save(path: Path, positions: Iterable[Position]) -> None:
    """Write positions durably and in one step: a crash leaves the old file or the new one. May raise `OSError`.

    Only one process may save to the same path.
    """
    # Always the same name, so that a crash leaves one such file behind and not one more each time.
    unborn = path.with_name(f"{path.name}.new")
    with unborn.open("wb") as file:
        file.write(msgspec.json.encode(_File(VERSION, list(positions))))
        file.flush()
        os.fsync(file.fileno())
    unborn.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
