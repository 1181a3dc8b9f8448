"""Dead letters: lines that cannot be read, with their place and the reason, one JSON object each."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ingest.batch import BadLine

LIMIT = 64 * 1024 * 1024  # Bytes of the file before it is put aside; one older file is kept.


class DeadLetters:
    """Appends to one bounded file. May raise `OSError`; then nothing was written."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit

    def write(self, sensor: str, file: str, lines: Iterable[BadLine], now: str) -> None:
        letters = b"".join(msgspec.json.encode(_letter(sensor, file, line, now)) + b"\n" for line in lines)
        if not letters:
            return
        if self._path.exists() and self._path.stat().st_size + len(letters) > self._limit:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        with self._path.open("ab", buffering=0) as stream:
            begin = stream.tell()
            try:
                rest = memoryview(letters)
                while rest:
                    rest = rest[stream.write(rest) :]
                os.fsync(stream.fileno())
            except OSError:
                # Half a letter on a full disk would spoil the next one.
                stream.truncate(begin)
                raise


def _letter(sensor: str, file: str, line: BadLine, now: str) -> dict[str, Any]:
    return {
        "time": now,
        "sensor": _text(sensor),
        "file": _text(file),
        "line": line.number,
        "reason": _text(line.reason),
        "raw": line.raw.decode("utf-8", "backslashreplace"),
    }


def _text(text: str) -> str:
    """Make text that JSON can hold: names on disk need not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
