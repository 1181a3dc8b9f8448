"""What never matches: names with all below them, addresses, networks.

A name is judged by its longest entry and a trail by its own length: an entry hides trails that are no more exact than
itself, so that `example.com` on the whitelist leaves a trail for `evil.example.com` in force. A network hides every
trail inside it: it is there because its addresses serve everybody. An entry that a person made on purpose hides all
below it too.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from pathlib import Path

from trailhound import canonical
from trailhound.errors import SourceError, TrailError
from trailhound.local_names import LOCAL_SUFFIXES


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a whitelist: the canonical value, why it is there, and where it was read.

    With `below` it hides also trails that are more exact than itself. `built_in` tells what comes with Trailhound.
    """

    value: str
    reason: str
    place: str
    below: bool = False
    built_in: bool = False


class Whitelist:
    """Look-ups of whitelisted values."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._names: dict[str, Entry] = {}
        self._networks: dict[tuple[int, int], dict[int, Entry]] = {}
        for entry in entries:
            self._add(entry)
        self._narrowest_first = sorted(self._networks, reverse=True)

    def _add(self, entry: Entry) -> None:
        try:
            network = ipaddress.ip_network(entry.value)
        except ValueError:
            self._names[entry.value] = entry
        else:
            self._networks.setdefault((network.version, network.prefixlen), {})[int(network.network_address)] = entry

    def __len__(self) -> int:
        return len(self._names) + sum(map(len, self._networks.values()))

    def name(self, name: str) -> Entry | None:
        """Find the longest entry that is this name or a parent of it; one that hides all below it comes first."""
        found = None
        while name:
            entry = self._names.get(name)
            if entry is not None and entry.below:
                return entry
            found = found or entry
            name = name.partition(".")[2]
        return found

    def address(self, address: str) -> Entry | None:
        """Find the narrowest entry for a canonical address: itself or a network around it.

        As with names, one that hides all below it comes first.
        """
        parsed = ipaddress.ip_address(address)
        number, bits = int(parsed), parsed.max_prefixlen
        found = None
        for version, length in self._narrowest_first:
            if version == parsed.version:
                entry = self._networks[version, length].get(number >> (bits - length) << (bits - length))
                if entry is not None and entry.below:
                    return entry
                found = found or entry
        return found


def load(files: Iterable[Path], more: Iterable[Entry] = (), *, builtin: bool = True) -> Whitelist:
    """Read the built-in whitelist and those of the site; `more` is stronger than both.

    Raises `SourceError` for a line that is neither a name nor a network.
    """
    return Whitelist(chain(entries(files, builtin=builtin), more))


def entries(files: Iterable[Path], *, builtin: bool = True) -> Iterator[Entry]:
    """Give the lines of the built-in whitelist and those of the site, as `load` takes them."""
    if builtin:
        text = resources.files("matchers").joinpath("whitelist.txt").read_text("utf-8")
        yield from read(text, "built in", built_in=True)
    for file in files:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{file}: the whitelist cannot be read: {error}") from error
        yield from read(text, str(file))


def local(suffixes: Iterable[str]) -> Iterator[Entry]:
    """Give the suffixes of local names: nothing in them is anybody's but the site's own, however exact the trail."""
    for suffix in suffixes:
        reason = LOCAL_SUFFIXES.get(suffix, "a local suffix of this site")
        yield Entry(suffix, reason, "the setting trails.local_suffixes", below=True)


def read(text: str, place: str, *, built_in: bool = False) -> Iterator[Entry]:
    """Read `value  # reason` lines."""
    for number, line in enumerate(text.splitlines(), 1):
        value, _, reason = line.partition("#")
        if not value.strip():
            continue
        where = f"{place}, line {number}"
        yield Entry(_value(value.strip(), where), reason.strip(), where, built_in=built_in)


def _value(value: str, place: str) -> str:
    try:
        return canonical_value(value)
    except TrailError as error:
        raise SourceError(f"{place}: {error}") from error


def canonical_value(text: str) -> str:
    """Give the canonical form of a name, an address or a network. Raises `TrailError` when it is none."""
    try:
        return canonical.network(text).value
    except TrailError:
        name = canonical.name(text.removeprefix("*.").strip("."))
        if name is None:
            raise TrailError(f"{text!r} is neither a name nor an address nor a network") from None
        return name
