"""Where in which file reading stands; saved only for what the store has acknowledged.

A file is known by device, inode and a hash of its first bytes, so that it is found again under another name, and so
that a new file in a reused inode is not taken for the old one.

Before events of a stretch go to the store, `pending` says where the stretch ends. After a crash between store and save
the same stretch is read again, no more and no less: it gives the same events, which the store has already.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from trailhound.errors import SettingsError

VERSION = 1
PREFIX = 1024  # Bytes that tell a file from others. Zeek's first lines are all alike, so it takes more than one.


class Position(msgspec.Struct):
    """Where reading of one file stands. Offsets and sizes are bytes, `seen` is seconds since the epoch."""

    path: str
    device: int
    inode: int
    prefix: int
    digest: str
    offset: int = 0
    pending: int | None = None
    lines: int = 0
    format: str = ""
    state: str = ""
    discarding: bool = False
    seen: float = 0.0


class _File(msgspec.Struct):
    version: int
    files: list[Position]


def fingerprint(descriptor: int, length: int = PREFIX) -> tuple[int, str]:
    """Hash the first bytes of a file, at most `length`; give how many they are and their hash."""
    head = os.pread(descriptor, length, 0)
    return len(head), hashlib.sha256(head).hexdigest()


def load(path: Path) -> list[Position]:
    """Read saved positions; none when there is no file. Raises `SettingsError` when it cannot be read as ours."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise SettingsError(
            f"{path}: the saved positions cannot be read: {error};"
            " move the file away to read all logs from the beginning"
        ) from error
    if saved.version != VERSION:
        raise SettingsError(
            f"{path}: the saved positions are of version {saved.version}, this Trailhound reads version {VERSION};"
            " move the file away to read all logs from the beginning"
        )
    return saved.files


def save(path: Path, positions: Iterable[Position]) -> None:
    """Write positions durably and in one step: a crash leaves the old file or the new one. May raise `OSError`."""
    content = msgspec.json.encode(_File(VERSION, list(positions)))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
