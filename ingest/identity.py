"""What a file is known by: its first bytes, as they are or as they come out of a compressed file."""

import hashlib
import os
import stat
from pathlib import Path

from ingest.unpack import DAMAGE, packing, unpacked
from trailhound.errors import SourceError

PREFIX = 1024  # Bytes that tell a file from others. Zeek's first lines are all alike, so it takes more than one.
BEFORE = 256  # Bytes before an offset that tell whether a file still is what was read.
_BLOCK = 262_144  # Bytes of a compressed file in which its first block ends, however little it was compressed.


def fingerprint(head: bytes) -> tuple[int, str]:
    """Hash the first bytes of a file, at most `PREFIX`; give how many they are and their hash."""
    head = head[:PREFIX]
    return len(head), hashlib.sha256(head).hexdigest()


def check_of(before: bytes) -> str:
    """Hash the bytes right before an offset, of which the last `BEFORE` count; empty when there are none."""
    before = before[-BEFORE:]
    return hashlib.sha256(before).hexdigest()[:32] if before else ""


def head_of(path: Path) -> bytes:
    """Read the first bytes of a file, at most `PREFIX`; of a gzip or Zstandard file those of what was compressed.

    A compressed file that is not whole yet gives what there is. Raises `SourceError`.
    """
    try:
        raw = _raw(path, PREFIX)
        return unpacked(_raw(path, _BLOCK) if packing(raw) else raw, PREFIX)
    except DAMAGE as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SourceError(f"{path}: the log cannot be read: {reason}") from error


def kind_of(path: Path) -> str:
    """Tell how a file is compressed: `gzip`, `zstd`, or empty. Raises `SourceError`."""
    try:
        return packing(_raw(path, 4))
    except OSError as error:
        raise SourceError(f"{path}: the log cannot be read: {error.strerror or error}") from error


def _raw(path: Path, length: int) -> bytes:
    # Opening a pipe would wait for a writer, were it not for O_NONBLOCK; files do not care.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.pread(descriptor, length, 0) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
