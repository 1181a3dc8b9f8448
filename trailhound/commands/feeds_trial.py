"""`feeds test`: try a list before it becomes a feed."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from feeds import catalogue
from feeds.entry import Refused
from feeds.feed import Feed
from feeds.fetch import fetch
from feeds.formats import all_formats
from feeds.parts import Copy
from feeds.reading import read_feed
from feeds.shelf import Shelf
from feeds.sources import SOURCES
from trailhound.commands import feeds_work
from trailhound.commands.feeds_progress import display
from trailhound.commands.options import ConfigOption, JsonOption, StateOption, settings_of
from trailhound.commands.screen import visible
from trailhound.errors import FetchError, SettingsError
from trailhound.settings import Settings
from trailhound.trail import Trail

NOTHING = 1
_ORIGIN = "command line"


@dataclass(slots=True)
class _Seen:
    """The first trails and refusals of a list, and how many of each."""

    most: int
    trails: list[Trail] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def take(self, entry: Trail | Refused) -> None:
        if isinstance(entry, Refused):
            self.reasons[entry.reason] += 1
            if len(self.refused) < self.most:
                self.refused.append(entry)
        else:
            self.kinds[entry.kind.value] += 1
            if len(self.trails) < self.most:
                self.trails.append(entry)


def try_out(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the list is.")],
    format_: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="How it is written.")] = "lines",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="KEY=VALUE", help="Option of the format; VALUE as JSON, else text."),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", "-k", metavar="KEY=VALUE", help="Key of the feed: kind, info, class, confidence, secret."
        ),
    ] = None,
    most: Annotated[int, typer.Option("--show", min=0, max=100_000, help="How many trails to show.")] = 10,
    config: ConfigOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a list, read it, and show the first trails and refusals. Nothing is kept.

    Exit status: 0 there are trails, 1 there are none, 2 trouble.

    Examples:

      trailhound feeds test https://lists.example/bad.txt

      trailhound feeds test https://lists.example/c2.csv --format csv -o value=2 -k class=c2
    """
    settings = settings_of(config, state)
    keys = {name: int(value) if value.isdecimal() else value for name, value in _pairs("--key", key).items()}
    options = _options(format_, _pairs("--option", option))
    feed = catalogue.feed("test", {**keys, "url": url, "format": format_, "options": options}, _ORIGIN)
    seen = _Seen(most)
    with tempfile.TemporaryDirectory(prefix="trailhound-feed-") as place:
        copy = _fetched(feed, Path(place), settings)
        for entry in read_feed(feed, copy.paths):
            seen.take(entry)
    typer.echo(json.dumps(_as_object(copy, seen)) if as_json else "\n".join(map(visible, _as_text(copy, seen))))
    if not seen.kinds:
        raise typer.Exit(NOTHING)


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise SettingsError(f"{option} {text!r}: KEY=VALUE was expected")
        found[name] = value
    return found


def _options(format_: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Read options as the format wants them: `2` is a column or a number, `["*.txt"]` a list."""
    known = all_formats().get(format_)
    if known is None:
        return {}  # Making the feed tells what is wrong, and which formats there are.
    read = {name: _read(value) for name, value in given.items()}
    try:
        options = msgspec.convert(read, known.options, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"--option: of the format {format_}: {error}") from error
    return {name: value for name, value in msgspec.to_builtins(options).items() if name in read}


def _read(value: str) -> Any:
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return read if isinstance(read, list | dict | bool) else value


def _fetched(feed: Feed, place: Path, settings: Settings) -> Copy:
    shelf = Shelf(place)
    with shelf.alone(), display(1) as shown:
        results = list(fetch([feed], shelf, feeds_work.manners(settings), shown.came, sources=SOURCES))
    candidate = results[0].candidate
    if candidate is None:
        raise FetchError(results[0].reason)
    return candidate.copy


def _as_object(copy: Copy, seen: _Seen) -> dict[str, Any]:
    return {
        "bytes": copy.size,
        "documents": len(copy.parts),
        "trails": seen.kinds.total(),
        "by_kind": dict(seen.kinds.most_common()),
        "refused": seen.reasons.total(),
        "by_reason": dict(seen.reasons.most_common(20)),
        "first": [
            {
                "kind": trail.kind.value,
                "value": trail.value,
                "info": trail.info,
                "class": trail.class_.value,
                "confidence": trail.confidence,
                "reference": trail.reference,
                "expires": trail.expires,
            }
            for trail in seen.trails
        ],
        "first_refused": [
            {"place": one.source, "line": one.line, "value": one.value, "reason": one.reason} for one in seen.refused
        ],
    }


def _as_text(copy: Copy, seen: _Seen) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in seen.kinds.most_common())
    lines = [f"{copy.size:,} bytes: {seen.kinds.total():,} trails ({kinds or 'none'})"]
    lines += [
        f"  {trail.kind.value} {trail.value}: {trail.info}, {trail.class_.value}, confidence {trail.confidence}"
        for trail in seen.trails
    ]
    if seen.reasons:
        lines.append(f"{seen.reasons.total():,} refused")
        lines += [f"  {count:,}: {reason}" for reason, count in seen.reasons.most_common(5)]
        lines += [f"  {one.source}, line {one.line}: {one.value[:80]!r}: {one.reason}" for one in seen.refused]
    return lines
