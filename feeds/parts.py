"""The documents that a copy of a feed is made of, as they lie in its folder."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from trailhound.errors import FetchError

VERSION = 1
MANIFEST = "parts.json"
MAX_PARTS = 20_000
_CHUNK = 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_Natural = Annotated[int, msgspec.Meta(ge=0)]


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """One document as it was fetched: packed if it came packed.

    `file` is its name in the folder of the copy. `address` stands for where it comes from, and is no URL, since that
    may hold a secret. `size` counts bytes, `sha256` is of these bytes. `etag` and `modified` are what the server said,
    `fetched` is seconds since the epoch.
    """

    file: str
    address: str
    size: _Natural
    sha256: str
    etag: str = ""
    modified: str = ""
    fetched: int = 0


class _Manifest(msgspec.Struct):
    version: int
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class Copy:
    """The documents of a feed, in the order they are read. `id` tells by content whether two copies are the same."""

    folder: Path
    parts: tuple[Part, ...]

    @property
    def id(self) -> str:
        return identity(self.parts)

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def fetched(self) -> int:
        """Tell when the newest of its documents came, in seconds since the epoch."""
        return max((part.fetched for part in self.parts), default=0)

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self.folder / part.file for part in self.parts)

    def at(self, address: str) -> Part | None:
        """Give the document that came from an address, unless its file is not as it was."""
        found = self._by_address().get(address)
        return found if found is not None and _is_whole(self.folder, found) else None

    def _by_address(self) -> Mapping[str, Part]:
        return {part.address: part for part in self.parts}


def address_of(url: str) -> str:
    """Give what stands for a URL where the URL itself must not be kept."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def identity(parts: tuple[Part, ...]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{part.file}\0{part.sha256}\n".encode())
    return digest.hexdigest()[:16]


def is_safe_name(name: str) -> bool:
    """Tell whether a document may be kept under this name: no path, nothing hidden, not ours."""
    return _NAME.fullmatch(name) is not None and name != MANIFEST


def read(folder: Path) -> Copy | None:
    """Give the copy in a folder; None when there is none, or when it is not whole."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError):
        return None
    parts = tuple(manifest.parts)
    if manifest.version != VERSION or not parts or not all(is_safe_name(part.file) for part in parts):
        return None
    return Copy(folder, parts) if all(_is_whole(folder, part) for part in parts) else None


def _is_whole(folder: Path, part: Part) -> bool:
    try:
        found = (folder / part.file).stat()
    except OSError:
        return False
    return found.st_size == part.size


def seal(folder: Path, parts: tuple[Part, ...]) -> Copy:
    """Make a folder of documents a copy, durably. May raise `OSError`."""
    replace_file(folder / MANIFEST, msgspec.json.encode(_Manifest(VERSION, list(parts))))
    return Copy(folder, parts)


def link(source: Path, target: Path) -> None:
    """Have the same document in another folder too, without its bytes twice where the file system can."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        with source.open("rb") as old, new_file(target) as new:
            while chunk := old.read(_CHUNK):
                new.write(chunk)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that was not there, and have it on disk at the end."""
    # Made anew: root must not write through a link that somebody else left here.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640), "wb") as stream:
        own_as_folder(path)
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file durably and in one step."""
    unborn = path.with_name(f"{path.name}.new")
    unborn.unlink(missing_ok=True)
    with new_file(unborn) as stream:
        stream.write(content)
    unborn.replace(path)
    sync_folder(path.parent)


def new_folder(path: Path) -> None:
    path.mkdir(mode=0o750)
    own_as_folder(path)


def own_as_folder(path: Path) -> None:
    """Give what root makes to whom the folder belongs: a service with a user of its own has to read it."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        with suppress(PermissionError):
            os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def bounded(name: str, count: int) -> None:
    """Raise `FetchError` when a feed has more documents than we keep."""
    if count > MAX_PARTS:
        raise FetchError(f"{name}: has more than {MAX_PARTS} documents")
