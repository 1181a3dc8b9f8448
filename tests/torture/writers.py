"""Writers that do to their logs what Zeek, Suricata, logrotate and archivers do, at random moments."""

import os
import random
import shutil
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from ingest import positions
from tests.torture.ledger import Ledger, Names
from tests.torture.lines import LAYOUTS, MISS, Eve, Form, ZeekJson, ZeekTsv
from trailhound.errors import SettingsError

_PACE = 0.01  # Seconds between writes.
_BURSTS = (1, 1, 1, 2, 5, 40)
_UNREADABLE = 0.005  # Share of lines.
ROTATE = (0.4, 4.0)  # Seconds between two rotations, at least and at most.
_READ_WITHIN = 4.0  # Seconds to wait for a file to be read before it is cut.


class Writer(threading.Thread, ABC):
    """Writes one log, in whole and half lines, and rotates it now and then."""

    def __init__(self, who: str, path: Path, form: Form, chance: random.Random, names: Names) -> None:
        super().__init__(name=who)
        self.ledger = Ledger(who)
        self.path = path
        self._form = form
        self._chance = chance
        self._names = names
        self._number = 0
        self._finished = threading.Event()
        self._archivers: list[threading.Thread] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._write_on()
        except Exception as error:  # noqa: BLE001 - the test that started it is told
            self.failure = error

    def _write_on(self) -> None:
        self.begin()
        due = self._next_rotation()
        while not self._finished.wait(_PACE):
            self._write(self._lines(self._chance.choice(_BURSTS)))
            if time.monotonic() > due:
                self.rotate()
                due = self._next_rotation()

    def finish(self) -> None:
        """Write no more, and wait for whatever still archives."""
        self._finished.set()
        self.join()
        for archiver in self._archivers:
            archiver.join()

    @abstractmethod
    def begin(self) -> None:
        """Open the log, anew after each rotation."""

    @abstractmethod
    def rotate(self) -> None: ...

    def _next_rotation(self) -> float:
        return time.monotonic() + self._chance.uniform(*ROTATE)

    def _lines(self, number: int) -> bytes:
        ledger = self.ledger
        lines = b""
        for _ in range(number):
            self._number += 1
            ledger.lines += 1
            if self._chance.random() < _UNREADABLE:
                mark = f"unreadable-{ledger.who}-{self._number}"
                ledger.unreadable.append(mark)
                lines += self._form.broken(mark)
                continue
            name = self._names.draw()
            lines += self._form.line(self._number, name or MISS)
            if name:
                ledger.trails[name] += 1
        return lines

    def _write(self, lines: bytes) -> None:
        """Append in one go or in halves, now and then with a long pause between them."""
        cut = self._chance.randrange(len(lines))
        draw = self._chance.random()
        with self.path.open("ab", buffering=0) as file:
            if draw < 0.6:
                file.write(lines)
            else:
                file.write(lines[:cut])
                if draw > 0.99:
                    self._finished.wait(self._chance.uniform(0.2, 1.5))
                file.write(lines[cut:])
            status = os.fstat(file.fileno())
        self.ledger.note(f"wrote to {self._number} {self.path.name} inode {status.st_ino} size {status.st_size}")

    def _beside(self, what: Callable[[], None]) -> None:
        """Do something in a while, when the writer has long gone on."""
        pause = self._chance.uniform(0, 2)

        def later() -> None:
            time.sleep(pause)
            try:
                what()
            except Exception as error:  # noqa: BLE001 - as above
                self.failure = error

        archiver = threading.Thread(target=later)
        archiver.start()
        self._archivers.append(archiver)

    def _compress(self, path: Path) -> None:
        command = self._chance.choice((["gzip", "-q"], ["zstd", "-q", "--rm"]))
        self.ledger.note(f"{command[0]} {path.name}")
        self._beside(lambda: _run([*command, str(path)]))


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def is_read(saved: Path, path: Path) -> bool:
    """Tell whether the saved positions have this file as read to its end."""
    status = path.stat()
    try:
        known = positions.load(saved)
    except SettingsError:
        return False
    return any(
        (one.device, one.inode, one.offset) == (status.st_dev, status.st_ino, status.st_size) and one.pending is None
        for one in known
    )


class ZeekWriter(Writer):
    """A dns.log behind the link `current`, rotated into dated folders, compressed or deleted when it was read."""

    def __init__(self, logs: Path, spool: Path, saved: Path, chance: random.Random, names: Names) -> None:
        form = ZeekTsv("z")
        super().__init__("zeek", logs / "current" / "dns.log", form, chance, names)
        self._tsv = form
        self._logs = logs
        self._spool = spool
        self._saved = saved
        logs.mkdir(parents=True)
        self._switch()

    def _switch(self) -> None:
        """Lead `current` to a new spool, as `zeekctl deploy` may."""
        target = self._spool / f"worker-{self.ledger.rotations}"
        target.mkdir(parents=True)
        link = self._logs / ".current"
        link.symlink_to(target)
        link.replace(self._logs / "current")

    def begin(self) -> None:
        with self.path.open("xb", buffering=0) as file:
            header = self._tsv.header(self.ledger.rotations)
            cut = self._chance.choice((len(header), self._chance.randrange(len(header))))
            file.write(header[:cut])
            file.write(header[cut:])

    def rotate(self) -> None:
        if self._chance.random() < 0.2:
            self._restart_in_place()
            return
        self.ledger.rotations += 1
        rotated = self._archive(self.path.resolve())
        if self._chance.random() < 0.2:
            # A second rotation at once, so that the file moves again before anybody looked.
            rotated = self._archive(rotated)
        if self._chance.random() < 0.3:
            self._switch()
        fate = self._chance.random()
        if fate < 0.6:
            self._compress(rotated)
        elif fate < 0.8:
            self._beside(lambda: self._delete_when_read(rotated))
        self.begin()

    def _restart_in_place(self) -> None:
        self._tsv.layout = self._chance.choice(LAYOUTS)
        self._write(self._tsv.header(self.ledger.rotations))

    def _archive(self, path: Path) -> Path:
        folder = self._logs / f"2026-01-{self.ledger.rotations // 20 % 28 + 1:02d}"
        folder.mkdir(exist_ok=True)
        rotated = folder / f"dns.{self.ledger.rotations:05d}.{time.time_ns()}.log"
        path.rename(rotated)
        self.ledger.note(f"rotated {path.name} to {rotated.name} inode {rotated.stat().st_ino}")
        return rotated

    def _delete_when_read(self, path: Path) -> None:
        until = time.monotonic() + _READ_WITHIN
        while time.monotonic() < until and not self._finished.is_set():
            if is_read(self._saved, path):
                self.ledger.note(f"deleted {path.name}")
                path.unlink()
                return
            time.sleep(0.1)


class SuricataWriter(Writer):
    """One of the files of a threaded eve.json, rotated by Suricata itself or by logrotate, with dates or numbers."""

    def __init__(self, logs: Path, thread: int, chance: random.Random, names: Names) -> None:
        super().__init__(f"suricata-{thread}", logs / f"eve.{thread}.json", Eve(thread), chance, names)
        logs.mkdir(parents=True, exist_ok=True)

    def begin(self) -> None:
        self.path.touch(exist_ok=False)

    def rotate(self) -> None:
        self.ledger.rotations += 1
        number = self.ledger.rotations
        way = self._chance.choice(("by itself", "dates", "numbers", "numbers"))
        if way == "by itself":  # Into a name that is followed too.
            rotated = self.path.with_name(f"{self.path.stem}-{number:05d}.json")
        elif way == "dates":
            rotated = self.path.with_name(f"{self.path.name}-20260101-{number:05d}")
        else:
            self._move_on()
            rotated = self._numbered(1)
        with self.path.open("ab", buffering=0) as still:
            self.path.rename(rotated)
            # Suricata writes on into the renamed file until logrotate has told it.
            still.write(self._lines(self._chance.randrange(1, 10)))
        self.ledger.note(f"rotated to {rotated.name} inode {rotated.stat().st_ino}")
        if way != "numbers" and self._chance.random() < 0.5:
            self._compress(rotated)
        self.begin()

    def _numbered(self, number: int, ending: str = "") -> Path:
        return self.path.with_name(f"{self.path.name}.{number}{ending}")

    def _move_on(self) -> None:
        """Give every rotated file the next number and compress what has the second, as `delaycompress` does."""
        for number in range(self.ledger.rotations, 0, -1):
            for ending in ("", ".gz"):
                path = self._numbered(number, ending)
                if path.exists():
                    path.rename(self._numbered(number + 1, ending))
        if self._numbered(2).exists():
            self.ledger.note(f"gzip {self._numbered(2).name} inode {self._numbered(2).stat().st_ino}")
            _run(["gzip", "-q", str(self._numbered(2))])


class CopyingWriter(Writer):
    """A log that is copied and cut (copytruncate), but only when all in it was read: else lines would be lost."""

    def __init__(self, logs: Path, saved: Path, chance: random.Random, names: Names) -> None:
        super().__init__("copying", logs / "dns.log", ZeekJson("c"), chance, names)
        self._saved = saved
        logs.mkdir(parents=True)

    def begin(self) -> None:
        self.path.touch(exist_ok=False)

    def rotate(self) -> None:
        until = time.monotonic() + _READ_WITHIN
        while not is_read(self._saved, self.path):
            if time.monotonic() > until or self._finished.wait(0.05):
                return
        self.ledger.rotations += 1
        shutil.copyfile(self.path, self.path.with_name(f"dns.log.{self.ledger.rotations}"))
        os.truncate(self.path, 0)
        self.ledger.note(f"cut inode {self.path.stat().st_ino}")


def all_writers(logs: Path, spool: Path, saved: Path, seed: int) -> list[Writer]:
    """Make one writer of each kind, two of Suricata. `saved` are the positions that tell what was read."""
    chances = [random.Random(f"{seed} {place}") for place in range(4)]
    names = [Names(chance, place, len(chances)) for place, chance in enumerate(chances)]
    return [
        ZeekWriter(logs / "zeek", spool, saved, chances[0], names[0]),
        SuricataWriter(logs / "suricata", 1, chances[1], names[1]),
        SuricataWriter(logs / "suricata", 2, chances[2], names[2]),
        CopyingWriter(logs / "copied", saved, chances[3], names[3]),
    ]
