"""`trails`: compile, describe and question a trail set."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.lookup import Explanation
from feeds.entry import Refused
from matchers.trailset import TrailSet
from trailhound.commands import prepare
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
    """
    settings = settings_of(config, state, trails={"files": files, "starter": starter})
    if output is None:
        prepare.state_directory(settings)
    with Console(stderr=True).status("Compiling trails"):
        if output is None:
            compiled, refused = prepare.compile_own(settings)
        else:
            made_of = settings.trails
            compiled, refused = prepare.compile_trails(made_of.files, output, starter=made_of.starter)
    if report is not None:
        _write_report(report, refused)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "path": str(compiled.path),
                    "trails": compiled.trails,
                    "merged": compiled.merged,
                    "refused": len(refused),
                    "bytes": compiled.bytes,
                    "checksum": compiled.checksum,
                    "by_kind": dict(compiled.by_kind),
                    "by_class": dict(compiled.by_class),
                }
            )
        )
        return
    typer.echo(f"{compiled.trails:,} trails in {compiled.path} ({compiled.bytes / 1e6:.1f} MB)")
    typer.echo(f"{compiled.merged:,} listed more than once and merged, {len(refused):,} refused")
    for item in refused[: 0 if report else 10]:
        typer.echo(visible(f"  refused: {item.source}, line {item.line}: {item.value[:80]!r}: {item.reason}"))
    if len(refused) > 10 and report is None:
        typer.echo("  ... all of them with --report FILE")


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
    """Count the trails of a set by kind, class and source.

    Example:

      trailhound trails info --json
    """
    trails = _open(settings_of(config, state, trails={"set": trail_set}))
    about = trails.about
    sources = trails.by_source()
    if as_json:
        said: dict[str, Any] = {
            "path": str(trails.path),
            "trails": about.trails,
            "bytes": trails.path.stat().st_size,
            "built": about.built,
            "checksum": about.checksum,
            "by_kind": about.by_kind,
            "by_class": about.by_class,
            "by_source": dict(sources),
        }
        typer.echo(json.dumps(said))
        return
    built = datetime.fromtimestamp(about.built, UTC).strftime("%Y-%m-%d %H:%M UTC") if about.built else "unknown"
    typer.echo(f"{about.trails:,} trails in {trails.path} ({trails.path.stat().st_size / 1e6:.1f} MB), made {built}")
    console = Console()
    for title, counts in (("kind", about.by_kind), ("class", about.by_class), ("source", sources)):
        table = Table(title, "trails")
        table.columns[1].justify = "right"
        for name, count in sorted(counts.items(), key=lambda item: -item[1]):
            table.add_row(Text(visible(name)), f"{count:,}")
        console.print(table)


@app.command()
def check(
    values: Annotated[list[str], typer.Argument(metavar="VALUE...", help="Names, addresses, URLs, hashes, ...")],
    config: ConfigOption = None,
    state: StateOption = None,
    trails: TrailsOption = None,
    trail_set: Annotated[Path | None, typer.Option("--set", help="A compiled set; else that of the settings.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what would be matched for a value, and why. Exit status: 0 nothing, 1 something, 2 trouble.

    Examples:

      trailhound trails check www.evil.example 192.0.2.1:8443

      trailhound trails check --json http://evil.example/gate.php?id=1
    """
    settings = settings_of(config, state, trails={"set": trail_set, "files": trails})
    rules = prepare.engine(settings, _open(settings)).rules
    explanations = prepare.Lookup(rules).explain(values)
    for explanation in explanations:
        lines = [json.dumps(as_object(explanation))] if as_json else map(visible, _as_text(explanation))
        typer.echo("\n".join(lines))
    if any(explanation.found for explanation in explanations):
        raise typer.Exit(FOUND)


def _open(settings: Settings) -> TrailSet:
    if settings.trails.set is None:
        prepare.state_directory(settings)
    return prepare.trail_set(settings)


def as_object(explanation: Explanation) -> dict[str, Any]:
    """Write an explanation as plain JSON values."""
    return {
        "value": explanation.value,
        "readings": [{"kind": kind.value, "value": value} for kind, value in explanation.readings],
        "found": explanation.found,
        "whitelisted": explanation.whitelisted,
        "matches": [
            {
                "key": match.key,
                "kind": match.trail.kind.value,
                "trail": match.trail.value,
                "info": match.trail.info,
                "class": match.trail.class_.value,
                "sources": list(match.trail.sources),
                "reference": match.trail.reference,
                "confidence": match.trail.confidence,
            }
            for match in explanation.matches
        ],
    }


def _as_text(explanation: Explanation) -> list[str]:
    lines = [f"{explanation.value!r}: {'found' if explanation.found else 'not found'}"]
    if not explanation.readings:
        lines.append("  this can be no kind of trail")
    lines += [f"  read as {kind.value}: {value}" for kind, value in explanation.readings]
    for match in explanation.matches:
        trail = match.trail
        lines.append(f"  trail {trail.value} ({trail.kind.value}): {trail.info}, class {trail.class_.value}")
        lines.append(f"    confidence {trail.confidence}, sources: {', '.join(trail.sources)}")
        if trail.reference:
            lines.append(f"    reference: {trail.reference}")
    if explanation.whitelisted:
        lines.append(f"  does not count: {explanation.whitelisted}")
    return lines
