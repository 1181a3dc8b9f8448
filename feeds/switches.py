"""What somebody switched on or off by command: kept in the state, so that no file of the user is written to.

Of feeds, what the command says is stronger than the catalogue and the user's file, until the opposite is said.
Heuristics are switched in the same way.
"""

import dataclasses
import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from feeds import parts
from feeds.feed import Feed
from trailhound.errors import SourceError

VERSION = 1
_FILE = "switches.json"
_LOCK = "switches.lock"


class _Switched(Protocol):
    """What can be on or off, and is so by default."""

    @property
    def enabled(self) -> bool: ...


def path_in(folder: Path) -> Path:
    return folder / _FILE


def load(folder: Path, what: str = "feeds") -> dict[str, bool]:
    """Give what was switched, by name. Raises `SourceError` when the file cannot be read."""
    path = path_in(folder)
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, int | dict[str, bool]])
        version, switched = found["version"], found[what]
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceError(
            f"{path}: which {what} are on cannot be read: {reason}; remove the file to begin anew"
        ) from error
    if version != VERSION or not isinstance(switched, dict):
        raise SourceError(f"{path}: version {version} was met, {VERSION} expected; remove the file to begin anew")
    return switched


def applied(feeds: Mapping[str, Feed], switched: Mapping[str, bool]) -> dict[str, Feed]:
    """Give all feeds, on or off as was said of them last."""
    return {
        name: dataclasses.replace(feed, enabled=switched[name])
        if switched.get(name, feed.enabled) != feed.enabled
        else feed
        for name, feed in feeds.items()
    }


def switch(folder: Path, all_: Mapping[str, _Switched], names: Mapping[str, bool], what: str = "feeds") -> None:
    """Switch some on or off. `all_` are as they are by default: what that says already needs no switch.

    Raises `SourceError` when it cannot be kept.
    """
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with _alone(folder):
            kept = load(folder, what)
            for name, on in names.items():
                kept.pop(name, None)
                if all_[name].enabled != on:
                    kept[name] = on
            content = msgspec.json.encode({"version": VERSION, what: dict(sorted(kept.items()))})
            parts.replace_file(path_in(folder), content)
    except OSError as error:
        raise SourceError(f"{error.filename or folder}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for whoever is switching: two who read and write at once would lose what one of them said."""
    with (folder / _LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
