"""Who never stands on a list: home networks, exceptions, whitelists, what a person allowed."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from api.networks import Networks, parse
from matchers import whitelist
from matchers.exceptions import Exemption, Kept, in_force, never_blocked, path_in, whitelisted
from trailhound.errors import SourceError, TrailError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings

_log = structlog.get_logger("lists")
# Addresses that mean no host of the internet; a range that a person blocks may reach over some of them.
_NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/3", "::/96", "fc00::/7", "fe80::/10", "ff00::/8"),
)
_MOST_PARTS = 1000
Mark: TypeAlias = tuple[object, ...]
_T = TypeVar("_T")


class Spared:
    """Addresses and names that must not be blocked, as they are at one moment."""

    def __init__(self, lines: Sequence[whitelist.Entry], values: Iterable[str]) -> None:
        """Spare what stands on a whitelist, and `values`: networks, and names with all below them."""
        values = [*values, *(line.value for line in lines)]
        networks = [value for value in values if _is_network(value)]
        below = [whitelist.Entry(value, "", "", below=True) for value in values[: len(values) - len(lines)]]
        self._addresses = Networks(networks)
        self._around = Networks([*networks, *_NOT_PUBLIC])
        self._names = whitelist.Whitelist([*lines, *below])

    def address(self, address: str) -> bool:
        return self._addresses.holds(address)

    def name(self, name: str) -> bool:
        """Tell whether a name is spared: a line of a whitelist hides what is no more exact than itself."""
        entry = self._names.name(name)
        return entry is not None and (entry.below or entry.value == name)

    def rest(self, network: str) -> Sequence[str]:
        """Give the parts of a network that may be blocked; none of it when there are too many."""
        found: list[str] = []
        for part in self._around.rest(parse(network)):
            if len(found) == _MOST_PARTS:
                _log.error("a range is not blocked: there is too much in it that must not be", range=network)
                return ()
            found.append(str(part))
        return found


class Sparing:
    """Knows who is spared, and reads what people wrote of it again when that is another."""

    def __init__(self, settings: Settings) -> None:
        self._files = settings.trails.whitelist
        self._local = tuple(whitelist.local(settings.trails.local_suffixes))
        # The store gives public addresses only, so that of the home networks those are left that are public.
        self._home = tuple(text for text in settings.networks.home if parse(text).is_global)
        self._exceptions = Kept(path_in(settings.state_dir))
        self._entries: tuple[Exemption, ...] | None = None
        self._lines: tuple[whitelist.Entry, ...] | None = None
        self._read: Mark | None = None
        self._trouble = ""

    def at(self, now: int) -> tuple[Mark, Callable[[Iterable[str]], Spared]]:
        """Give what tells who is spared at a moment, and how to make it, with more values that are spared too.

        The last known exceptions and whitelists count while they cannot be read. Raises `SourceError` when they never
        could, since a list could then block whom it must not.
        """
        self._entries = self._known(self._entries, self._exceptions.entries)
        self._lines = self._known(self._lines, self._whitelists)
        entries = in_force(self._entries, datetime.fromtimestamp(now / MICROSECONDS, UTC))
        lines = (*self._lines, *whitelisted(entries, self._exceptions.path))
        never = (*self._home, *never_blocked(entries))
        return (entries, self._read), lambda more: Spared(lines, (*never, *more))

    def _known(self, last: _T | None, read: Callable[[], _T]) -> _T:
        try:
            found = read()
        except SourceError as error:
            if last is None:
                raise
            if self._trouble != str(error):
                self._trouble = str(error)
                _log.error("who is known to be spared stays spared", reason=self._trouble)
            return last
        return found

    def _whitelists(self) -> tuple[whitelist.Entry, ...]:
        identity: Mark = tuple(_identity(file) for file in self._files)
        if self._lines is None or identity != self._read:
            self._read = identity
            return (*whitelist.entries(self._files), *self._local)
        return self._lines


def _identity(path: Path) -> Mark:
    with suppress(OSError):
        status = path.stat()
        return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return ()


def _is_network(value: str) -> bool:
    try:
        parse(value)
    except TrailError:
        return False
    return True
