"""The countries of addresses, by a database of this host (MMDB). Without one no address has a country.

The reader is the one in Python, on a copy in memory: a file that is cut off or made up can only make it raise. The
faster one maps the file, and whoever shortens a mapped file ends the process.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import maxminddb
import structlog
from maxminddb import InvalidDatabaseError, Reader

MAX_BYTES = 2**30
REMEMBERED = 131_072  # Addresses, with 150 bytes each.
LOOK_SECONDS = 2.0
_CODE = re.compile(r"[A-Z]{2}")
_UNASSIGNED = "ZZ"
# What the reader raises for a file that is none: its own error, and what the pieces of it come to.
_BROKEN = (InvalidDatabaseError, ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError)
_log = structlog.get_logger("countries")


class _Stamp(NamedTuple):
    """What changes when a file does."""

    inode: int
    size: int
    changed: int


class Countries:
    """Tells of addresses in which country they are. May be asked by any thread."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._turn = Lock()
        self._reader: Reader | None = None
        self._known: dict[str, str | None] = {}
        self._stamp: _Stamp | None = None
        self._look_at = 0.0
        self._problem: str | None = None

    @property
    def is_set(self) -> bool:
        return self._path is not None

    @property
    def version(self) -> object:
        """Give what differs when answers may."""
        self._look()
        return self._stamp

    @property
    def problem(self) -> str | None:
        """Say why the database cannot be used, or not as it is now; None when all is well, or there is none."""
        self._look()
        return self._problem

    def of(self, address: str | None) -> str | None:
        """Give the country (ISO 3166, two letters) of a canonical address; None for all else, and where none is known.

        A database that turns out to be broken is not asked again until it changes.
        """
        if self._path is None or address is None:
            return None
        self._look()
        reader, known = self._reader, self._known
        if reader is None:
            return None
        if address not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            known[address] = self._asked(reader, address)
        return known.get(address)

    def first(self, addresses: Iterable[str | None]) -> str | None:
        """Give the country of the first of these that has one."""
        return next((country for address in addresses if (country := self.of(address)) is not None), None)

    def _asked(self, reader: Reader, text: str) -> str | None:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None  # A log may have anything where an address belongs.
        if not address.is_global or (address.version == 6 and reader.metadata().ip_version == 4):
            return None
        try:
            return _country(reader.get(address))
        except _BROKEN as error:
            with self._turn:
                if self._reader is reader:
                    self._reader = None
                    self._fail(f"it is broken: {error}")
            return None

    def _look(self) -> None:
        """Read the database when it is not the one that was read last."""
        if self._path is None or self._clock() < self._look_at:
            return
        with self._turn:
            if self._clock() < self._look_at:
                return
            self._look_at = self._clock() + LOOK_SECONDS
            try:
                found = self._path.stat()
            except OSError as error:
                self._stamp = None
                self._fail(f"it cannot be read: {error.strerror}")
                return
            stamp = _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
            if stamp != self._stamp:
                self._stamp = stamp
                self._read(self._path, stamp)

    def _read(self, path: Path, stamp: _Stamp) -> None:
        if stamp.size > MAX_BYTES:
            self._fail(f"it is larger than {MAX_BYTES >> 20:,} MB, so it is no database of countries")
            return
        try:
            reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
            kind = reader.metadata().database_type
        except OSError as error:
            self._fail(f"it cannot be read: {error.strerror}")
        except _BROKEN as error:
            self._fail(f"a database in MaxMind's format (MMDB) was expected: {error}")
        else:
            if "asn" in str(kind).lower() and "country" not in str(kind).lower():
                self._fail(f"a database with countries was expected, and this is {str(kind)[:80]!r}")
                return
            self._reader, self._known, self._problem = reader, {}, None
            _log.info("countries read", path=str(path), type=str(kind)[:80])

    def _fail(self, reason: str) -> None:
        """Keep what was read before, if there is any, and say why nothing newer is."""
        said = f"countries.database: {self._path}: {reason}"
        if self._reader is not None:
            said += "; what was read before stays in use"
        if said != self._problem:
            _log.warning("countries cannot be read", reason=said)
        self._problem = said


def _country(record: object) -> str | None:
    """Read a record of GeoLite2 and DB-IP (`country.iso_code`), or of IPinfo (`country`, `country_code`)."""
    if not isinstance(record, Mapping):
        return None
    # IPinfo has the name of the country in `country` where it has its code in a field of its own.
    place = record.get("country_code", record.get("country", record.get("registered_country")))
    code = place.get("iso_code") if isinstance(place, Mapping) else place
    return code if isinstance(code, str) and _CODE.fullmatch(code) and code != _UNASSIGNED else None
