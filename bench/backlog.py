"""Measure how fast a backlog is worked off, and how much of the speed of the loop alone that is.

python -m bench.backlog                                    1 GB of dns.log, conn.log and http.log
python -m bench.backlog --trails trails-static.tar.gz      with real trails; made up when not given
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bulk import Hour, hours
from bench.engine import chunks, make_engine, open_set, run
from bench.live import show
from bench.running import cpu_seconds, memory, running, trail_set

_ROWS = 200_000  # Rows of each log that are made up; more are these again with other ids, times and names.
_CHUNK = 1_048_576  # Bytes that `trailhound run` reads of one file at once when there is a backlog.
_LOOK = 0.1
_PATIENCE = 3_600.0


def write(folder: Path, made: Sequence[Hour], size: int) -> dict[str, tuple[int, int]]:
    """Write logs of about `size` bytes together; give bytes and rows of each."""
    folder.mkdir(parents=True)
    written = {}
    for hour in made:
        with (folder / f"{hour.log}.log").open("wb") as file:
            file.write(hour.head)
            rows = 0
            for again, step in ((again, step) for again in itertools.count() for step in hour.steps):
                if file.tell() >= size / len(made):
                    break
                file.write(step.again(again))
                rows += step.rows
            written[hour.log] = (file.tell(), rows)
    return written


def loop_rates(made: Sequence[Hour], set_path: Path, runs: int) -> dict[str, float]:
    """Measure the loop alone: rows a second of CPU of each log, the median of several runs."""
    trails = open_set(set_path)
    rates = {}
    for hour in made:
        pieces = chunks(hour.head + b"".join(hour.again(0)), _CHUNK)
        spent = []
        for _ in range(runs):
            engine, began = make_engine(trails), time.process_time()
            run(engine, "zeek-tsv", hour.log, pieces)
            spent.append(time.process_time() - began)
        rates[hour.log] = hour.rows / statistics.median(spent)
    return rates


def work_off(folder: Path, set_path: Path, size: int) -> tuple[float, float, int]:
    """Start on the backlog and wait for its end; give seconds, CPU seconds of reading, and resident bytes."""
    with running(folder, set_path) as process:
        (pid, *_), began = process.pids(), time.monotonic()
        before = cpu_seconds(pid)
        peak = 0
        sensors: list[dict[str, int]] = []
        while not sensors or any(one["lag_bytes"] for one in sensors):
            if time.monotonic() > began + _PATIENCE:
                raise ValueError(f"{size:,} bytes were not worked off in an hour")
            time.sleep(_LOOK)
            peak = max(peak, memory(pid)[0])
            sensors = process.ask("/api/v1/sensors")["sensors"]
        return time.monotonic() - began, cpu_seconds(pid) - before, peak


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.backlog", description=__doc__)
    parser.add_argument("--trails", type=Path, help="file, folder or archive of trails; made up when not given")
    parser.add_argument("--bytes", type=int, default=1_000_000_000, help="size of all logs together")
    parser.add_argument("--runs", type=int, default=3, help="runs of the loop alone; the median counts")
    chosen = parser.parse_args()
    with TemporaryDirectory() as place:
        folder = Path(place)
        set_path, cost = trail_set(folder, chosen.trails)
        made = hours(cost, _ROWS)
        written = write(folder / "logs", made, chosen.bytes)
        rates = loop_rates(made, set_path, chosen.runs)
        seconds, spent, peak = work_off(folder, set_path, chosen.bytes)
        again = loop_rates(made, set_path, chosen.runs)
    size, rows = (sum(one[place] for one in written.values()) for place in (0, 1))
    # What others do on the machine changes meanwhile, so the loop is measured before and after.
    alone = sum(number * 2 / (rates[log] + again[log]) for log, (_, number) in written.items())
    show(
        [
            ("backlog", f"{size / 1e6:,.0f} MB, {rows:,} rows, {cost.trails:,} trails"),
            ("worked off in", f"{seconds:.1f} s, {rows / seconds:,.0f} rows/s, {size / seconds / 1e6:.0f} MB/s"),
            ("CPU of reading", f"{spent:.1f} s, {rows / spent:,.0f} rows/s of CPU"),
            ("the loop alone would take", f"{alone:.1f} s, {rows / alone:,.0f} rows/s of CPU"),
            ("of the loop's speed", f"{alone / spent:.0%} by CPU, {alone / seconds:.0%} by the clock"),
            ("memory at most", f"{peak / 1e6:.0f} MB"),
        ]
    )


if __name__ == "__main__":
    main()
