"""`trails`: compile, describe and question a trail set."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feeds import build
from feeds.entry import Refused
from matchers import footprint
from matchers.compile import Compiled
from matchers.trailset import TrailSet
from trailhound import canonical
from trailhound.commands import prepare
from trailhound.commands.explained import as_object, as_text
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, TrailsOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import SettingsError
from trailhound.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Compile, describe and question a trail set.")
FOUND = 1


@app.command("compile")
def compile_(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Trail files; without any, those of the settings.")
    ] = None,
    config: ConfigOption = None,
    state: StateOption = None,
    custom: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Trails of your own; else those of trails.custom.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the set.")] = None,
    starter: Annotated[
        bool | None, typer.Option(help="Add the trails that come with Trailhound; else as the settings say.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every refused line there, with its reason, as NDJSON.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compile trail files into one set.

    Examples:

      trailhound trails compile

      trailhound trails compile trails.csv intel.dat --output my.set --report refused.ndjson

      trailhound trails compile trails.csv --custom our-incidents.txt
    """
    settings = settings_of(config, state, trails={"files": files, "custom": custom, "starter": starter})
    if output is None:
        prepare.state_directory(settings)
    with Console(stderr=True).status("Compiling trails"):
        if output is None:
            compiled, refused = prepare.compile_own(settings)
        else:
            built = build.compile_all(settings, output, feeds=not files)
            compiled, refused = built.compiled, built.refused
    if report is not None:
        _write_report(report, refused)
    if as_json:
        typer.echo(json.dumps(_compiled_as_object(compiled, len(refused))))
        return
    _print_compiled(compiled, len(refused), settings.trails.expired_days)
    for item in refused[: 0 if report else 10]:
        typer.echo(visible(f"  refused: {item.source}, line {item.line}: {item.value[:80]!r}: {item.reason}"))
    if len(refused) > 10 and report is None:
        typer.echo("  ... all of them with --report FILE")


def _compiled_as_object(compiled: Compiled, refused: int) -> dict[str, Any]:
    return {
        "path": str(compiled.path),
        "trails": compiled.trails,
        "merged": compiled.merged,
        "refused": refused,
        "custom": compiled.custom,
        "expired": compiled.expired,
        "bytes": compiled.bytes,
        "checksum": compiled.checksum,
        "by_kind": dict(compiled.by_kind),
        "by_class": dict(compiled.by_class),
    }


def _print_compiled(compiled: Compiled, refused: int, expired_days: int) -> None:
    typer.echo(f"{compiled.trails:,} trails in {compiled.path} ({compiled.bytes / 1e6:.1f} MB)")
    typer.echo(f"{compiled.merged:,} listed more than once and merged, {refused:,} refused")
    if compiled.custom:
        typer.echo(f"{compiled.custom:,} are your own")
    if compiled.expired:
        kept = f"kept for records of before, up to {expired_days} days (trails.expired_days)"
        typer.echo(f"{compiled.expired:,} have expired and are {kept}")


def _write_report(path: Path, refused: list[Refused]) -> None:
    try:
        with path.open("w", encoding="utf-8") as file:
            for item in refused:
                entry = {"source": item.source, "line": item.line, "value": item.value, "reason": item.reason}
                file.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise SettingsError(f"{path}: the report cannot be written: {error.strerror}") from error


@app.command()
def info(
    config: ConfigOption = None,
    state: StateOption = None,
    trail_set: Annotated[Path | None, typer.Option("--set", help="A compiled set; else that of the settings.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the trails of a set by kind, class and source, and say what it takes of memory.

    Examples:

      trailhound trails info

      trailhound trails info --set my.set --json
    """
    trails = _open(settings_of(config, state, trails={"set": trail_set}))
    now = int(time.time())
    expired = sum(count for facts, count in trails.shared_facts() if facts.expires is not None and facts.expires < now)
    if as_json:
        typer.echo(json.dumps(_info_as_object(trails, expired)))
        return
    about, size = trails.about, footprint.measure(trails)
    built = datetime.fromtimestamp(about.built, UTC).strftime("%Y-%m-%d %H:%M UTC") if about.built else "unknown"
    typer.echo(f"{about.trails:,} trails in {trails.path} ({size.file / 1e6:.1f} MB), made {built}")
    typer.echo(f"{about.custom:,} are your own, {expired:,} have expired and meet older records only")
    typer.echo(f"{size.a_trail:.1f} bytes a trail, in one file that all processes share")
    if size.resident is not None:
        typer.echo(f"this process has {size.resident:,} bytes of it in memory, {size.own:,} of them for itself alone")
    for title, unit, counts in (
        ("kind", "trails", about.by_kind),
        ("class", "trails", about.by_class),
        ("source", "trails", trails.by_source()),
        ("section of the file", "bytes", size.sections),
    ):
        _print_counts(title, unit, counts)


def _info_as_object(trails: TrailSet, expired: int) -> dict[str, Any]:
    about, size = trails.about, footprint.measure(trails)
    return {
        "path": str(trails.path),
        "trails": about.trails,
        "bytes": size.file,
        "built": about.built,
        "checksum": about.checksum,
        "by_kind": about.by_kind,
        "by_class": about.by_class,
        "by_source": dict(trails.by_source()),
        "custom": about.custom,
        "expired": expired,
        "memory": {
            "sections": dict(size.sections),
            "bytes_a_trail": round(size.a_trail, 2),
            "resident": size.resident,
            "own": size.own,
        },
    }


def _print_counts(title: str, unit: str, counts: Mapping[str, int]) -> None:
    table = Table(title, unit)
    table.columns[1].justify = "right"
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        table.add_row(Text(visible(name)), f"{count:,}")
    Console().print(table)


@app.command()
def check(
    values: Annotated[list[str], typer.Argument(metavar="VALUE...", help="Names, addresses, URLs, hashes, ...")],
    config: ConfigOption = None,
    state: StateOption = None,
    trails: TrailsOption = None,
    trail_set: Annotated[Path | None, typer.Option("--set", help="A compiled set; else that of the settings.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="As from this source: exceptions may be for some.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what would be matched for a value, and why: every key that is asked for, and what keeps it from counting.

    Exit status: 0 nothing, 1 something, 2 trouble. Trails are judged as for a record of this moment.

    Examples:

      trailhound trails check www.evil.example 192.0.2.1:8443

      trailhound trails check --source 10.0.5.7 evil.example

      trailhound trails check --json 'http://evil.example/gate.php?id=1' | jq '.tried[] | select(.met)'
    """
    address = canonical.address(source) if source is not None else None
    if source is not None and address is None:
        raise SettingsError(f"--source: an address was expected, not {source!r}")
    settings = settings_of(config, state, trails={"set": trail_set, "files": trails})
    rules = prepare.engine(settings, _open(settings)).rules
    explanations = prepare.Lookup(rules).explain_whole(values, address)
    for explanation in explanations:
        lines = [json.dumps(as_object(explanation))] if as_json else map(visible, as_text(explanation))
        typer.echo("\n".join(lines))
    if any(explanation.found for explanation in explanations):
        raise typer.Exit(FOUND)


def _open(settings: Settings) -> TrailSet:
    if settings.compiles_trails:
        prepare.state_directory(settings)
    return prepare.trail_set(settings)
