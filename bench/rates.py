"""How many rows a second of CPU pass, and what they would with less done to them."""

import contextlib
import io
import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zat.zeek_log_reader import ZeekLogReader

from bench.engine import chunks, make_engine, run
from matchers.trailset import TrailSet

LIVE = 65_536  # Bytes that come in at once on a busy sensor.
ZAT_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """Rows a second of CPU of one core, the median of several runs. `yardstick` is what it is compared with."""

    name: str
    rows: int
    events: int
    bytes_a_row: float
    rows_a_second: float
    yardstick: bool = False


def of_engine(name: str, trails: TrailSet, format_: str, log: str, data: bytes, runs: int) -> list[Rate]:
    """Measure the real path, as archives are read and as live logs are."""
    rates = []
    for way, pieces in (("", chunks(data)), (", live", chunks(data, LIVE))):
        seconds, (rows, events) = _median(partial(_cold, trails, format_, log, pieces), runs)
        rates.append(Rate(f"{name}{way}", rows, events, len(data) / rows, rows / seconds))
    return rates


def _cold(trails: TrailSet, format_: str, log: str, pieces: list[bytes]) -> tuple[int, int]:
    return run(make_engine(trails), format_, log, pieces)


def yardsticks(name: str, data: bytes, file: Path, runs: int) -> list[Rate]:
    """Measure reading lines, splitting them, and zat's reader of rows, without any matching."""
    rows = sum(not line.startswith(b"#") for line in data.split(b"\n")[:-1])
    width = len(data) / rows
    reading, _ = _median(lambda: (sum(len(piece.split(b"\n")) for piece in chunks(data)), 0), runs)
    splitting, _ = _median(lambda: (_split(data), 0), runs)
    with_zat, (read, _) = _median(lambda: (_zat(file), 0), 1)
    return [
        Rate(f"{name}: lines alone", rows, 0, width, rows / reading, yardstick=True),
        Rate(f"{name}: lines split alone", rows, 0, width, rows / splitting, yardstick=True),
        Rate(f"{name}: zat's rows alone", read, 0, width, read / with_zat, yardstick=True),
    ]


def _split(data: bytes) -> int:
    return sum(len([line.split(b"\t") for line in piece.split(b"\n")]) for piece in chunks(data))


def _zat(file: Path) -> int:
    with contextlib.redirect_stdout(io.StringIO()):  # It says what it reads.
        rows = ZeekLogReader(str(file)).readrows()
        return sum(1 for _ in itertools.islice(rows, ZAT_ROWS))


def _median(work: Callable[[], tuple[int, int]], runs: int) -> tuple[float, tuple[int, int]]:
    spent, outcome = [], (0, 0)
    for _ in range(runs):
        began = time.process_time()
        outcome = work()
        spent.append(time.process_time() - began)
    return statistics.median(spent), outcome
