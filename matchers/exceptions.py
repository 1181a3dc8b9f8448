"""Exceptions that people manage: what must not become an event, and who must never be blocked.

They stand in one file of the state directory. A whole value joins the whitelist, where it hides more than a line of a
list does: also trails below it. A trail is excepted for everybody or for some sources. An entry that has run out stays
in the file, so that people see that it did, and has no effect.
"""

import fcntl
import ipaddress
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from matchers import whitelist
from trailhound import canonical
from trailhound.errors import SettingsError, SourceError, TrailError

FILE = "exceptions.json"
VERSION = 1
LONGEST_REASON = 1000
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_Number = Annotated[int, msgspec.Meta(ge=1)]
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Level(StrEnum):
    """What an exception does: no event at all, or an event, but no place on a block list."""

    HIDE = "hide"
    NEVER_BLOCK = "never-block"


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One exception.

    `value` is a name, an address or a network; `trail` the value of a trail, `source` the address or network that it is
    excepted for. `until` is the moment from which it has no effect, None for never.
    """

    id: _Number
    reason: str
    by: str
    added: _Moment
    value: str = ""
    trail: str = ""
    source: str = ""
    level: Level = Level.HIDE
    until: _Moment | None = None

    def in_force(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    def place(self, path: Path) -> str:
        return f"{path}, entry {self.id}"


class _Versioned(msgspec.Struct):
    version: int


class _File(_Versioned, forbid_unknown_fields=True):
    """`next` is the number of the entry to come: the number of one that was removed never means another."""

    next: _Number
    exceptions: list[Exemption]


def utc_now() -> datetime:
    return datetime.now(UTC)


def path_in(state_dir: Path) -> Path:
    return state_dir / FILE


def checked(entry: Exemption) -> Exemption:
    """Give the entry with canonical values. Raises `TrailError` that names what is wrong with it."""
    if not entry.reason.strip() or len(entry.reason) > LONGEST_REASON:
        raise TrailError(f"reason: a sentence of at most {LONGEST_REASON} characters was expected")
    if entry.level is Level.NEVER_BLOCK:
        return _never_block(entry)
    if bool(entry.value) == bool(entry.trail):
        raise TrailError("one of value and trail was expected")
    if entry.source and not entry.trail:
        raise TrailError("source: a trail was expected with it")
    if entry.trail != entry.trail.strip() or len(entry.trail) > canonical.MAX_TEXT or not entry.trail.isprintable():
        raise TrailError(f"trail: the value of a trail was expected, not {entry.trail[:80]!r}")
    value = _value(entry.value) if entry.value else ""
    source = _network("source", entry.source) if entry.source else ""
    return msgspec.structs.replace(entry, value=value, source=source)


def _never_block(entry: Exemption) -> Exemption:
    if entry.trail:
        raise TrailError("trail: never-block goes without one, since a block list knows addresses only")
    if bool(entry.value) == bool(entry.source):
        raise TrailError("never-block: one of value and source was expected, an address or a network")
    source = _network("value" if entry.value else "source", entry.value or entry.source)
    return msgspec.structs.replace(entry, value="", source=source)


def _value(text: str) -> str:
    try:
        value = whitelist.canonical_value(text)
    except TrailError as error:
        raise TrailError(f"value: a name, an address or a network was expected, not {text[:80]!r}") from error
    if value.endswith("/0"):
        raise TrailError("value: a network that is not everything was expected")
    return value


def _network(key: str, text: str) -> str:
    try:
        found = canonical.network(text).value
    except TrailError as error:
        raise TrailError(f"{key}: an address or a network was expected, not {text[:80]!r}") from error
    if found.endswith("/0"):
        raise TrailError(f"{key}: a network that is not everything was expected")
    return found


def load(path: Path) -> tuple[Exemption, ...]:
    """Read all exceptions, expired ones too; none when there is no file. Raises `SourceError`."""
    return tuple(_read(path).exceptions)


def _read(path: Path) -> _File:
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Versioned).version
        if version != VERSION:
            raise SourceError(f"{path}: the exceptions are of version {version}, version {VERSION} was expected")
        file = msgspec.json.decode(content, type=_File)
    except FileNotFoundError:
        return _File(VERSION, 1, [])
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise SourceError(f"{path}: the exceptions cannot be read: {error}") from error
    for number, entry in enumerate(file.exceptions):
        try:
            file.exceptions[number] = checked(entry)
        except TrailError as error:
            raise SourceError(f"{entry.place(path)}: {error}") from error
    return file


def add(path: Path, entry: Exemption) -> Exemption:
    """Add an entry under a number of its own, and give it as it was kept.

    Raises `TrailError` for an entry that cannot be one, `SourceError` and `SettingsError` for the file.
    """
    entry = checked(entry)
    with _alone(path):
        file = _read(path)
        number = max(file.next, *(other.id + 1 for other in file.exceptions), 1)
        entry = msgspec.structs.replace(entry, id=number)
        _write(path, _File(VERSION, number + 1, [*file.exceptions, entry]))
    return entry


def remove(path: Path, number: int) -> Exemption:
    """Remove an entry, and give what it was. Raises `SettingsError` when there is none of this number."""
    with _alone(path):
        file = _read(path)
        found = next((entry for entry in file.exceptions if entry.id == number), None)
        if found is None:
            raise SettingsError(
                f"{path}: there is no entry {number}; `trailhound whitelist list` shows those there are"
            )
        _write(path, _File(VERSION, file.next, [entry for entry in file.exceptions if entry is not found]))
    return found


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep two people who change the file at the same time from losing what the other did."""
    try:
        # The folder, since the file itself is replaced, and one more file would need an owner of its own.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SettingsError(f"{path}: the exceptions cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, file: _File) -> None:
    unborn = path.with_name(f"{path.name}.new")
    try:
        folder = path.parent.stat()
        unborn.unlink(missing_ok=True)
        # Made anew: root must not write through a link that somebody else left here.
        with os.fdopen(os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640), "wb") as stream:
            # Root may add what a service with a user of its own has to read.
            with suppress(PermissionError):
                os.fchown(stream.fileno(), folder.st_uid, folder.st_gid)
            os.fchmod(stream.fileno(), 0o640)
            stream.write(msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        unborn.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: the exceptions cannot be written: {error.strerror}") from error


class Kept:
    """The exceptions of a file, read anew when it is another one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, ...] | None = None
        self._entries: tuple[Exemption, ...] = ()

    def entries(self) -> tuple[Exemption, ...]:
        """Give all exceptions, expired ones too. Raises `SourceError`."""
        identity = self.identity()
        if identity != self._identity:
            self._entries = load(self.path)
            self._identity = identity
        return self._entries

    def identity(self) -> tuple[int, ...]:
        """Tell this content of the file from every other; empty when there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return ()
        return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def in_force(entries: Iterable[Exemption], now: datetime) -> tuple[Exemption, ...]:
    return tuple(entry for entry in entries if entry.in_force(now))


def whitelisted(entries: Iterable[Exemption], path: Path) -> Iterator[whitelist.Entry]:
    """Give what a whitelist has to know of."""
    for entry in entries:
        if entry.value and entry.level is Level.HIDE:
            yield whitelist.Entry(entry.value, entry.reason, entry.place(path), below=True)


def never_blocked(entries: Iterable[Exemption]) -> tuple[str, ...]:
    """Give the addresses and networks that never stand on a block list."""
    return tuple(entry.source for entry in entries if entry.level is Level.NEVER_BLOCK)


def spellings(trail: str) -> frozenset[str]:
    """Give all values of trails that a person could mean by this text."""
    return frozenset((trail, *(reading.value for reading in canonical.readings(trail))))


class Exceptions:
    """Look-ups of trails that do not count. Takes the entries that are in force."""

    def __init__(self, entries: Iterable[Exemption] = (), path: Path = Path(FILE)) -> None:
        # For each spelling of a trail: why, and whose it must be; the narrowest network first.
        self._trails: dict[str, list[tuple[_Network | None, str]]] = {}
        excepted = [entry for entry in entries if entry.trail]
        for entry in sorted(excepted, key=width):
            network = ipaddress.ip_network(entry.source) if entry.source else None
            whom = f" from {entry.source}" if entry.source else ""
            said = f"{entry.trail}{whom} is an exception ({entry.place(path)}): {entry.reason}"
            for spelling in spellings(entry.trail):
                self._trails.setdefault(spelling, []).append((network, said))

    def hides(self, trail: str, source: str | None = None) -> str:
        """Say why a trail does not count for a canonical source address; empty when it does."""
        found = self._trails.get(trail)
        return _reason(found, source) if found is not None else ""


def width(entry: Exemption) -> int:
    """Order exceptions of one trail, the most exact first."""
    return -ipaddress.ip_network(entry.source).prefixlen if entry.source else 1


def _reason(found: Sequence[tuple[_Network | None, str]], source: str | None) -> str:
    address = ipaddress.ip_address(source) if source else None
    for network, said in found:
        if network is None or (address is not None and address in network):
            return said
    return ""
