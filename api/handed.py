"""The trail set as it is handed to sensors: the file itself, or one without the site's own trails."""

import logging
import multiprocessing
import os
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from feeds import build
from matchers.public import without_custom
from matchers.trailset import TrailSet
from trailhound.errors import SourceError, TrailhoundError, TrailSetError
from trailhound.settings import Settings

logger = logging.getLogger(__name__)
_CHUNK = 256 * 1024
_BEGINNING = "handed-"
_Identity = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Handed:
    """One file to hand on, open. `checksum` is that of the set, `digest` the SHA-256 of all bytes in base64."""

    stream: BinaryIO
    size: int
    checksum: str
    digest: str

    def chunks(self) -> Iterator[bytes]:
        with self.stream:
            while chunk := self.stream.read(_CHUNK):
                yield chunk


@dataclass(frozen=True, slots=True)
class _Summed:
    checksum: str
    custom: int
    digest: str


class HandedSets:
    """Gives the set in force, and makes once for each the one without the site's own trails.

    That takes long and memory, so it is done by a process of its own, and nobody waits for it here.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.trail_set_path
        self._folder = settings.state_dir
        self._turn = threading.Lock()
        self._known: dict[_Identity, _Summed] = {}
        self._making: threading.Thread | None = None

    def get(self, *, custom: bool) -> Handed | None:
        """Open the set, with the site's own trails or without; None when that one is still being made.

        Raises `TrailSetError` when there is no set.
        """
        with self._turn:
            whole = self._open(self._path)
            about = self._sum(whole.stream, self._path)
            if custom or not about.custom:
                return whole
            whole.stream.close()
            place = self._folder / f"{_BEGINNING}{about.checksum[:32]}.set"
            if place.exists():
                return self._open(place)
            if self._making is None or not self._making.is_alive():
                self._making = threading.Thread(target=self._make, args=(place,), name="handed", daemon=True)
                self._making.start()
            return None

    def _open(self, path: Path) -> Handed:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise TrailSetError(f"{path}: the trail set cannot be read: {error.strerror}") from error
        try:
            found = self._sum(stream, path)
        except BaseException:
            stream.close()
            raise
        return Handed(stream, os.fstat(stream.fileno()).st_size, found.checksum, found.digest)

    def _sum(self, stream: BinaryIO, path: Path) -> _Summed:
        """Sum the open file up once; by its identity, since another may be put in its place at any time."""
        status = os.fstat(stream.fileno())
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        found = self._known.get(identity)
        if found is None:
            # Through the open file, whatever stands at the path by now.
            about = TrailSet.open(Path(f"/proc/self/fd/{stream.fileno()}"), verify=False).about
            digest = sha256()
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
            stream.seek(0)
            found = _Summed(about.checksum, about.custom, b64encode(digest.digest()).decode())
            logger.debug("summed up %s", path)
            # Two files are in use at most: the set, and the one without the site's own trails.
            self._known = {**dict(list(self._known.items())[-1:]), identity: found}
        return found

    def _make(self, place: Path) -> None:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=make, args=(self._settings, place), name="trailhound-handed", daemon=True)
        process.start()
        process.join()
        if process.exitcode:
            logger.error("the trail set without custom trails could not be made (%s)", process.exitcode)


def make(settings: Settings, target: Path) -> None:
    """Make the set without the site's own trails, and take away those of sets before."""
    os.nice(10)
    try:
        _make(settings, target)
    except TrailhoundError as error:
        logger.error("%s", error)  # noqa: TRY400 - what went wrong is in the words
        raise SystemExit(1) from error
    for old in target.parent.glob(f"{_BEGINNING}*.set"):
        if old != target:
            old.unlink(missing_ok=True)


def _make(settings: Settings, target: Path) -> None:
    """Compile what the set is made of anew, but for the site's own lists; a set that was given is cut down.

    In a set what several lists say of a value is one. Compiled anew, a value of the site that is also on another list
    comes out as that one has it; cut down, it is lost.
    """
    if not settings.compiles_trails:
        without_custom(settings.trail_set_path, target)
        return
    others = settings.model_copy(update={"trails": settings.trails.model_copy(update={"custom": ()})})
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as place:
        made = Path(place, "trails.set")
        try:
            if not build.compile_all(others, made).compiled.custom:
                made.replace(target)
                return
        except SourceError as error:
            logger.warning("the set in force is cut down: %s", error)
            made = settings.trail_set_path
        # Lists of others may hold trails that they call custom: Maltrail's own set does.
        without_custom(made, target)
