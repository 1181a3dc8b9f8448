"""A live, growing folder of logs without a network: the bundled sample, played over and over with fresh times.

The folder behaves as a sensor's does: lines are appended as they happen, files are rotated (at each start-over), a
Zeek file begins with its header. Every round gives each connection a new id, so that its events are new as well.
"""

import hashlib
import math
import re
import string
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import BinaryIO

import orjson

from trailhound.errors import SettingsError, SourceError

SENSORS: Mapping[str, str] = {"zeek-demo": "zeek", "suricata-demo": "suricata"}
"""Name of each sensor of the sample -> its folder."""

BURST_SECONDS = 60.0
ROUNDS_KEPT = 2
_IDS = frozenset(
    {"uid", "fuid", "parent_fuid", "conn_uids", "cert_chain_fuids", "orig_fuids", "resp_fuids", "tunnel_parents"}
)
_ALPHABET = string.digits + string.ascii_letters
# Between the last line of a round and the first of the next, so that the two are told apart.
_PAUSE_SECONDS = 1.0
_FLOW_ID_BITS = 50


def bundled_sample() -> AbstractContextManager[Path]:
    """Open the folder of the bundled sample; it is there as long as the context is open."""
    return resources.as_file(resources.files("trailhound").joinpath("sample"))


@dataclass(frozen=True, slots=True)
class Moment:
    """How one round maps the sample's time to now, and its ids to fresh ones."""

    sample_start: float
    origin: float
    speed: float

    def time(self, at: float) -> float:
        """Move a time of the sample; both are seconds since the epoch."""
        return self.origin + (at - self.sample_start) / self.speed

    def digest(self, identifier: str) -> int:
        # The round's own start is what makes the same id another one in each round.
        return int.from_bytes(hashlib.blake2b(identifier.encode(), key=repr(self.origin).encode()[:64]).digest(), "big")

    def uid(self, identifier: str) -> str:
        """Give a fresh id that looks like Zeek's; the first letter says what it is for and stays."""
        number = self.digest(identifier)
        return identifier[:1] + "".join(_ALPHABET[number // 62**power % 62] for power in range(len(identifier) - 1))

    def flow_id(self, identifier: int) -> int:
        return self.digest(str(identifier)) >> (512 - _FLOW_ID_BITS)


@dataclass(frozen=True, slots=True)
class ZeekFile:
    """One log of the sample in Zeek's TSV form. A line's time is that of the latest row up to it."""

    path: Path
    header: tuple[str, ...]
    lines: tuple[tuple[float, str], ...]
    times: tuple[int, ...]
    ids: tuple[int, ...]

    @classmethod
    def read(cls, file: Path, path: Path) -> "ZeekFile":
        """Read a log of the sample that is to grow again at `path`."""
        text = _read(file).splitlines()
        header = tuple(line for line in text if line.startswith("#") and not line.startswith("#close"))
        named = {line.partition("\t")[0]: line.split("\t")[1:] for line in header}
        fields, types = named.get("#fields", []), named.get("#types", [])
        if not fields or len(fields) != len(types) or "ts" not in fields:
            raise SourceError(f"{file}: `#fields` and `#types` of the same length with a column `ts` were expected")
        # Dates inside a certificate are facts of that certificate and stay as they are.
        times = tuple(i for i, kind in enumerate(types) if kind == "time" and not fields[i].startswith("certificate."))
        ids = tuple(i for i, name in enumerate(fields) if name in _IDS)
        ts, rows = fields.index("ts"), [line for line in text if not line.startswith("#")]
        lines = _in_order(rows, lambda row: float(row.split("\t")[ts]), file)
        return cls(path, header, lines, times, ids)

    def opening(self, moment: Moment) -> bytes:
        opened = f"#open\t{_zeek_stamp(moment.origin)}"
        return "".join(f"{opened if line.startswith('#open') else line}\n" for line in self.header).encode()

    def closing(self, at: float) -> bytes:
        return f"#close\t{_zeek_stamp(at)}\n".encode()

    def render(self, line: str, moment: Moment) -> bytes:
        cells = line.split("\t")
        for i in self.times:
            if cells[i] != "-":
                cells[i] = f"{moment.time(float(cells[i])):.6f}"
        for i in self.ids:
            if cells[i] not in ("-", "(empty)"):
                cells[i] = ",".join(moment.uid(item) for item in cells[i].split(","))
        return ("\t".join(cells) + "\n").encode()


@dataclass(frozen=True, slots=True)
class EveFile:
    """One EVE file of the sample."""

    path: Path
    lines: tuple[tuple[float, str], ...]

    @classmethod
    def read(cls, file: Path, path: Path) -> "EveFile":
        return cls(path, _in_order(_read(file).splitlines(), _eve_time, file))

    def opening(self, moment: Moment) -> bytes:  # noqa: ARG002 - the same words as a Zeek file has
        return b""

    def closing(self, at: float) -> bytes:  # noqa: ARG002
        return b""

    def render(self, line: str, moment: Moment) -> bytes:
        event = orjson.loads(line)
        _shift(event, ("timestamp",), moment)
        if isinstance(event.get("flow"), dict):
            _shift(event["flow"], ("start", "end"), moment)
        for name in ("flow_id", "parent_id"):
            if name in event:
                event[name] = moment.flow_id(event[name])
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


LogFile = ZeekFile | EveFile


class Replay:
    """Plays a sample into `target` as a live, growing folder: `target/zeek/*.log`, `target/suricata/eve.json`.

    `speed` says how many times faster than it was recorded the sample is played. `clock` gives seconds since the epoch;
    `wait` waits for an event for at most so many seconds and tells whether it is set. Raises `SettingsError` for a
    speed that is no positive number, `SourceError` for a sample that is missing or damaged.
    """

    def __init__(
        self,
        sample: Path,
        target: Path,
        *,
        speed: float = 1.0,
        clock: Callable[[], float] = time.time,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        if not (math.isfinite(speed) and speed > 0):
            raise SettingsError(f"the demo: speed = {speed}: a finite number above 0 was expected")
        self._target, self._speed, self._clock, self._wait = target, speed, clock, wait
        self._files = _read_sample(sample, target)
        lines = [(at, file, line) for file in self._files for at, line in file.lines]
        self._schedule: Sequence[tuple[float, LogFile, str]] = sorted(lines, key=lambda entry: entry[0])
        self._start, self._end = self._schedule[0][0], self._schedule[-1][0]

    def run(self, stop: threading.Event) -> None:
        """Play rounds until `stop` is set. The first minute of the sample comes at once, as if it had just passed.

        Raises `SourceError` when the target cannot be written.
        """
        try:
            self._rounds(stop)
        except OSError as error:
            raise SourceError(f"{self._target}: the demo cannot write its logs there: {error}") from error

    def _rounds(self, stop: threading.Event) -> None:
        for file in self._files:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            _rotate(file.path, file.path.stat().st_mtime if file.path.exists() else 0.0)
        origin = self._clock() - BURST_SECONDS / self._speed
        while not stop.is_set():
            moment = Moment(self._start, origin, self._speed)
            self._play(moment, stop)
            # From the clock, not from the plan: a host that slept must not catch up on rounds that nobody saw.
            origin = self._clock()
            if not stop.is_set():
                for file in self._files:
                    _rotate(file.path, moment.origin)

    def _play(self, moment: Moment, stop: threading.Event) -> None:
        with ExitStack() as stack:
            streams = {file.path: stack.enter_context(file.path.open("ab")) for file in self._files}
            for file in self._files:
                _put(streams[file.path], file.opening(moment))
            for at, file, line in self._schedule:
                if not self._wait_until(moment.time(at), stop):
                    return
                _put(streams[file.path], file.render(line, moment))
            self._wait_until(moment.time(self._end) + _PAUSE_SECONDS / self._speed, stop)
            for file in self._files:
                _put(streams[file.path], file.closing(self._clock()))

    def _wait_until(self, due: float, stop: threading.Event) -> bool:
        """Wait for a moment; tell whether playing goes on."""
        while (left := due - self._clock()) > 0:
            if self._wait(stop, left):
                return False
        return not stop.is_set()


def _read_sample(sample: Path, target: Path) -> tuple[LogFile, ...]:
    files: list[LogFile] = []
    for folder in SENSORS.values():
        zeek, eve = sorted((sample / folder).glob("*.log")), sorted((sample / folder).glob("*.json"))
        files.extend(ZeekFile.read(file, target / folder / file.name) for file in zeek)
        files.extend(EveFile.read(file, target / folder / file.name) for file in eve)
    files = [file for file in files if file.lines]
    if not files:
        raise SourceError(f"{sample}: the folders zeek/ and suricata/ with the logs of a sample were expected")
    return tuple(files)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: this log of the sample cannot be read: {error}") from error


def _in_order(rows: Sequence[str], time_of: Callable[[str], float], file: Path) -> tuple[tuple[float, str], ...]:
    """Give each row the latest time up to it: Zeek and Suricata write a connection when it ends, not when it began."""
    latest, timed = -math.inf, []
    for number, row in enumerate(rows, 1):
        try:
            latest = max(latest, time_of(row))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise SourceError(f"{file}: row {number} of the sample has no time that can be read") from error
        timed.append((latest, row))
    return tuple(timed)


def _eve_time(row: str) -> float:
    return datetime.fromisoformat(orjson.loads(row)["timestamp"]).timestamp()


def _shift(event: dict[str, object], names: Sequence[str], moment: Moment) -> None:
    for name in names:
        if isinstance(text := event.get(name), str):
            shifted = datetime.fromtimestamp(moment.time(datetime.fromisoformat(text).timestamp()), UTC)
            event[name] = f"{shifted:%Y-%m-%dT%H:%M:%S.%f%z}"


def _zeek_stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d-%H-%M-%S}"


def _put(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)
    stream.flush()


def _rotate(path: Path, opened: float) -> None:
    """Rename a log after the moment it was opened at, as sensors do, and delete its rounds that are too old."""
    if path.exists():
        stamp = f"{datetime.fromtimestamp(opened, UTC):%Y-%m-%d-%H-%M-%S-%f}"
        path.rename(path.with_name(f"{path.stem}.{stamp}{path.suffix}"))
    ours = re.compile(rf"{re.escape(path.stem)}\.\d{{4}}(?:-\d\d){{5}}-\d{{6}}{re.escape(path.suffix)}")
    rotated = sorted(other for other in path.parent.iterdir() if ours.fullmatch(other.name))
    for old in rotated[:-ROUNDS_KEPT]:
        old.unlink()
