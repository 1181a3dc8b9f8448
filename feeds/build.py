"""The trail set of the settings: the site's own files, the starter set, and what feeds gave, compiled to one file."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from feeds import exclusion, granary, warninglists
from feeds.agreement import Needs
from feeds.entry import Refused
from feeds.files import read_trails, starter_trails
from feeds.granary import Granary, Kept
from feeds.harvest import Harvest
from feeds.merge import Merged, merge
from feeds.policy import Policy
from feeds.shelf import Shelf
from feeds.warninglists import WarningList
from matchers.compile import Compiled, Compiler
from matchers.layout import VERSION
from trailhound import __version__
from trailhound.errors import SourceError, TrailSetError
from trailhound.matching import Trails
from trailhound.settings import Settings

DAY = 86_400  # Seconds.
_TRIES = 3
_log = structlog.get_logger("trails")


@dataclass(frozen=True, slots=True)
class Built:
    """A compiled set, the values that did not become trails of it, and what of the feeds is not in it."""

    compiled: Compiled
    refused: list[Refused] = field(default_factory=list)
    merged: Merged = field(default_factory=Merged)


def policy_of(settings: Settings) -> Policy:
    said = settings.feeds
    return Policy(
        home=settings.networks.home,
        resolvers=tuple(exclusion.resolvers()) if said.spare_resolvers else (),
        delivery=said.spare_delivery,
        min_ratio=said.min_ratio,
        needs=Needs(of_classes=said.agreement),
    )


def stamp(settings: Settings) -> dict[str, Any]:
    """Say what a compiled set is made of, so that it is made anew when that changes."""
    made_of = settings.trails
    grown = granary.stamp(Granary(settings.shelf_path).index())
    return {
        "trailhound": __version__,
        "set": VERSION,
        "starter": made_of.starter,
        "expired_days": made_of.expired_days,
        "files": _identities(made_of.files, "trails.files"),
        "custom": _identities(made_of.custom, "trails.custom"),
        "feeds": [grown, policy_of(settings).stamp] if grown else [],
    }


def is_current(settings: Settings) -> bool:
    """Tell whether the set of the settings is made of what there is now."""
    return _read_stamp(_stamp_path(settings)) == stamp(settings)


def compile_own(settings: Settings, *, anew: bool = True) -> Built | None:
    """Compile what the settings name to where they say, and note what it was made of.

    One process at a time does. Without `anew`, nothing is done, and None given, when another one did it meanwhile.
    """
    with _alone(settings):
        if not anew and is_current(settings) and settings.trail_set_path.exists():
            return None
        path, made_of = _stamp_path(settings), stamp(settings)
        with suppress(FileNotFoundError):
            path.unlink()  # Should we be interrupted, nobody takes the set for what it is not.
        built = compile_all(settings, settings.trail_set_path)
        path.write_text(json.dumps(made_of), "utf-8")
        return built


def compile_all(settings: Settings, target: Path, *, feeds: bool = True) -> Built:
    """Compile the trail files of the settings and, with `feeds`, what those gave into one set."""
    compiler = Compiler()
    refused: list[Refused] = []
    now = int(time.time())
    _add_files(compiler, settings.trails, refused, now)
    merged = _add_feeds(compiler, settings, now) if feeds else Merged()
    return Built(compiler.write(target, built=now), refused, merged)


def compile_trails(made_of: Trails, target: Path) -> tuple[Compiled, list[Refused]]:
    """Compile trail files, and the starter set if wanted, into one set; give also what was refused."""
    compiler = Compiler()
    refused: list[Refused] = []
    now = int(time.time())
    _add_files(compiler, made_of, refused, now)
    return compiler.write(target, built=now), refused


def _add_files(compiler: Compiler, made_of: Trails, refused: list[Refused], now: int) -> None:
    oldest = now - made_of.expired_days * DAY
    readers = [read_trails(path, oldest=oldest) for path in made_of.files]
    readers += [read_trails(path, custom=True, oldest=oldest) for path in made_of.custom]
    if made_of.starter:
        readers.append(starter_trails())
    for reader in readers:
        for entry in reader:
            if isinstance(entry, Refused):
                refused.append(entry)
            else:
                compiler.add(entry)


def _add_feeds(compiler: Compiler, settings: Settings, now: int) -> Merged:
    harvests, lists = _in_force(settings)
    if not harvests:
        return Merged()
    policy = policy_of(settings)
    oldest = now - settings.trails.expired_days * DAY
    return merge(compiler, harvests, policy.exclusion(lists), policy.needs, now=now, oldest=oldest)


def _in_force(settings: Settings) -> tuple[list[tuple[str, Kept, Harvest]], tuple[WarningList, ...]]:
    """Read what feeds gave. An update may throw away under our hands what is no longer in force: then begin anew."""
    grain = Granary(settings.shelf_path)
    for tries_left in reversed(range(_TRIES)):
        index = grain.index()
        try:
            found = [(name, kept, grain.get(name, kept)) for name, kept in index.items() if kept.enabled]
        except SourceError:
            if not tries_left or grain.index() == index:
                raise
        else:
            harvests = [(name, kept, grown) for name, kept, grown in found if grown is not None]
            return harvests, tuple(_warning_lists(Shelf(settings.shelf_path), index))
    return [], ()


def _warning_lists(shelf: Shelf, index: dict[str, Kept]) -> Iterator[WarningList]:
    for name, kept in index.items():
        copy = shelf.copy(name) if kept.warning_list and kept.enabled else None
        if copy is not None:
            yield from warninglists.of_files(name, copy.paths, kept.files)


def _identities(paths: Sequence[Path], key: str) -> list[list[object]]:
    files: list[list[object]] = []
    for path in paths:
        inside = [path] if not path.is_dir() else sorted(file for file in path.rglob("*") if file.is_file())
        try:
            files += [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in inside]
        except OSError as error:
            raise SourceError(f"{path}: the trail file cannot be read: {error.strerror} ({key})") from error
    return files


def _stamp_path(settings: Settings) -> Path:
    return settings.trail_set_path.with_suffix(".stamp")


def _read_stamp(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Wait until nobody else compiles to the same place; the kernel ends that when we die."""
    path = settings.trail_set_path.with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    except OSError as error:
        raise TrailSetError(f"{path}: the trails cannot be compiled: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
