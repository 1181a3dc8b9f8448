"""Feeds over an air gap: what one Trailhound has on its shelf, or a person has downloaded, goes to another as a folder.

An exported folder has a folder a feed, as it lies on the shelf, with sizes and SHA-256 of all documents. A folder of
downloads has a file a feed, called after the feed (`openphish.txt`) or as its URL ends (`botcc.rules`), or a folder
called after the feed with the files in it. What is imported is judged as what is fetched.
"""

import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from feeds import judge, parts
from feeds.feed import Feed
from feeds.fetch import Fetched
from feeds.formats.misp import MANIFEST
from feeds.manners import Manners
from feeds.parts import Copy, Part, address_of
from feeds.shelf import Candidate, Draft, Shelf
from feeds.source import may_be_page
from trailhound.errors import FetchError

_CHUNK = 1024 * 1024
_MAX_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds: for each feed its files, or the folder that was exported; and names that no feed has."""

    exported: Mapping[str, Copy]
    files: Mapping[str, tuple[Path, ...]]
    strange: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return sorted({*self.exported, *self.files})


def export_folder(shelf: Shelf, names: Iterable[str], folder: Path) -> list[str]:
    """Write the copies in force of these feeds to a folder; give the names of those that there were.

    The caller holds `shelf.alone()`. What the folder has of the same feeds is replaced. Raises `FetchError`.
    """
    done = []
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            copy = shelf.copy(name)
            if copy is None:
                continue
            new, target = folder / f"{name}.new", folder / name
            for old in (new, target):
                with suppress(FileNotFoundError):
                    shutil.rmtree(old)
            new.mkdir()
            for part in copy.parts:
                shutil.copyfile(copy.folder / part.file, new / part.file)
            parts.seal(new, copy.parts)
            new.rename(target)
            done.append(name)
    return done


def look(feeds: Mapping[str, Feed], folder: Path) -> Found:
    """Tell which feeds a folder has something of. Raises `FetchError` when it cannot be read."""
    exported: dict[str, Copy] = {}
    files: dict[str, tuple[Path, ...]] = {}
    strange: list[str] = []
    by_file = _by_file(feeds.values())
    for path in _entries(folder):
        name = path.name if path.name in feeds else path.name.partition(".")[0]
        if _is_folder(path) and path.name in feeds:
            copy = parts.read(path)
            if copy is not None:
                exported[name] = copy
            else:
                files[name] = tuple(entry for entry in _entries(path) if _is_file(entry))
        elif _is_file(path) and (name in feeds or path.name in by_file):
            owner = name if name in feeds else by_file[path.name]
            files[owner] = (*files.get(owner, ()), path)
        else:
            strange.append(path.name)
    return Found(exported, {name: paths for name, paths in files.items() if paths}, tuple(strange))


def import_folder(found: Found, feeds: Mapping[str, Feed], shelf: Shelf, manners: Manners) -> Iterator[Fetched]:
    """Bring what was found into candidates on the shelf, and give what became of each feed, as `fetch` does.

    The caller holds `shelf.alone()`. What was exported before the copy in force was fetched changes nothing.
    """
    now = int(time.time())
    for name in found.names:
        feed = feeds[name]
        try:
            yield _imported(feed, found, shelf, manners, now)
        except (FetchError, OSError) as error:
            reason = str(error) if isinstance(error, FetchError) else f"{error.filename}: {error.strerror or error}"
            with suppress(FetchError):
                shelf.clear(name)
                shelf.failed(name, reason, now)
            yield Fetched(feed, "failed", reason)


def _imported(feed: Feed, found: Found, shelf: Shelf, manners: Manners, now: int) -> Fetched:
    exported, in_force = found.exported.get(feed.name), shelf.copy(feed.name)
    if exported is not None and in_force is not None and exported.fetched < in_force.fetched:
        return Fetched(feed, "unchanged", "what is imported is older than the copy in force")
    draft = shelf.draft(feed.name)
    if exported is not None:
        for part in exported.parts:
            _take(draft, exported.folder / part.file, part, feed, manners)
    else:
        for path, part in _parts_of(feed, found.files[feed.name]):
            _take(draft, path, part, feed, manners)
    if in_force is not None and parts.identity(draft.parts) == in_force.id:
        shelf.clear(feed.name)
        checked = min(now, max(part.fetched for part in draft.parts))
        shelf.unchanged(feed.name, now, same=draft.parts, checked=checked)
        return Fetched(feed, "unchanged")
    return Fetched(feed, "new", "", Candidate(shelf, feed.name, draft.seal()))


def _take(draft: Draft, path: Path, part: Part, feed: Feed, manners: Manners) -> None:
    """Copy one file into a draft, within bounds, and judge it. What is expected of it stands in `part`, or is empty."""
    if not _is_file(path):
        raise FetchError(f"{path}: a plain file was expected")
    size = 0
    with path.open("rb") as old, draft.writing(part.file) as new:
        while chunk := old.read(_CHUNK):
            size += len(chunk)
            if size > manners.max_bytes:
                raise FetchError(f"{path}: is larger than {manners.max_bytes:,} bytes")
            new.write(chunk)
    written = draft.folder / part.file
    digest = judge.digest_of(written)
    if part.sha256 not in ("", digest):
        raise FetchError(f"{path}: is not what was exported: its SHA-256 is another one")
    judge.refuse_strange(written, str(path), may_be_page=may_be_page(feed))
    draft.add(Part(part.file, part.address, size, digest, part.etag, part.modified, part.fetched))


def _parts_of(feed: Feed, paths: tuple[Path, ...]) -> Iterator[tuple[Path, Part]]:
    """Give downloaded files the places and addresses that they would have had, had they been fetched."""
    by_name = {path.name: path for path in paths}
    of_urls = [(url, by_name.get(_end(url))) for url in feed.urls]
    if len(feed.urls) == 1 == len(paths):
        of_urls = [(feed.urls[0], paths[0])]
    matched = [(url, path) for url, path in of_urls if path is not None]
    if len(matched) < len(feed.urls) and len(feed.urls) > 1:
        missing = next(_end(url) for url, path in of_urls if path is None)
        raise FetchError(f"{paths[0].parent}: {feed.name} has {len(feed.urls)} files; {missing} is missing")
    if len(matched) == len(paths):
        for count, (url, path) in enumerate(matched):
            yield path, _unknown(f"{count:02d}", url, path)
        return
    base = feed.urls[0].rpartition("/")[0]
    # As it would have been fetched: what names all others comes first.
    for path in sorted(paths, key=lambda path: (path.name != MANIFEST, path.name)):
        yield path, _unknown(path.name, f"{base}/{path.name}", path)


def _unknown(file: str, url: str, path: Path) -> Part:
    """Expect nothing of a file but what it is: that of a URL, and as old as it says."""
    return Part(file, address_of(url), 0, "", fetched=max(0, int(path.stat().st_mtime)))


def _by_file(feeds: Iterable[Feed]) -> Mapping[str, str]:
    """Give, for how URLs end, the feed; an end that several feeds have tells nothing."""
    owners: dict[str, set[str]] = {}
    for feed in feeds:
        for url in feed.urls:
            owners.setdefault(_end(url), set()).add(feed.name)
    return {end: min(names) for end, names in owners.items() if end and len(names) == 1}


def _end(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


def _entries(folder: Path) -> list[Path]:
    with _explained(folder):
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(found) > _MAX_FILES:
        raise FetchError(f"{folder}: holds more than {_MAX_FILES} files; is it a folder of feeds?")
    return found


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FetchError(f"{error.filename or folder}: {error.strerror or error}") from error
