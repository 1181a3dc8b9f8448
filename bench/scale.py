"""Measure what more trails cost: space, time and memory, and how fast rows still pass.

python -m bench.scale                             0.1, 1.6, 5 and 10 million made-up trails
python -m bench.scale --trails 100000 1600000     as many as one likes; the first is what the others are compared with
"""

import argparse
import gc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console
from rich.table import Table

from bench import fresh, logs, rates
from bench.engine import open_set
from bench.traffic import Traffic
from bench.trails import Cost, compile_apart

NUMBERS = (100_000, 1_600_000, 5_000_000, 10_000_000)
LOGS = ("dns", "conn")
_MEGA = 1_000_000


class Point(msgspec.Struct, frozen=True):
    """What one number of trails came to. `rates` are rows a second of CPU by log."""

    cost: Cost
    start_seconds: float
    memory: fresh.Memory
    rates: dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--trails", type=int, nargs="+", default=NUMBERS, help="numbers of trails")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of each log")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement; the median counts")
    parser.add_argument("--json", type=Path, help="write the numbers to this file too")
    chosen = parser.parse_args()
    points = []
    for number in chosen.trails:
        with TemporaryDirectory() as folder:
            points.append(_measure(Path(folder), number, chosen.rows, chosen.runs))
        if chosen.json:  # After each: the next may take minutes.
            chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(points)))
    _show(points)


def _measure(folder: Path, number: int, rows: int, runs: int) -> Point:
    set_path, file = folder / "trails.set", folder / "rows.log"
    cost = compile_apart(set_path, number)
    flows = Traffic(cost.planted).flows(rows)
    gc.freeze()
    written = {log: logs.zeek_tsv(log, flows) for log in LOGS}
    file.write_bytes(written["dns"])
    trails = open_set(set_path)  # Mapped by two processes, the set is not counted as private of one.
    seconds, memory = fresh.measure(set_path, file, "zeek-tsv", "dns")
    measured = {}
    for log, data in written.items():
        archive, _ = rates.of_engine(log, trails, "zeek-tsv", log, data, runs)
        measured[log] = archive.rows_a_second
    return Point(cost, seconds, memory, measured)


def _show(points: Sequence[Point]) -> None:
    table = Table("what", *(f"{point.cost.trails:,}" for point in points), title="number of trails")
    for column in table.columns[1:]:
        column.justify = "right"
    first = points[0]
    add = partial(_add, table, points)
    add("compiling, made-up trails included", lambda point: f"{point.cost.cpu_seconds:.1f} s")
    add("compiling, memory at its peak", lambda point: f"{point.cost.peak_bytes / _MEGA:,.0f} MB")
    add("the set on disk", lambda point: f"{point.cost.bytes / _MEGA:,.1f} MB")
    add("opening the set, checksum and all", lambda point: f"{point.memory.opening_seconds * 1_000:,.0f} ms")
    add("start of a process to its first match", lambda point: f"{point.start_seconds:.2f} s")
    add("memory of that process", lambda point: f"{point.memory.resident / _MEGA:,.0f} MB")
    add("of it private", lambda point: f"{point.memory.private / _MEGA:,.0f} MB")
    for log in LOGS:
        add(f"{log} rows/s of CPU", partial(_rate, log))
        add("  to the first column", partial(_ratio, log, first))
    Console(width=110).print(table)


def _rate(log: str, point: Point) -> str:
    return f"{point.rates[log]:,.0f}"


def _ratio(log: str, first: Point, point: Point) -> str:
    return f"{point.rates[log] / first.rates[log]:.2f}"


def _add(table: Table, points: Sequence[Point], name: str, of: Callable[[Point], str]) -> None:
    table.add_row(name, *map(of, points))


if __name__ == "__main__":
    main()
