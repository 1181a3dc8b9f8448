"""Which harvest of which feed is in force, and what is told of each: one small file that says all that merging needs.

It is replaced in one step, so who compiles a set sees what one update left, and never half of the next.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from feeds import harvest, parts
from feeds.feed import Feed
from feeds.harvest import Harvest
from trailhound.errors import SourceError

VERSION = 1
_FILE = "harvests.json"
_PREFIX = "harvest-"


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """The harvest of one feed, and how it counts. Times are seconds since the epoch, 0 for never.

    `file` lies in the folder of the feed; it is empty for a feed that never gave anything. `mark` says what the harvest
    was made of, `copy` of which copy; of a `warning_list` only the copy counts, and of that the members that `files`
    are patterns of. `seen` is the last look at which the feed had what the harvest says. `trails` are listed, `absent`
    are those that are no longer; `added`, `removed`, `refused` are of the last change at `changed`. `objection` says
    why what came later is not in force, and `since` when that began.
    """

    file: str = ""
    mark: str = ""
    copy: str = ""
    group: str = ""
    agreement: int = 1
    grace: int = 0
    enabled: bool = True
    warning_list: bool = False
    files: tuple[str, ...] = ()
    seen: int = 0
    changed: int = 0
    trails: int = 0
    absent: int = 0
    added: int = 0
    removed: int = 0
    refused: int = 0
    objection: str = ""
    since: int = 0


class _Index(msgspec.Struct, frozen=True):
    version: int
    feeds: dict[str, Kept]


class Granary:
    """The harvests under the folder of the shelf. Only who holds the shelf alone may change anything."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def index(self) -> dict[str, Kept]:
        """Give what is known of every feed; nothing when the file is missing, damaged or of another version."""
        try:
            found = msgspec.json.decode((self.path / _FILE).read_bytes(), type=_Index)
        except (OSError, UnicodeDecodeError, msgspec.MsgspecError):
            return {}
        return found.feeds if found.version == VERSION else {}

    def save(self, index: Mapping[str, Kept]) -> None:
        """Put an index in force, then throw away the harvests that it does not name."""
        try:
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
            content = msgspec.json.format(msgspec.json.encode(_Index(VERSION, dict(sorted(index.items())))))
            parts.replace_file(self.path / _FILE, content)
        except OSError as error:
            raise SourceError(f"{self.path / _FILE}: cannot be written: {error.strerror or error}") from error
        for name, kept in index.items():
            for file in self._files(name):
                if file.name != kept.file:
                    file.unlink(missing_ok=True)

    def put(self, name: str, grown: Harvest) -> str:
        """Write a harvest beside those that are there; give the name of its file. It counts when an index names it."""
        folder = self.path / name
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        written = folder / f"{_PREFIX}new"
        checksum = harvest.write(written, grown)
        target = folder / f"{_PREFIX}{checksum[:16]}"
        try:
            written.replace(target)
        except OSError as error:
            raise SourceError(f"{target}: cannot be written: {error.strerror or error}") from error
        return target.name

    def get(self, name: str, kept: Kept, *, once: bool = False) -> Harvest | None:
        """Read the harvest of a feed; None when it has none. Raises `SourceError` when it is damaged or missing."""
        return harvest.read(self.path / name / kept.file, once=once) if kept.file else None

    def forget(self, name: str) -> None:
        for file in self._files(name):
            file.unlink(missing_ok=True)

    def _files(self, name: str) -> Iterator[Path]:
        with suppress(FileNotFoundError):
            yield from [path for path in (self.path / name).iterdir() if path.name.startswith(_PREFIX)]


def stamp(index: Mapping[str, Kept]) -> str:
    """Sum up what a merge of this index depends on; the same for the same set."""
    in_force = [
        (name, kept.file, (kept.copy, kept.files) if kept.warning_list else (), kept.group, kept.agreement, kept.grace)
        for name, kept in sorted(index.items())
        if kept.enabled and (kept.file or kept.warning_list)
    ]
    return hashlib.sha256(msgspec.json.encode(in_force)).hexdigest() if in_force else ""


def counting(kept: Kept, feed: Feed) -> Kept:
    """Give the same with what the catalogue says now of how the feed counts."""
    return msgspec.structs.replace(
        kept, group=feed.group, agreement=feed.agreement, grace=feed.expires, enabled=feed.enabled
    )
