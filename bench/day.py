"""Replay a day at high speed, rotated every hour, and watch the memory of the process that reads it.

python -m bench.day                         50 million rows; takes some minutes, and 1 GB of disk at a time
python -m bench.day --days 3                three such days, one after the other
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bulk import Hour, hours
from bench.live import show
from bench.running import Running, cpu_seconds, memory, running, trail_set

HOURS = 24
KEPT = 2  # Rotated files of each log that are left lying, as an archive job would.
_MOST_BEHIND = 64_000_000  # Bytes that the writer may be ahead of the reader.


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes of the reading process at one moment of an hour."""

    hour: int
    resident: int
    private: int


class Day:
    """Writes three logs hour by hour, never far ahead of the reader."""

    def __init__(self, process: Running, made: Sequence[Hour], days: int) -> None:
        self._process = process
        self._pid = process.pids()[0]
        self._made = made
        self.hours = HOURS * days
        self.samples: list[Sample] = []

    def live(self) -> None:
        for hour in range(self.hours):
            for log in self._made:
                self._append(log, log.head)
            for steps in zip(*(log.steps for log in self._made), strict=True):
                for log, step in zip(self._made, steps, strict=True):
                    self._append(log, step.again(hour))
                self._wait(hour, _MOST_BEHIND)
            self._rotate(hour)
        self._wait(self.hours - 1, 0)

    def _append(self, log: Hour, data: bytes) -> None:
        with (self._process.logs / f"{log.log}.log").open("ab", buffering=0) as file:
            file.write(data)

    def _rotate(self, hour: int) -> None:
        logs = self._process.logs
        for log in self._made:
            (logs / f"{log.log}.log").rename(logs / f"{log.log}.{hour:02d}.log")
            (logs / f"{log.log}.{hour - KEPT:02d}.log").unlink(missing_ok=True)

    def _wait(self, hour: int, behind: int) -> None:
        """Wait until the reader is no more than so many bytes behind; look at its memory meanwhile."""
        while True:
            resident, private = memory(self._pid)
            self.samples.append(Sample(hour, resident, private))
            if self._process.lag() <= behind:
                return
            time.sleep(0.2)


def _of_hour(samples: Sequence[Sample], hour: int) -> str:
    mine = [sample for sample in samples if sample.hour == hour]
    resident = statistics.median(sample.resident for sample in mine)
    private = statistics.median(sample.private for sample in mine)
    most = max(sample.resident for sample in mine)
    return f"{resident / 1e6:.0f} MB ({private / 1e6:.0f} private), at most {most / 1e6:.0f} MB"


def _shown(hours: int) -> list[int]:
    """Choose the hours to be shown: the first ones, the last ones, and every twelfth."""
    return sorted({0, 1, hours - 2, hours - 1, *range(11, hours, 12)})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.day", description=__doc__)
    parser.add_argument("--trails", type=Path, help="file, folder or archive of trails; made up when not given")
    parser.add_argument("--rows", type=int, default=50_000_000, help="rows of a whole day, of three logs")
    parser.add_argument("--days", type=int, default=1, help="how many days")
    chosen = parser.parse_args()
    with TemporaryDirectory() as place:
        folder = Path(place)
        set_path, cost = trail_set(folder, chosen.trails)
        made = hours(cost, chosen.rows // HOURS // 3)
        with running(folder, set_path) as process:
            day, began, pid = Day(process, made, chosen.days), time.monotonic(), process.pids()[0]
            before = cpu_seconds(pid)
            day.live()
            took, spent = time.monotonic() - began, cpu_seconds(pid) - before
            sensors = process.ask("/api/v1/sensors")["sensors"]
    rows = sum(one["records"] for one in sensors)
    lost = sum(one["lost_bytes"] for one in sensors)
    show(
        [
            ("the day", f"{rows:,} rows read, {lost:,} bytes lost, {cost.trails:,} trails"),
            ("took", f"{took:.0f} s, {rows / took:,.0f} rows/s; {spent:.0f} s of CPU"),
            *((f"memory in hour {hour + 1}", _of_hour(day.samples, hour)) for hour in _shown(day.hours)),
        ]
    )


if __name__ == "__main__":
    main()
