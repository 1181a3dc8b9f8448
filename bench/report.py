"""One table of what was measured."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.fresh import Memory
from bench.rates import Rate
from bench.shares import Shares
from bench.trails import Cost

_MEGA = 1_000_000
_SHOWN = 0.01  # Microseconds a row.


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run measured. `starts` are seconds from the start of a process to its first match."""

    cost: Cost
    rates: Sequence[Rate]
    starts: Sequence[float]
    memory: Memory | None
    shares: Sequence[Shares] = ()


def show(report: Report) -> None:
    table = Table("what", "rows/s of CPU", "MB/s", "events", title=f"{report.cost.trails:,} trails")
    for column in table.columns[1:]:
        column.justify = "right"
    for rate in report.rates:
        speed = f"{rate.rows_a_second:,.0f}"
        megabytes = f"{rate.rows_a_second * rate.bytes_a_row / _MEGA:,.0f}"
        events = "" if rate.yardstick else f"{rate.events:,}"
        table.add_row(rate.name, speed, megabytes, events, style="dim" if rate.yardstick else None)
    table.add_section()
    for name, value in _facts(report):
        table.add_row(name, value)
    Console(width=100).print(table)
    if report.shares:
        Console(width=100).print(_shared(report.shares))


def _shared(shares: Sequence[Shares]) -> Table:
    """Tell what heuristics cost the loop: all of them, and the dearest by themselves."""
    table = Table("what", "rows/s without", "rows/s with", "speed kept", "us a row of each", title="heuristics")
    for column in table.columns[1:4]:
        column.justify = "right"
    for one in shares:
        each = [f"{name} {seconds * _MEGA:.2f}" for name, seconds in one.each.items() if seconds * _MEGA >= _SHOWN]
        table.add_row(one.name, f"{one.without:,.0f}", f"{one.with_all:,.0f}", f"{one.kept:.0%}", ", ".join(each))
    return table


def _facts(report: Report) -> list[tuple[str, str]]:
    cost = report.cost
    facts = [
        ("compiling, from text", f"{cost.cpu_seconds:.1f} s"),
        ("compiling, memory at its peak", f"{cost.peak_bytes / _MEGA:,.0f} MB"),
        ("the set on disk", f"{cost.bytes / _MEGA:,.1f} MB"),
    ]
    if report.memory is not None:
        facts += [
            ("opening the set, checksum and all", f"{report.memory.opening_seconds * 1_000:,.0f} ms"),
            ("start of a process to its first match", f"{statistics.median(report.starts):.2f} s"),
            ("memory of that process after all rows", f"{report.memory.resident / _MEGA:,.0f} MB"),
            ("of it private", f"{report.memory.private / _MEGA:,.0f} MB"),
        ]
    return facts
