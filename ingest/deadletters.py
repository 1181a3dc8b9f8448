"""Dead letters: lines that cannot be read, with their place and the reason, one JSON object each."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from ingest.batch import BadLine

LIMIT = 64 * 1024 * 1024  # Bytes of the file before it is put aside; one older file is kept.


class DeadLetters:
    """Appends to one bounded file. May raise `OSError`."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit

    def write(self, sensor: str, file: str, lines: Iterable[BadLine], now: str) -> None:
        letters = b"".join(msgspec.json.encode(_letter(sensor, file, line, now)) + b"\n" for line in lines)
        if not letters:
            return
        if self._path.exists() and self._path.stat().st_size + len(letters) > self._limit:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        with self._path.open("ab") as stream:
            stream.write(letters)
            stream.flush()
            os.fsync(stream.fileno())


def _letter(sensor: str, file: str, line: BadLine, now: str) -> dict[str, Any]:
    return {
        "time": now,
        "sensor": sensor,
        "file": file,
        "line": line.number,
        "reason": line.reason,
        "raw": line.raw.decode("utf-8", "backslashreplace"),
    }
