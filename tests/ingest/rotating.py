"""A writer and a rotator that do to logs what is done to logs, and know what was written."""

import gzip
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import zstandard

from ingest.follow import Follow
from ingest.positions import Position, Saved, load, save
from ingest.watch import Watch
from tests.ingest.living import WANTED, append, header, row, rows, take, text
from trailhound.watching import Folder


@contextmanager
def following(
    folder: Path, positions: Iterable[Position] = (), *, compressed: bool = True, since: float | None = None
) -> Iterator[Follow]:
    with closing(Watch([Folder(path=folder, sensor="s")], polling=True)) as watch:
        follow = Follow(watch, WANTED, positions, from_end=False, compressed=compressed, since=since)
        with closing(follow):
            yield follow


def read_on(follow: Follow) -> bytes:
    """Look for files, and again for what the first look may have found out, and read what there is of all."""
    read = b""
    for _ in range(3):
        follow.discover()
        read += b"".join(text(take(followed.tail)) for followed in list(follow.open.values()))
    return read


def ended(follow: Follow, tmp_path: Path) -> Saved:
    """Take positions the way a restart does."""
    save(tmp_path / "positions.json", follow.positions(), follow.looked)
    return load(tmp_path / "positions.json")


def read_and_ended(log: Path, tmp_path: Path, count: int = 20) -> Saved:
    append(log, header() + rows(range(count)))
    with following(log.parent) as follow:
        assert read_on(follow) == header() + rows(range(count))
        return ended(follow, tmp_path)


def compress(path: Path, *, how: str = "gz", keep: bool = False) -> Path:
    """Compress a file as gzip and zstd do: under another name, with its times, and only then remove it."""
    packed = path.with_name(f"{path.name}.{how}")
    data = path.read_bytes()
    unborn = packed.with_name(f"{packed.name}.unborn")
    unborn.write_bytes(gzip.compress(data) if how == "gz" else zstandard.compress(data))
    shutil.copystat(path, unborn)
    unborn.rename(packed)
    if not keep:
        path.unlink()
    return packed


class Rotator:
    """Writes dns.log in a folder; every line is written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "dns.log"
        self._half = b""
        self._number = 0
        self._rotations = 0
        self.files: list[list[bytes]] = []
        self._open()

    @property
    def written(self) -> list[bytes]:
        return [line for file in self.files for line in file]

    def do(self, step: str) -> None:
        if step == "half":
            if not self._half:
                line = self._next()
                append(self._log, line[:20])
                self._half = line[20:]
            return
        append(self._log, self._half)
        self._half = b""
        if step in ("line", "lines"):
            for _ in range(40 if step == "lines" else 1):
                append(self._log, self._next())
        else:
            steps: dict[str, Callable[[], object]] = {
                "rotate": lambda: self._rotate(f"dns.{self._rotations}.log"),
                "rotate-logrotate": lambda: self._rotate(f"dns.log.{self._rotations}"),
                "rotate-dated": lambda: self._rotate(f"2026-01-{self._rotations:02d}/dns.log"),
                "copytruncate": self._copytruncate,
                "compress": self._compress,
                "rest": lambda: None,
            }
            steps[step]()

    def delete_rotated(self) -> None:
        for path in self._rotated():
            path.unlink()

    def _rotate(self, name: str) -> None:
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        self._log.rename(path)
        self._open()

    def _copytruncate(self) -> None:
        shutil.copy2(self._log, self._folder / f"dns.log.{self._rotations}")
        os.truncate(self._log, 0)
        self._open()

    def _compress(self) -> None:
        for number, path in enumerate(self._rotated()):
            if path.suffix not in (".gz", ".zst"):
                compress(path, how="gz" if number % 2 else "zst")

    def _rotated(self) -> list[Path]:
        return sorted(path for path in self._folder.rglob("*dns.*") if path.is_file() and path != self._log)

    def _open(self) -> None:
        append(self._log, header(self._rotations))
        self.files.append([])
        self._rotations += 1

    def _next(self) -> bytes:
        line = row(self._number)
        self._number += 1
        self.files[-1].append(line)
        return line
