"""Folding: spooled records become one compact file an hour and log, of which a window is made.

To fold a segment twice makes no difference: a record is known by all its columns. So a process may be killed at any
moment, and what the loop reads again after a crash counts once.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from ingest import past as remembered
from ingest import spool, typed
from ingest.past import HOUR, Past
from matchers.behaviour.window import NUMBERS, Window, by_category
from matchers.networks import HomeNetworks
from trailhound import canonical

_ROWS = 500_000  # Records of the spool that are folded together.
_ENDING = ".npz"
_PAST = "past.msgpack"
_SAME = 2_000_000  # Microseconds within which what two sensors write of the same ends is one flow.
_KEYS = ("id.orig_h", "id.resp_h", "id.resp_p", "query", "host", "server_name")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is kept: `hours` of records, up to the time `upto` (microseconds), `rows` of them at most.

    With `hours` None all hours are, as of an archive.
    """

    hours: float | None
    upto: int
    rows: int


@dataclass(slots=True)
class Folder:
    """A folder of folded hours. `dropped` counts records that were out of bounds."""

    path: Path
    columns: Mapping[str, Sequence[str]]
    remembers: Mapping[str, Sequence[str]]
    homes: HomeNetworks
    bounds: Bounds
    past: Past = field(default_factory=Past)
    dropped: int = 0
    _lock: int = -1

    def open(self) -> None:
        """Wait until nobody else is at work here, and read what is remembered. May raise `OSError`.

        Whoever looked before may outlive the process that it looked for, when that was killed.
        """
        self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for left in self.path.glob("*.new"):
            left.unlink()
        self.past = remembered.load(self.path / _PAST)

    def close(self) -> None:
        """Let others at it."""
        os.close(self._lock)

    def fold(self, segments: Iterable[Path]) -> None:
        """Take in segments, and remove them. May raise `OSError`."""
        builders: dict[str, typed.Builder] = {}
        done: list[Path] = []
        for segment in segments:
            for frame in spool.frames(segment):
                if frame.log in self.columns:
                    builders.setdefault(frame.log, typed.Builder(self.columns[frame.log])).add(frame)
                if sum(builder.rows for builder in builders.values()) >= _ROWS:
                    self._take(builders)
            done.append(segment)
        self._take(builders)
        self._forget()
        remembered.save(self.path / _PAST, self.past)
        for segment in done:
            segment.unlink(missing_ok=True)

    def keep_past(self) -> None:
        """Write what is remembered. May raise `OSError`."""
        remembered.save(self.path / _PAST, self.past)

    def held(self) -> int:
        """Count the bytes of all hours."""
        return sum(path.stat().st_size for path in self.path.glob(f"*{_ENDING}"))

    def extent(self) -> tuple[int, int] | None:
        """Give the times of the first and the last record, in microseconds; None when there are none."""
        hours = sorted(self._hours())
        if not hours:
            return None
        times = [self._load(path)["ts"] for hour in (hours[0], hours[-1]) for path in self._hours()[hour].values()]
        return int(min(column.min() for column in times)), int(max(column.max() for column in times))

    def window(self, start: int, end: int) -> Window:
        """Give the records from `start` up to and with `end`, the newest as far as there may be so many."""
        frames: dict[str, list[Any]] = {}
        rows = 0
        for hour, logs in sorted(self._hours().items(), reverse=True):
            if not start // HOUR <= hour <= end // HOUR:
                continue
            loaded = {log: self._load(path) for log, path in logs.items()}
            rows += sum(map(len, loaded.values()))
            if rows > self.bounds.rows and frames:
                start = max(start, (hour + 1) * HOUR)
                break
            for log, frame in loaded.items():
                frames.setdefault(log, []).append(frame)
        whole = {log: _of_window(parts, start, end) for log, parts in frames.items()}
        known: dict[tuple[str, str], Mapping[str, int]] = {}
        for name, values in self.past.first_seen.items():
            log, _, column = name.partition(" ")
            known[log, column] = {value: first for value, (first, _) in values.items()}
        return Window(
            whole,
            start,
            end,
            self.past.begun,
            self.homes,
            first_seen=known,
            sent=self.past.sent,
            found={name: times[0] for name, times in self.past.found.items()},
        )

    def _hours(self) -> Mapping[int, Mapping[str, Path]]:
        found: dict[int, dict[str, Path]] = {}
        for path in sorted(self.path.glob(f"*{_ENDING}")):
            hour, _, log = path.name.removesuffix(_ENDING).partition("-")
            if hour.isdigit():
                found.setdefault(int(hour), {})[log] = path
        return found

    def _take(self, builders: dict[str, typed.Builder]) -> None:
        for log, builder in sorted(builders.items()):
            if not builder.rows:
                continue
            frame = builder.build()
            fitting = frame[frame["ts"] <= self.bounds.upto]
            self.dropped += len(frame) - len(fitting)
            hours = fitting["ts"].to_numpy() // HOUR
            oldest = self._oldest(int(hours.max())) if len(hours) else 0
            for hour in np.unique(hours).tolist():
                if hour >= oldest:
                    self._merge(log, hour, fitting[hours == hour])
                else:
                    self.dropped += int((hours == hour).sum())
        builders.clear()

    def _oldest(self, newest: int) -> int:
        newest = max([newest, *self._hours()])
        return 0 if self.bounds.hours is None else newest - int(np.ceil(self.bounds.hours))

    def _merge(self, log: str, hour: int, new: Any) -> None:
        path = self.path / f"{hour}-{log}{_ENDING}"
        parts = [new] if not path.exists() else [self._load(path), new]
        whole = typed.joined(parts).drop_duplicates(ignore_index=True)
        if len(whole) > (most := max(self.bounds.rows // 2, 1)):
            self.dropped += len(whole) - most
            whole = whole.iloc[:most]
        self.past.see(log, self.remembers.get(log, ()), new)
        write_hour(path, whole)
        if log == "conn":
            self.past.note_sent(hour, self._sent(whole))

    def _sent(self, frame: Any) -> Mapping[str, float]:
        if not {"id.orig_h", "id.resp_h", "orig_bytes"} <= {*frame.columns}:
            return {}

        def is_home(text: str) -> bool:
            address = canonical.address(text)
            return address is not None and self.homes.is_home(address)

        leaves = by_category(frame["id.orig_h"], is_home) & ~by_category(frame["id.resp_h"], is_home)
        sums = frame[leaves].groupby("id.orig_h", observed=True)["orig_bytes"].sum()
        return {str(address): float(total) for address, total in sums.items()}

    def _forget(self) -> None:
        """Remove the hours that are out of the window, and the oldest as long as there are too many records."""
        hours = self._hours()
        if not hours:
            return
        self.past.forget((max(hours) + 1) * HOUR)
        oldest = self._oldest(max(hours))
        for hour in sorted(hours):
            if hour < oldest:
                for path in hours[hour].values():
                    path.unlink(missing_ok=True)

    def _load(self, path: Path) -> Any:
        return _read(path)


def write_hour(path: Path, frame: Any) -> None:
    """Write the records of an hour in one step. May raise `OSError`."""
    arrays: dict[str, Any] = {}
    for name in frame.columns:
        if name == "ts" or name in NUMBERS:
            arrays[name] = frame[name].to_numpy()
        else:
            column = frame[name].cat.remove_unused_categories().cat
            arrays[name] = column.codes.to_numpy()
            arrays[f"{name}|"] = np.frombuffer(msgspec.msgpack.encode(list(column.categories)), np.uint8)
    unborn = path.with_name(f"{path.name}.new")
    with unborn.open("wb") as file:
        np.savez(file, **arrays)
    unborn.replace(path)


def _read(path: Path) -> Any:
    columns: dict[str, Any] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            if name.endswith("|"):
                continue
            columns[name] = arrays[name]
            if f"{name}|" in arrays.files:
                texts = msgspec.msgpack.decode(arrays[f"{name}|"].tobytes(), type=list[str])
                columns[name] = pd.Categorical.from_codes(columns[name], pd.Index(texts, dtype=object))
    return pd.DataFrame(columns)


def _of_window(parts: Sequence[Any], start: int, end: int) -> Any:
    frame = typed.joined(reversed(parts))
    times = frame["ts"].to_numpy()
    if not (len(times) and bool(np.all(times[1:] >= times[:-1]))):
        frame = frame.iloc[np.argsort(times, kind="stable")].reset_index(drop=True)
        times = frame["ts"].to_numpy()
    if len(times) and (times[0] < start or times[-1] > end):
        frame = frame[(times >= start) & (times <= end)].reset_index(drop=True)
    return once(frame) if len(frame["sensor"].cat.categories) > 1 else frame


def once(frame: Any) -> Any:
    """Leave out what a second sensor saw of the same: of each pair of ends, the sensor that saw most is believed."""
    keys = [name for name in _KEYS if name in frame.columns]
    numbers = frame.groupby(keys, observed=True, dropna=False, sort=False).ngroup().to_numpy()
    sensors = frame["sensor"].cat.codes.to_numpy()
    counts = pd.DataFrame({"key": numbers, "sensor": sensors}).value_counts(sort=False).reset_index()
    counts = counts.sort_values(["key", "count", "sensor"], ascending=[True, False, True])
    best = counts.drop_duplicates("key").set_index("key")["sensor"]
    is_main = best.loc[numbers].to_numpy() == sensors
    if bool(is_main.all()):
        return frame
    rows = pd.DataFrame({"row": np.arange(len(frame)), "key": numbers, "ts": frame["ts"].to_numpy()})
    beside = pd.merge_asof(
        rows[~is_main],
        rows[is_main].assign(main=True)[["key", "ts", "main"]],
        on="ts",
        by="key",
        direction="nearest",
        tolerance=_SAME,
    )
    twice = beside["row"][beside["main"].notna()].to_numpy()
    return frame.drop(index=twice).reset_index(drop=True)


def steps(extent: tuple[int, int], hours: float) -> Iterator[tuple[int, int]]:
    """Cut a time into windows one after the other, the last of them ending with it."""
    start, last = extent
    length = int(hours * HOUR)
    while start <= last:
        yield start, min(start + length - 1, last)
        start += length
