"""What never matches: names with all below them, addresses, networks.

A name is judged by its longest entry and a trail by its own length: an entry hides trails that are no more exact than
itself, so that `example.com` on the whitelist leaves a trail for `evil.example.com` in force. A network hides every
trail inside it: it is there because its addresses serve everybody.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from trailhound import canonical
from trailhound.errors import SourceError, TrailError


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a whitelist: the canonical value, why it is there, and where it was read."""

    value: str
    reason: str
    place: str


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
        """Find the longest entry that is this name or a parent of it."""
        while name:
            entry = self._names.get(name)
            if entry is not None:
                return entry
            name = name.partition(".")[2]
        return None

    def address(self, address: str) -> Entry | None:
        """Find the narrowest entry for a canonical address: itself or a network around it."""
        parsed = ipaddress.ip_address(address)
        number, bits = int(parsed), parsed.max_prefixlen
        for version, length in self._narrowest_first:
            if version == parsed.version:
                entry = self._networks[version, length].get(number >> (bits - length) << (bits - length))
                if entry is not None:
                    return entry
        return None


def load(files: Iterable[Path], *, builtin: bool = True) -> Whitelist:
    """Read the built-in whitelist and those of the site.

    Raises `SourceError` for a line that is neither a name nor a network.
    """
    return Whitelist(_entries(files, builtin=builtin))


def _entries(files: Iterable[Path], *, builtin: bool) -> Iterator[Entry]:
    if builtin:
        text = resources.files("matchers").joinpath("whitelist.txt").read_text("utf-8")
        yield from read(text, "built in")
    for file in files:
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{file}: the whitelist cannot be read: {error}") from error
        yield from read(text, str(file))


def read(text: str, place: str) -> Iterator[Entry]:
    """Read `value  # reason` lines."""
    for number, line in enumerate(text.splitlines(), 1):
        value, _, reason = line.partition("#")
        if not value.strip():
            continue
        yield Entry(_value(value.strip(), f"{place}, line {number}"), reason.strip(), f"{place}, line {number}")


def _value(value: str, place: str) -> str:
    try:
        return canonical.network(value).value
    except TrailError:
        name = canonical.name(value.removeprefix("*.").strip("."))
        if name is None:
            raise SourceError(f"{place}: {value!r} is neither a name nor an address nor a network") from None
        return name
