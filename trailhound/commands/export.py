"""`trails export`: write trails in the formats of others."""

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, TypeVar

import typer

from feeds.exports import EXPORTS
from feeds.exports.export import Export, Wishes
from matchers.fit import fit
from matchers.networks import HomeNetworks
from matchers.order import in_order
from matchers.trailset import TrailSet
from trailhound.commands import prepare
from trailhound.commands.options import ConfigOption, StateOption, settings_of
from trailhound.errors import SettingsError
from trailhound.settings import Settings
from trailhound.trail import LISTED_KINDS, Trail, TrailClass, TrailKind

_Word = TypeVar("_Word", TrailClass, TrailKind)
_SIDS = re.compile(r"(\d{1,10})-(\d{1,10})")
_ZONE = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_MOST_SIDS = 10_000_000
_BUFFER = 256 * 1024


def export(
    format_: Annotated[str, typer.Option("--format", "-f", help=f"One of {', '.join(EXPORTS)}.")],
    config: ConfigOption = None,
    state: StateOption = None,
    trail_set: Annotated[Path | None, typer.Option("--set", help="A compiled set; else that of the settings.")] = None,
    classes: Annotated[str, typer.Option("--class", metavar="CLASS,...", help="Only of these classes.")] = "",
    kinds: Annotated[str, typer.Option("--kind", metavar="KIND,...", help="Only of these kinds.")] = "",
    min_confidence: Annotated[int, typer.Option(min=0, max=100, help="Only of at least this confidence.")] = 0,
    custom: Annotated[bool, typer.Option(help="With trails of your own, or without.")] = True,
    sids: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="Numbers that Suricata rules may have.")
    ] = "1000000-1999999",
    zone: Annotated[str, typer.Option(help="Name of the response policy zone.")] = "rpz.trailhound",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; a folder for formats of several files."),
    ] = None,
) -> None:
    """Write the trails in force for Zeek, Suricata, resolvers, MISP or whoever else takes lists.

    Left out, and counted: what the format cannot say, what has expired, what the settings ignore, what a whitelist or
    an exception hides, and addresses of home networks.

    Examples:

      trailhound trails export --format rpz --class c2,malware,phishing --min-confidence 70 -o rpz.zone

      trailhound trails export --format suricata-dataset -o /etc/suricata/trailhound

      trailhound trails export --format plain --kind ipv4,cidr --class attacker | ipset-loader
    """
    chosen = _format(format_)
    if chosen.folder and output is None:
        raise SettingsError(f"--format {format_}: it makes several files, so a folder was expected (--output FOLDER)")
    settings = settings_of(config, state, trails={"set": trail_set})
    if settings.compiles_trails:
        prepare.state_directory(settings)
    trails = prepare.trail_set(settings)
    wishes = Wishes(trails.about.built or 0, trails.about.checksum, _sids(sids), _zone(zone))
    out: Counter[str] = Counter()
    wanted = _Wanted(
        _words(tuple(TrailClass), classes, "class"), _words(LISTED_KINDS, kinds, "kind"), min_confidence, custom
    )
    chosen_trails = _counted(wanted.of(settings, trails, chosen, out), out)
    with _writing(output, folder=chosen.folder) as files:
        for name, text in chosen.write(chosen_trails, wishes):
            files.write(name, text)
    _say(format_, out)


class _Wanted:
    """What a person asks for: classes and kinds (none for all), confidence, and whether their own trails too."""

    def __init__(
        self, classes: frozenset[TrailClass], kinds: frozenset[TrailKind], confidence: int, custom: bool
    ) -> None:
        self._classes = classes
        self._kinds = kinds
        self._confidence = confidence
        self._custom = custom

    def of(self, settings: Settings, trails: TrailSet, export_: Export, out: Counter[str]) -> Iterator[Trail]:
        """Give what is wanted and may go out; `out` counts the others by the reason."""
        rules = prepare.engine(settings, trails).rules
        unfit = fit(rules, HomeNetworks(settings.networks.home), int(time.time()))
        for trail in in_order(trails, self._is_wanted):
            reason = "the format cannot say it" if trail.kind not in export_.kinds else unfit(trail)
            if reason:
                out[reason.partition(" ")[0] if reason.startswith("expired ") else reason] += 1
            else:
                yield trail

    def _is_wanted(self, trail: Trail) -> bool:
        return (
            (not self._classes or trail.class_ in self._classes)
            and (not self._kinds or trail.kind in self._kinds)
            and trail.confidence >= self._confidence
            and (self._custom or not trail.custom)
        )


def _counted(trails: Iterator[Trail], out: Counter[str]) -> Iterator[Trail]:
    for trail in trails:
        out[""] += 1
        yield trail


class _Files:
    """The files of an export, opened as they come up; they are put in their places when all is written."""

    def __init__(self, target: Path | None, stack: ExitStack, *, folder: bool) -> None:
        self._target = target
        self._stack = stack
        self._folder = folder
        self._open: dict[str, tuple[IO[str], Path]] = {}

    def write(self, name: str, text: str) -> None:
        if self._target is None:
            sys.stdout.write(text)
            return
        if name not in self._open:
            self._open[name] = self._new(self._target / name if self._folder else self._target)
        self._open[name][0].write(text)

    def finish(self) -> None:
        if self._target is not None and not self._folder and not self._open:
            self.write("", "")  # An empty list is an empty file, not the one of before.
        for file, place in self._open.values():
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(place)

    def _new(self, place: Path) -> tuple[IO[str], Path]:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed by the stack
            "w", _BUFFER, "utf-8", dir=place.parent, prefix=f".{place.name}.", delete=False, errors="backslashreplace"
        )
        self._stack.callback(Path(file.name).unlink, missing_ok=True)
        self._stack.callback(file.close)
        return file, place


@contextmanager
def _writing(target: Path | None, *, folder: bool) -> Iterator[_Files]:
    try:
        with ExitStack() as stack:
            files = _Files(target, stack, folder=folder)
            yield files
            files.finish()
    except BrokenPipeError:
        raise  # The reader of our output left, which is its right.
    except OSError as error:
        raise SettingsError(f"{target}: the export cannot be written: {error.strerror or error}") from error


def _say(format_: str, out: Counter[str]) -> None:
    typer.echo(f"{out.pop('', 0):,} trails as {format_}", err=True)
    for reason, count in sorted(out.items()):
        typer.echo(f"  {count:,} left out: {reason}", err=True)


def _format(name: str) -> Export:
    if name not in EXPORTS:
        raise SettingsError(f"--format {name!r}: one of {', '.join(EXPORTS)} was expected")
    return EXPORTS[name]


def _words(known: Sequence[_Word], text: str, option: str) -> frozenset[_Word]:
    """Read words with commas between them."""
    found: set[_Word] = set()
    for word in filter(None, map(str.strip, text.split(","))):
        match = next((one for one in known if one.value == word), None)
        if match is None:
            names = ", ".join(one.value for one in known)
            raise SettingsError(f"--{option} {word!r}: one of {names} was expected")
        found.add(match)
    return frozenset(found)


def _sids(text: str) -> tuple[int, int]:
    found = _SIDS.fullmatch(text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 0 < first <= last < 2**32 or last - first >= _MOST_SIDS:
        raise SettingsError(f"--sids {text!r}: two numbers such as 1000000-1999999 were expected")
    return first, last


def _zone(text: str) -> str:
    if not _ZONE.fullmatch(text):
        raise SettingsError(f"--zone {text!r}: a name such as rpz.trailhound was expected")
    return text.lower().rstrip(".")
