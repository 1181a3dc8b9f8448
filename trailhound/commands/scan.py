"""`scan`: look through archives once."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from feeds import build
from ingest.backfill import Backfill, Stored, Waiting
from ingest.deadletters import DeadLetters
from ingest.heartbeat import now
from ingest.scan import FileReport, find_files, size_of
from trailhound.commands import behaving, prepare
from trailhound.commands.alone import alone
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, TrailsOption, settings_of
from trailhound.commands.scanners import Job, Part, scan_all
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError
from trailhound.event import Event, timestamp, to_ecs
from trailhound.matching import Trails
from trailhound.settings import Settings
from trailhound.severity import Severity

FOUND = 1
_COLOURS = {Severity.LOW: "cyan", Severity.MEDIUM: "yellow", Severity.HIGH: "red", Severity.CRITICAL: "bold red"}


@dataclass(slots=True)
class _Threat:
    """Events of one source that met one trail."""

    event: Event
    severity: Severity
    count: int = 0
    first: int = 0
    last: int = 0


@dataclass(slots=True)
class _Outcome:
    """All that a scan came to."""

    threats: dict[tuple[str | None, str, str], _Threat] = field(default_factory=dict)
    reports: list[FileReport] = field(default_factory=list)
    events: int = 0
    count: int = 0
    bytes: int = 0  # On disk, of files that had to be opened.
    seconds: float = 0.0
    stored: Stored | None = None

    def take(self, event: Event) -> None:
        key = (event.source_ip, event.trail.kind, event.trail.value)
        threat = self.threats.setdefault(key, _Threat(event, event.severity, 0, event.start, event.end))
        threat.count += event.count
        threat.first, threat.last = min(threat.first, event.start), max(threat.last, event.end)
        threat.severity = max(threat.severity, event.severity)
        self.events += 1
        self.count += event.count

    @property
    def already(self) -> tuple[int, int]:
        """Tell of how many files how many bytes had been read before."""
        read = [report.already for report in self.reports if report.already]
        return len(read), sum(read)

    def ranked(self) -> list[_Threat]:
        return sorted(self.threats.values(), key=lambda threat: (-threat.severity, -threat.count, threat.first))


def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Log files and folders; gz and zst too.")],
    config: ConfigOption = None,
    state: StateOption = None,
    trails: TrailsOption = None,
    trail_set: Annotated[
        Path | None, typer.Option("--set", help="A compiled set; else that of the settings, or of --trails.")
    ] = None,
    sensor: Annotated[str | None, typer.Option(help="Name of the sensor in events; else this host's.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, max=256, help="Processes at work; 0 for one a core.")] = 0,
    into_store: Annotated[
        bool, typer.Option("--store", help="Keep what is found in the store of the settings; read on what was begun.")
    ] = False,
    as_json: JsonOption = False,
    as_ecs: Annotated[bool, typer.Option("--ecs", help="Write every event as one ECS document a line.")] = False,
) -> None:
    """Look through log files and folders, and say what was found. Exit status: 0 nothing, 1 something, 2 trouble.

    With --trails only those trails count; without, the trails of the settings do.

    With --store events go into the store of the settings, each once: what `run` or an earlier `scan --store` has read
    of a file is not read again, though it was renamed or compressed meanwhile. Ctrl-C (exit status 130) is no harm: the
    same command goes on where it was. Not while `run` is at work on the same state directory. The sensor is that of the
    folder in the settings, unless --sensor names one.

    Examples:

      trailhound scan /opt/zeek/logs/2026-01-01

      trailhound scan --trails trails.csv --json conn.log.gz eve.json

      trailhound scan --store --config /etc/trailhound.toml /opt/zeek/logs/2026-01
    """
    if as_json and as_ecs:
        raise SettingsError("--json and --ecs: one of them was expected, since both write to standard output")
    if trails and trail_set is not None:
        raise SettingsError("--set and --trails: one of them was expected, since each says what is looked for")
    files = find_files(paths)
    with TemporaryDirectory(prefix="trailhound-scan-") as place, ExitStack() as stack:
        settings = settings_of(config, state, trails={"set": trail_set})
        if trails:
            only = Trails(files=tuple(trails), starter=False, expired_days=settings.trails.expired_days)
            compiled, refused = build.compile_trails(only, Path(place, "trails.set"))
            if not compiled.trails:
                raise SettingsError(f"{trails[0]}: there is no trail in it; {len(refused)} lines were refused")
            settings = settings_of(config, state, trails={"set": compiled.path})
        elif settings.compiles_trails:
            prepare.state_directory(settings)
        backfill = stack.enter_context(_backfill(settings)) if into_store else None
        if into_store:
            files = [path.absolute() for path in files]  # Their positions outlive this folder's being the present one.
        prepare.trail_set(settings)
        window = Path(place, "window") if behaving.is_wanted(settings) else None
        named = sensor or ("" if into_store else prepare.sensor_name())
        job = Job(settings, named, jobs, on=into_store, window=window)
        outcome = _collect(job, files, backfill, as_ecs=as_ecs)
    if as_json:
        typer.echo(json.dumps(_as_object(outcome)))
    elif not as_ecs:
        _print(outcome)
    if outcome.threats:
        raise typer.Exit(FOUND)


@contextmanager
def _backfill(settings: Settings) -> Iterator[Backfill]:
    """Open store and positions, and be the only one at them."""
    with alone(settings, "archives are scanned into its store"), closing(prepare.store(settings)) as store:
        backfill = Backfill(store, settings.positions_path, DeadLetters(settings.dead_letters_path))
        try:
            yield backfill
        except KeyboardInterrupt:
            backfill.finish()
            typer.echo("trailhound: interrupted; the same command goes on where this one was", err=True)
            raise


def _collect(job: Job, files: list[Path], backfill: Backfill | None, *, as_ecs: bool) -> _Outcome:
    outcome = _Outcome()
    letters = DeadLetters(job.settings.dead_letters_path)
    began = time.monotonic()
    if backfill is not None:
        files = _take_out_done(files, backfill, outcome)
        parts = scan_all(job, files, backfill.known)
    else:
        parts = scan_all(job, files)
    outcome.bytes = sum(map(size_of, files))
    for part in _with_progress(parts, outcome.bytes):
        if backfill is not None:
            _keep(backfill, part)
        elif part.bad_lines:
            _bury(letters, job, part)
        _show(outcome, part.events, as_ecs=as_ecs)
        if part.report is not None:
            outcome.reports.append(part.report)
    found = _behaviour(job)
    _show(outcome, found, as_ecs=as_ecs)
    if backfill is not None:
        backfill.finish()
        backfill.add(found)
        outcome.stored = backfill.stored
    outcome.seconds = time.monotonic() - began
    outcome.reports.sort(key=lambda report: report.path)
    sys.stdout.flush()
    return outcome


def _show(outcome: _Outcome, events: Sequence[Event], *, as_ecs: bool) -> None:
    for event in events:
        outcome.take(event)
        if as_ecs:
            sys.stdout.buffer.write(_as_line(event))


def _behaviour(job: Job) -> Sequence[Event]:
    """Look for what shows only over hours, when all is read."""
    if job.window is None or not job.window.exists():
        return ()
    console = Console(stderr=True)
    with console.status("Looking for behaviour") if console.is_terminal else nullcontext():
        seen = behaving.look_through_archives(job.settings, job.window)
        if not seen:
            return ()
        return behaving.events_of(seen, prepare.engine(job.settings, prepare.trail_set(job.settings)))


def _take_out_done(files: list[Path], backfill: Backfill, outcome: _Outcome) -> list[Path]:
    """Report the files that were read before and are as they were; give the others."""
    left = []
    for path in files:
        done = backfill.done(path)
        if done is None:
            left.append(path)
        else:
            outcome.reports.append(FileReport(str(path), done.format, already=done.offset))
    return left


def _keep(backfill: Backfill, part: Part) -> None:
    if part.position is None:
        return
    if part.begins:
        backfill.begin(part.path, part.position)
    else:
        backfill.take(part.path, Waiting(part.sensor, part.position, part.events, part.bad_lines))


def _as_line(event: Event) -> bytes:
    document = to_ecs(event)
    with suppress(TypeError):  # Names on disk need not be UTF-8.
        line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
        if line.isascii():
            return line
    # Slower, but a terminal finds nothing in it to obey.
    return f"{json.dumps(document)}\n".encode("ascii")


def _bury(letters: DeadLetters, job: Job, part: Part) -> None:
    path = job.settings.dead_letters_path
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        letters.write(job.sensor, str(part.path), part.bad_lines, timestamp(now()))
    except OSError as error:
        raise SettingsError(f"{path}: dead letters cannot be written: {error.strerror}") from error


def _with_progress(parts: Iterator[Part], total: int) -> Iterator[Part]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("Scanning", total=total)
        for part in parts:
            bar.update(task, advance=part.read)
            yield part


def _store_as_object(outcome: _Outcome) -> dict[str, Any]:
    if outcome.stored is None:
        return {}
    files, already = outcome.already
    return {
        "store": {
            "new": outcome.stored.new,
            "known": outcome.stored.known,
            "already_read_files": files,
            "already_read_bytes": already,
            "seconds": round(outcome.seconds, 3),
        }
    }


def _as_object(outcome: _Outcome) -> dict[str, Any]:
    return {
        "files": [
            {
                "path": report.path,
                "format": report.format,
                "records": report.records,
                "unreadable": report.unreadable,
                "skipped": report.skipped,
                "problem": report.problem,
                "already_read": report.already,
            }
            for report in outcome.reports
        ],
        "bytes": outcome.bytes,
        **_store_as_object(outcome),
        "records": sum(report.records for report in outcome.reports),
        "unreadable": sum(report.unreadable for report in outcome.reports),
        "events": outcome.events,
        "count": outcome.count,
        "threats": [
            {
                "severity": threat.severity.label,
                "source": threat.event.source_ip,
                "kind": threat.event.trail.kind.value,
                "trail": threat.event.trail.value,
                "info": threat.event.trail.info,
                "class": threat.event.trail.class_.value,
                "sources": list(threat.event.trail.sources),
                "reference": threat.event.trail.reference,
                "direction": threat.event.direction.value,
                "count": threat.count,
                "first": timestamp(threat.first),
                "last": timestamp(threat.last),
                "example": threat.event.message,
            }
            for threat in outcome.ranked()
        ],
    }


def _print(outcome: _Outcome) -> None:
    console = Console()
    if outcome.threats:
        table = Table("severity", "source", "trail", "info", "count", "first", "last", "example")
        table.columns[4].justify = "right"
        for threat in outcome.ranked():
            trail = threat.event.trail
            table.add_row(
                Text(threat.severity.label, style=_COLOURS[threat.severity]),
                threat.event.source_ip or "",
                Text(visible(trail.value)),
                Text(visible(trail.info)),
                f"{threat.count:,}",
                timestamp(threat.first)[:19],
                timestamp(threat.last)[:19],
                Text(visible(threat.event.message)),
            )
        console.print(table)
    reports = outcome.reports
    read = [report for report in reports if report.skipped is None]
    console.print(
        f"{len(read):,} files, {sum(report.records for report in read):,} records:"
        f" {len(outcome.threats):,} threats in {outcome.count:,} records"
    )
    if outcome.stored is not None:
        _print_stored(console, outcome, outcome.stored)
    unreadable = sum(report.unreadable for report in read)
    if unreadable:
        console.print(f"{unreadable:,} lines could not be read; they are with the dead letters:")
    for report in read:
        if report.unreadable:
            console.print(Text(visible(f"  {report.path}: {report.unreadable:,}")), soft_wrap=True)
        if report.problem:
            console.print(Text(visible(f"  {report.problem}")), soft_wrap=True)
    skipped = [report for report in reports if report.skipped is not None]
    if skipped:
        console.print(f"{len(skipped):,} files skipped:")
    for report in skipped:
        console.print(Text(visible(f"  {report.path}: {report.skipped}")), soft_wrap=True)


def _print_stored(console: Console, outcome: _Outcome, stored: Stored) -> None:
    files, already = outcome.already
    if files:
        console.print(f"already read: {files:,} files, {decimal(already)}")
    had = f", {stored.known:,} that the store had" if stored.known else ""
    rate = decimal(int(outcome.bytes / max(outcome.seconds, 0.001)))
    console.print(f"stored: {stored.new:,} new events{had}; {decimal(outcome.bytes)} at {rate}/s")
