"""`rules measure`: how often each heuristic fires on logs of one's own, before it does so at night."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.scan import FileReport, find_files
from matchers.findings import SOURCE
from trailhound.commands import behaving, prepare, suspicions
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.scanners import Job, scan_all
from trailhound.commands.screen import visible
from trailhound.event import Event

SHARE = 100_000  # Records that alerts are counted by.
_WIDE = 160  # Columns.


@dataclass(slots=True)
class _Alerts:
    """What one heuristic said. `threats` are its sources with what they met."""

    events: int = 0
    threats: set[tuple[str | None, str]] = field(default_factory=set)
    example: str = ""

    def take(self, event: Event) -> None:
        self.events += 1
        self.threats.add((event.source_ip, event.trail.value))
        self.example = self.example or event.message


@dataclass(slots=True)
class Measured:
    """What became of some logs."""

    files: int = 0
    records: int = 0
    alerts: dict[str, _Alerts] = field(default_factory=dict)

    def take(self, events: Iterable[Event], report: FileReport | None) -> None:
        for event in events:
            rule = event.ecs.get("rule.name")
            if SOURCE in event.trail.sources and isinstance(rule, str) and rule in self.alerts:
                self.alerts[rule].take(event)
        if report is not None and report.skipped is None:
            self.files += 1
            self.records += report.records

    def rate(self, events: int) -> float:
        return events * SHARE / self.records if self.records else 0.0

    def ranked(self) -> list[tuple[str, _Alerts]]:
        return sorted(self.alerts.items(), key=lambda item: (-item[1].events, item[0]))


def measure(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Log files and folders; gz and zst too.")],
    config: ConfigOption = None,
    state: StateOption = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, max=256, help="Processes at work; 0 for one a core.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Count the alerts of each heuristic over logs, and per 100,000 records; nothing is stored.

    Over traffic that is known to be clean each alert is a wrong one: what to tune or to mute before it goes live. The
    settings count: what is off, muted or whitelisted is silent.

    Examples:

      trailhound rules measure /opt/zeek/logs/2026-01-01

      trailhound rules measure --json --config trial.toml /opt/zeek/logs/2026-01-01
    """
    settings = settings_of(config, state)
    prepare.state_directory(settings)
    prepare.trail_set(settings)
    measured = Measured(alerts={one.rule.name: _Alerts() for one in suspicions.standings(settings) if one.is_on})
    with TemporaryDirectory(prefix="trailhound-measure-") as place:
        window = Path(place, "window") if behaving.is_wanted(settings) else None
        for part in scan_all(Job(settings, prepare.sensor_name(), jobs, window=window), find_files(paths)):
            measured.take(part.events, part.report)
        seen = behaving.look_through_archives(settings, window) if window is not None and window.exists() else ()
        if seen:
            engine = prepare.engine(settings, prepare.trail_set(settings))
            measured.take(behaving.events_of(seen, engine), None)
    if as_json:
        typer.echo(json.dumps(_as_object(measured)))
        return
    console = Console()
    shown = console if console.is_terminal else Console(width=_WIDE)
    for line in _shown(measured):
        shown.print(line)


def _as_object(measured: Measured) -> dict[str, Any]:
    return {
        "files": measured.files,
        "records": measured.records,
        "heuristics": {
            name: {
                "events": alerts.events,
                "threats": len(alerts.threats),
                "per_100000_records": round(measured.rate(alerts.events), 2),
                "example": alerts.example,
            }
            for name, alerts in measured.ranked()
        },
    }


def _shown(measured: Measured) -> Iterator[Table | str]:
    table = Table("heuristic", "events", "threats", "per 100,000 records", "example", box=box.SIMPLE)
    for column in table.columns[1:4]:
        column.justify = "right"
    for name, alerts in measured.ranked():
        rate = f"{measured.rate(alerts.events):.1f}"
        counts = (f"{alerts.events:,}", f"{len(alerts.threats):,}", rate)
        table.add_row(name, *counts, Text(visible(alerts.example)))
    yield table
    yield f"{measured.files:,} files, {measured.records:,} records"
