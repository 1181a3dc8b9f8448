"""Which feeds somebody switched on or off by command: kept in the state, so that no file of the user is written to.

What the command says is stronger than the catalogue and the user's file, until the opposite is said.
"""

import dataclasses
import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from feeds import parts
from feeds.feed import Feed
from trailhound.errors import SourceError

VERSION = 1
_FILE = "switches.json"
_LOCK = "switches.lock"


class _Switches(msgspec.Struct, frozen=True):
    version: int
    feeds: dict[str, bool]


def load(folder: Path) -> dict[str, bool]:
    """Give what was switched, by the names of feeds. Raises `SourceError` when the file cannot be read."""
    path = folder / _FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_Switches)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(
            f"{path}: which feeds are on cannot be read: {reason}; remove the file to begin anew"
        ) from error
    if found.version != VERSION:
        raise SourceError(f"{path}: version {found.version} was met, {VERSION} expected; remove the file to begin anew")
    return found.feeds


def applied(feeds: Mapping[str, Feed], switched: Mapping[str, bool]) -> dict[str, Feed]:
    """Give all feeds, on or off as was said of them last."""
    return {
        name: dataclasses.replace(feed, enabled=switched[name])
        if switched.get(name, feed.enabled) != feed.enabled
        else feed
        for name, feed in feeds.items()
    }


def switch(folder: Path, feeds: Mapping[str, Feed], names: Mapping[str, bool]) -> None:
    """Switch feeds on or off. `feeds` are those of the files: what they say already needs no switch.

    Raises `SourceError` when it cannot be kept.
    """
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with _alone(folder):
            kept = load(folder)
            for name, on in names.items():
                kept.pop(name, None)
                if feeds[name].enabled != on:
                    kept[name] = on
            content = msgspec.json.encode(_Switches(VERSION, dict(sorted(kept.items()))))
            parts.replace_file(folder / _FILE, content)
    except OSError as error:
        raise SourceError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for whoever is switching: two who read and write at once would lose what one of them said."""
    with (folder / _LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
