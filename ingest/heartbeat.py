"""How each log of each sensor is doing: counted here, kept in the store, served by the API."""

import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.clocks import Skew
from ingest.follow import Followed, Refusal
from ingest.logtypes import log_of_file
from ingest.stretch import Stretch
from ingest.tail import shown
from ingest.watch import unrotated
from stores.contract import SensorStatus
from trailhound.record import MICROSECONDS
from trailhound.watching import Folder, Logs

UNRECOGNISED = "not recognised as a log of Zeek or Suricata"
FORGET = 7 * 86_400 * MICROSECONDS  # After a week without a record, a log is no longer reported; its counts are kept.
_HALF_LIFE = 7 * 86_400 * MICROSECONDS  # In which the memory of a long gap between records fades by half.
_USUAL = 2  # A log is silent after so many times the gap that is usual for it.
_Key = tuple[str, str]


def now() -> int:
    """Give the time in microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Counts:
    seen: int
    records: int = 0
    matches: int = 0
    unreadable: int = 0
    lost: int = 0
    retries: int = 0
    last_record: int | None = None
    last_read: int | None = None
    usual_gap: int = 0
    is_ours: bool = False  # Something was read since the start, so that gaps are those of the log and not of ours.
    skew: Skew = field(default_factory=Skew)

    def learn(self, moment: int) -> None:
        """Take in that records came at this moment.

        Gaps are learnt slowly, so that one failure of a sensor does not pass for its habit, and are forgotten slowly.
        """
        if self.last_read is not None and self.is_ours:
            gap = max(0, moment - self.last_read)
            faded = int(self.usual_gap * 0.5 ** (gap / _HALF_LIFE))
            self.usual_gap = faded + max(0, gap - faded) // 4
        self.last_read = moment
        self.is_ours = True


@dataclass(slots=True)
class _Now:
    """What is the matter with a log at one moment."""

    lag: int = 0
    behind: float = 0.0
    problem: str | None = None


class Heartbeats:
    """Counters by sensor and log, which go on from those in the store; rotated files of one log are one."""

    def __init__(self, logs: Logs | None = None, *, clock: Callable[[], int] = now) -> None:
        self.logs = logs or Logs()
        self._clock = clock
        self._ends: dict[tuple[int, int], tuple[int, int]] = {}  # By file: bytes left at its end, and when.
        self._counts: dict[_Key, _Counts] = {}

    def recall(self, known: Iterable[SensorStatus]) -> None:
        """Go on from what earlier runs have counted."""
        for status in known:
            counts = self._of((status.sensor, status.path))
            counts.seen = min(counts.seen, status.updated)
            counts.records += status.records
            counts.matches += status.matches
            counts.unreadable += status.unreadable
            counts.lost += status.lost_bytes
            counts.retries += status.retries
            counts.last_record = max(counts.last_record or 0, status.last_record or 0) or None
            counts.last_read = counts.last_read or status.last_read
            counts.usual_gap = max(counts.usual_gap, status.usual_gap)

    def note(self, followed: Followed, stretch: Stretch, *, live: bool = False) -> None:
        """Count a stretch that is done; `live` says that its file had been read to the end before."""
        moment = self._clock()
        counts = self._of(_key(followed))
        counts.records += stretch.records
        counts.matches += sum(event.count for event in stretch.events)
        counts.unreadable += len(stretch.bad_lines)
        counts.learn(moment)
        if stretch.last_time is not None:
            counts.last_record = max(stretch.last_time, counts.last_record or 0)
            counts.skew.note(stretch.last_time, moment, live=live, limit=self._max_skew)

    def at_end(self, followed: Followed) -> None:
        """Note that a file is read as far as it goes, and how much of it is left: half a line."""
        self._ends[followed.tail.key] = (followed.tail.lag, self._clock())

    def retried(self, followed: Followed) -> None:
        """Count that a stretch has to be given to the store once more."""
        self._of(_key(followed)).retries += 1

    def lose(self, sensor: str, folder: Path, path: Path, lost: int) -> None:
        """Count bytes that nobody will ever read."""
        self._of(_place(sensor, folder, path)).lost += lost

    def statuses(
        self, followed: Collection[Followed], refused: Collection[Refusal], problem: str | None
    ) -> list[SensorStatus]:
        """Give the present state of every log of our folders that is there or had records within the last week."""
        moment = self._clock()
        found: dict[_Key, _Now] = {}
        open_ = {file.tail.key for file in followed}
        self._ends = {key: end for key, end in self._ends.items() if key in open_}
        for file in followed:
            self._look(file, found, moment)
        for refusal in refused:
            key = _place(refusal.sensor, refusal.folder, refusal.path)
            self._of(key)
            found.setdefault(key, _Now()).problem = refusal.reason
        for key in self._remembered(moment):
            found.setdefault(key, _Now())
        return [self._status(key, state, problem or state.problem, moment) for key, state in found.items()]

    def _look(self, file: Followed, found: dict[_Key, _Now], moment: int) -> None:
        tail = file.tail
        key = _key(file)
        counts = self._of(key)
        state = found.setdefault(key, _Now())
        state.lag += tail.lag
        left, ended = self._ends.get(tail.key, (0, 0))
        if tail.lag > left:
            # Whoever was at the end a moment ago cannot be further behind than that moment.
            since = max(counts.last_record or 0, ended) or counts.seen
            state.behind = max(state.behind, (moment - since) / MICROSECONDS)
        if tail.stalled and tail.lag and tail.reader is None:
            state.problem = f"{shown(tail.path)}: {UNRECOGNISED}"

    def _remembered(self, moment: int) -> Iterator[_Key]:
        """Name the logs of our folders that are not to be forgotten yet, though no file of theirs may be open."""
        for key, counts in self._counts.items():
            is_fresh = moment - (counts.last_read or counts.seen) <= FORGET
            if is_fresh and (not self.logs.folders or self._folder(key) is not None):
                yield key

    def _folder(self, key: _Key) -> Folder | None:
        """Find the folder of the settings that a log belongs to."""
        sensor, path = key
        for folder in self.logs.folders:
            place = shown(folder.path)
            # Other hosts may keep heartbeats of folders of the same name in the same store.
            if sensor == (folder.sensor or socket.gethostname()) and (
                path == place or path.startswith(f"{place.rstrip('/')}/")
            ):
                return folder
        return None

    def _of(self, key: _Key) -> _Counts:
        return self._counts.setdefault(key, _Counts(self._clock()))

    def _status(self, key: _Key, state: _Now, problem: str | None, moment: int) -> SensorStatus:
        sensor, path = key
        counts = self._counts[key]
        skew = counts.skew.at(moment, self._max_skew)
        return SensorStatus(
            sensor=sensor,
            log=log_of_file(path),
            path=path,
            records=counts.records,
            matches=counts.matches,
            unreadable=counts.unreadable,
            lag_bytes=state.lag,
            lost_bytes=counts.lost,
            last_record=counts.last_record,
            last_read=counts.last_read,
            updated=moment,
            problem=problem,
            # What has a problem need not be told to be silent, nor what has not been read to its end.
            warning=None if problem or state.behind else self._warning(key, skew, moment),
            lag_seconds=round(max(0.0, state.behind), 3),
            retries=counts.retries,
            clock_skew=skew,
            usual_gap=counts.usual_gap,
        )

    def _warning(self, key: _Key, skew: int | None, moment: int) -> str | None:
        counts = self._counts[key]
        if counts.last_record is not None and counts.last_read is not None:
            silent = moment - counts.last_read
            if (limit := self._silent_after(key)) and silent > max(limit, _USUAL * counts.usual_gap):
                return f"silent for {silent // (60 * MICROSECONDS):,} min"
        if skew is None:
            return None
        seconds = abs(skew) // MICROSECONDS
        if skew > 0:
            return f"records come from {seconds:,} s in the future: the clock of the sensor or of this host is wrong"
        return f"records come {seconds:,} s late at least: the clock of the sensor or of this host is wrong"

    @property
    def _max_skew(self) -> int:
        """Give the limit in microseconds; when clocks are not to be checked, one that nothing exceeds."""
        return int(self.logs.max_clock_skew_seconds * MICROSECONDS) or 1 << 62

    def _silent_after(self, key: _Key) -> int:
        folder = self._folder(key)
        own = folder.silent_minutes if folder is not None else None
        return int((self.logs.silent_minutes if own is None else own) * 60 * MICROSECONDS)


def _key(followed: Followed) -> _Key:
    return _place(followed.tail.sensor, followed.folder, followed.tail.path)


def _place(sensor: str, folder: Path, path: Path) -> _Key:
    """Give sensor and path under which all files of one log are counted, rotated ones too."""
    if path == folder:
        return sensor, shown(path)
    plain = path.with_name(unrotated(path.name))
    return sensor, shown(folder / f"{log_of_file(plain.name) or plain.stem}{plain.suffix}")
