"""How each log of each sensor is doing: counted here, kept in the store, served by the API."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ingest.follow import Followed, Refusal
from ingest.logtypes import log_of_file
from ingest.stretch import Stretch
from ingest.tail import shown
from stores.contract import SensorStatus

UNRECOGNISED = "not recognised as a log of Zeek or Suricata"


def now() -> int:
    """Give the time in microseconds since the epoch."""
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Counts:
    records: int = 0
    matches: int = 0
    unreadable: int = 0
    lost: int = 0
    last_record: int | None = None
    last_read: int | None = None


class Heartbeats:
    """Counters by sensor and log; rotated files of one log are one."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Counts] = {}

    def note(self, followed: Followed, stretch: Stretch) -> None:
        counts = self._counts.setdefault(_key(followed), _Counts())
        counts.records += stretch.records
        counts.matches += sum(event.count for event in stretch.events)
        counts.unreadable += len(stretch.bad_lines)
        counts.last_read = now()
        if stretch.last_time is not None:
            counts.last_record = max(stretch.last_time, counts.last_record or 0)

    def statuses(
        self, followed: Collection[Followed], refused: Collection[Refusal], problem: str | None
    ) -> list[SensorStatus]:
        """Give the present state of every log that was seen since the start."""
        lags: dict[tuple[str, str], int] = {}
        problems: dict[tuple[str, str], str] = {}
        for file in followed:
            key = _key(file)
            counts = self._counts.setdefault(key, _Counts())
            counts.lost += file.tail.lost
            file.tail.lost = 0
            lags[key] = lags.get(key, 0) + file.tail.lag
            if file.tail.stalled and file.tail.lag and file.tail.reader is None:
                problems[key] = f"{shown(file.tail.path)}: {UNRECOGNISED}"
        for refusal in refused:
            key = _place(refusal.sensor, refusal.folder, refusal.path)
            self._counts.setdefault(key, _Counts())
            problems[key] = refusal.reason
        moment = now()
        return [
            self._status(key, lags.get(key, 0), problem or problems.get(key), moment) for key in tuple(self._counts)
        ]

    def _status(self, key: tuple[str, str], lag: int, problem: str | None, moment: int) -> SensorStatus:
        sensor, path = key
        counts = self._counts[key]
        return SensorStatus(
            sensor=sensor,
            log=log_of_file(path),
            path=path,
            records=counts.records,
            matches=counts.matches,
            unreadable=counts.unreadable,
            lag_bytes=lag,
            lost_bytes=counts.lost,
            last_record=counts.last_record,
            last_read=counts.last_read,
            updated=moment,
            problem=problem,
        )


def _key(followed: Followed) -> tuple[str, str]:
    return _place(followed.tail.sensor, followed.folder, followed.tail.path)


def _place(sensor: str, folder: Path, path: Path) -> tuple[str, str]:
    """Give sensor and path under which all files of one log are counted, rotated ones too."""
    if path == folder:
        return sensor, shown(path)
    return sensor, shown(folder / f"{log_of_file(path.name) or path.stem}{path.suffix}")
