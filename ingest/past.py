"""What is remembered for longer than a window: when values were first seen, what hosts sent, what was found of whom."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ingest.hours import SECONDS
from matchers.behaviour.remembered import form
from trailhound.record import MICROSECONDS

HOUR = SECONDS * MICROSECONDS
FORGET = 30 * 24 * HOUR  # After which what was not seen again is new again.
SENT_HOURS = 14 * 24
SENT_BYTES = 1_000_000.0  # What a host sends abroad in an hour, at least, to be remembered: most send less.
MOST = 300_000  # Values of one column; those not seen for longest are forgotten.


class Past(msgspec.Struct):
    """All of it. Times are microseconds since the epoch; values have the time they were first and last seen.

    `first_seen` is by "log column", `found` by "behaviour key", `sent` by hour since the epoch and address.
    """

    begun: int = 0
    first_seen: dict[str, dict[str, tuple[int, int]]] = {}
    found: dict[str, tuple[int, int]] = {}
    sent: dict[int, dict[str, float]] = {}

    def see(self, log: str, columns: Iterable[str], frame: Any) -> None:
        """Take in records of an hour; to take in some again makes no difference."""
        if not len(frame):
            return
        first = int(frame["ts"].min())
        self.begun = min(self.begun or first, first)
        for column in columns:
            if column in frame.columns:
                self._see(self.first_seen.setdefault(f"{log} {column}", {}), column, frame)

    def _see(self, known: dict[str, tuple[int, int]], column: str, frame: Any) -> None:
        codes, times = frame[column].cat.codes.to_numpy(), frame["ts"].to_numpy()
        size = len(frame[column].cat.categories)
        firsts, lasts = np.full(size + 1, np.iinfo(np.int64).max), np.zeros(size + 1, np.int64)
        np.minimum.at(firsts, codes, times)
        np.maximum.at(lasts, codes, times)
        for text, first, last in zip(frame[column].cat.categories, firsts.tolist(), lasts.tolist(), strict=False):
            value = form(column, text) if last else None
            if value is not None:
                before = known.get(value, (first, last))
                known[value] = (min(first, before[0]), max(last, before[1]))

    def note_sent(self, hour: int, sums: Mapping[str, float]) -> None:
        """Note what hosts sent abroad in an hour, in place of what was noted of that hour."""
        self.sent[hour] = {address: total for address, total in sums.items() if total >= SENT_BYTES}

    def note_found(self, behaviour: str, key: str, time: int) -> None:
        name = f"{behaviour} {key}"
        first, last = self.found.get(name, (time, time))
        self.found[name] = (min(first, time), max(last, time))

    def forget(self, newest: int) -> None:
        """Drop what was long ago, and what is more than may be kept."""
        since = newest - FORGET
        self.sent = {hour: sums for hour, sums in self.sent.items() if hour > newest // HOUR - SENT_HOURS}
        self.first_seen = {name: _kept(known, since) for name, known in self.first_seen.items()}
        self.found = _kept(self.found, since)


def _kept(known: dict[str, tuple[int, int]], since: int) -> dict[str, tuple[int, int]]:
    kept = {value: times for value, times in known.items() if times[1] >= since}
    if len(kept) <= MOST:
        return kept
    return dict(sorted(kept.items(), key=lambda item: (-item[1][1], item[0]))[: MOST * 3 // 4])


def load(path: Path) -> Past:
    """Read what is remembered; nothing when there is none, or when it is damaged. May raise `OSError`."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Past)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Past()


def save(path: Path, past: Past) -> None:
    """Write in one step. May raise `OSError`."""
    unborn = path.with_name(f"{path.name}.new")
    unborn.write_bytes(msgspec.msgpack.encode(past))
    unborn.replace(path)
