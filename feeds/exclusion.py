"""What keeps trails of feeds out: the site's own networks, what half the world uses, delivery networks, warning lists.

Keys of a harvest are sorted, so that all names below one, and all addresses, stand together: a list of a thousand names
is looked up among a million trails, and not the other way round. Trails of the site's own files are never kept out.
"""

import ipaddress
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

import re2

from feeds.harvest import Harvest
from feeds.hygiene import CANARY_ADDRESSES, CANARY_NAMES
from feeds.warninglists import WarningList
from matchers import layout
from matchers.trailset import value_of
from trailhound.canonical import address, host_port
from trailhound.trail import TrailClass, TrailKind

CDN = Path(__file__).parent / "lists" / "cdn.txt"
RESOLVERS = Path("/etc/resolv.conf")
_MANY = 20_000  # Keys from which it is quicker to look for networks than to look at each.
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Where an owner took over what was bad, or parked what was good, the address is meant, whoever hosts it.
_MEANT = frozenset({TrailClass.SINKHOLE, TrailClass.PARKED})


@dataclass(frozen=True, slots=True)
class Range:
    """A network that trails are kept out of. One that is `strict` also counts for URLs, sinkholes and parking."""

    network: _Network
    why: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class _Name:
    why: str
    below: bool = False
    above: bool = False


@dataclass(frozen=True, slots=True)
class _Anywhere:
    """What is looked for anywhere in values of some kinds."""

    why: str
    kinds: frozenset[TrailKind]
    search: Any


class Exclusion:
    """All that keeps trails out, ready to be looked up."""

    def __init__(self, ranges: Iterable[Range] = (), lists: Iterable[WarningList] = ()) -> None:
        self._exact: dict[bytes, str] = {}
        self._names: dict[bytes, _Name] = {}
        self._anywhere: list[_Anywhere] = []
        wide = list(ranges)
        for name in CANARY_NAMES:
            self._names[layout.text(name)[::-1]] = _Name("a name that everybody uses", above=True)
        for list_ in lists:
            wide += self._take(list_)
        self._halves = _halves(wide)
        self._ranges = {
            4: _Ranges(one for one in wide if one.network.version == 4),
            6: _Ranges(one for one in wide if one.network.version == 6),
        }

    def of(self, harvest: Harvest) -> dict[int, str]:
        """Give the places in `harvest.keys` of trails that are kept out, with what keeps each out."""
        found: dict[int, str] = {}
        meant = frozenset(place for place, row in enumerate(harvest.table) if row.facts.class_ in _MEANT)
        keys = harvest.keys
        found.update(self._by_anywhere(harvest))
        found.update(self._by_network(harvest, meant))
        found.update(self._by_name(keys))
        for key, why in self._exact.items():
            place = bisect_left(keys, key)
            if place < len(keys) and keys[place] == key:
                found[place] = why
        return found

    def _take(self, list_: WarningList) -> Iterator[Range]:
        why = f"on the warning list {list_.name}"
        for kind, value in list_.values:
            self._exact[layout.key(kind, value)] = why
        for name in list_.names:
            self._names.setdefault(layout.text(name)[::-1], _Name(why, below=True))
        if list_.parts:
            pattern = re.compile("|".join(map(re.escape, list_.parts)), re.IGNORECASE)
            self._anywhere.append(_Anywhere(why, list_.kinds, pattern.search))
        for text in list_.patterns:
            options = re2.Options()
            options.case_sensitive = False
            options.log_errors = False
            self._anywhere.append(_Anywhere(why, list_.kinds, re2.compile(text, options=options).search))
        return (Range(network, why) for network in list_.networks)

    def _by_anywhere(self, harvest: Harvest) -> Iterator[tuple[int, str]]:
        for one in self._anywhere:
            rows = frozenset(place for place, row in enumerate(harvest.table) if row.facts.kind in one.kinds)
            if rows:
                for place, (key, row) in enumerate(zip(harvest.keys, harvest.rows, strict=True)):
                    if row in rows and one.search(value_of(key)):
                        yield place, one.why

    def _by_name(self, keys: Sequence[bytes]) -> Iterator[tuple[int, str]]:
        start, end = _span(keys, layout.NAME)
        if len(self._names) * 8 < end - start:
            yield from self._listed_names(keys, start, end)
            return
        above = {name[:cut]: why for name, why in self._parents() for cut in _dots(name)}
        for place in range(start, end):
            name = keys[place][1:]
            known = self._names.get(name)
            if known is not None or name in above:
                yield place, known.why if known else above[name]
                continue
            for cut in _dots(name):
                parent = self._names.get(name[:cut])
                if parent is not None and parent.below:
                    yield place, parent.why
                    break

    def _parents(self) -> list[tuple[bytes, str]]:
        return [(name, listed.why) for name, listed in self._names.items() if listed.above]

    def _listed_names(self, keys: Sequence[bytes], start: int, end: int) -> Iterator[tuple[int, str]]:
        for name, listed in self._names.items():
            spelled = [name, *(name[:cut] for cut in _dots(name))] if listed.above else [name]
            for one in spelled:
                place = bisect_left(keys, layout.NAME + one, start, end)
                if place < end and keys[place] == layout.NAME + one:
                    yield place, listed.why
            if listed.below:
                prefix = layout.NAME + name + b"."
                place = bisect_left(keys, prefix, start, end)
                while place < end and keys[place].startswith(prefix):
                    yield place, listed.why
                    place += 1

    def _by_network(self, harvest: Harvest, meant: frozenset[int]) -> Iterator[tuple[int, str]]:
        for place, first, last, version, is_url in _places(harvest.keys, self._halves):
            found = self._ranges[version].meets(first, last)
            if found is not None and (found.strict or not (is_url or harvest.rows[place] in meant)):
                yield place, found.why


class _Ranges:
    """Networks of one family, as numbers."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._all = _Spans(given := list(ranges))
        self._strict = _Spans(one for one in given if one.strict)

    def meets(self, first: int, last: int) -> Range | None:
        return self._strict.meets(first, last) or self._all.meets(first, last)


class _Spans:
    """Networks, none of them inside another: of those that are, only the wider one is kept."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._ranges: list[Range] = []
        for one in sorted(ranges, key=lambda one: (int(one.network.network_address), one.network.prefixlen, one.why)):
            last = int(one.network.broadcast_address)
            if not self._lasts or last > self._lasts[-1]:
                self._firsts.append(int(one.network.network_address))
                self._lasts.append(last)
                self._ranges.append(one)

    def meets(self, first: int, last: int) -> Range | None:
        place = bisect_left(self._lasts, first)
        if place < len(self._firsts) and self._firsts[place] <= last:
            return self._ranges[place]
        return None


def site(home: Iterable[str], resolvers: Iterable[str] = ()) -> list[Range]:
    """Give what is the site's own, and the addresses that half the world speaks to."""
    found = [Range(ipaddress.ip_network(text), "in a home network", strict=True) for text in home]
    found += [Range(ipaddress.ip_network(text), "a resolver of this site", strict=True) for text in resolvers]
    known = "an address that everybody speaks to"
    return found + [Range(ipaddress.ip_network(text), known, strict=True) for text in CANARY_ADDRESSES]


def delivery(path: Path = CDN) -> list[Range]:
    """Read the list of delivery networks that comes with Trailhound."""
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [
        Range(ipaddress.ip_network(line), "in a delivery network that thousands of sites share")
        for line in lines
        if line
    ]


def resolvers(path: Path = RESOLVERS) -> list[str]:
    """Give the addresses of the resolvers that this host asks; none when the file cannot be read."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    words = (line.split() for line in lines)
    found = (address(word[1].partition("%")[0]) for word in words if len(word) > 1 and word[0] == "nameserver")
    return [one for one in found if one is not None]


def _dots(name: bytes) -> Iterator[int]:
    """Give where the labels of a name that is written back to front end, the shortest parent first."""
    place = name.find(b".")
    while place >= 0:
        yield place
        place = name.find(b".", place + 1)


def _span(keys: Sequence[bytes], prefix: bytes) -> tuple[int, int]:
    """Give where the keys of a prefix of one byte stand."""
    return bisect_left(keys, prefix), bisect_left(keys, bytes((prefix[0] + 1,)))


def _places(keys: Sequence[bytes], halves: Sequence[bytes]) -> Iterator[tuple[int, int, int, int, bool]]:
    """Give all keys that could be met: place, first and last address as numbers, family, whether it is a URL."""
    for place in _with_address(keys, layout.ADDRESS, halves):
        version, number = _number(keys[place][1:].partition(b"/")[0].decode())
        yield place, number, number, version, False
    for prefix, bits, version in ((layout.NETWORK4, 32, 4), (layout.NETWORK6, 128, 6)):
        for place in range(*_span(keys, prefix)):
            text = keys[place][1:].decode()
            yield place, int(text.ljust(bits, "0"), 2), int(text.ljust(bits, "1"), 2), version, False
    for place in _with_address(keys, layout.URL, halves):
        authority, _, path = keys[place][1:].partition(b"/")
        host = address(host_port(authority.decode())[0])
        if host is not None:
            version, number = _number(host)
            yield place, number, number, version, bool(path)


def _with_address(keys: Sequence[bytes], prefix: bytes, halves: Sequence[bytes]) -> Iterator[int]:
    """Give the keys whose address begins with one of `halves` (as `104.16.`), and those of IPv6."""
    start, end = _span(keys, prefix)
    if end - start < _MANY:
        yield from range(start, end)
        return
    for half in halves:
        place = bisect_left(keys, prefix + half, start, end)
        while place < end and keys[place].startswith(half, 1):
            yield place
            place += 1
    for place in range(start, end):
        if b":" in keys[place][:6]:  # The first group of IPv6 ends there, a port comes later.
            yield place


def _halves(ranges: Iterable[Range]) -> list[bytes]:
    """Give how the addresses of networks of IPv4 begin, by their first two numbers."""
    found = set()
    for one in ranges:
        network = one.network
        if isinstance(network, ipaddress.IPv4Network):
            whole = network.supernet(new_prefix=16) if network.prefixlen > 16 else network
            found |= {str(half.network_address).removesuffix("0.0").encode() for half in whole.subnets(new_prefix=16)}
    return sorted(found)


def _number(canonical: str) -> tuple[int, int]:
    if ":" in canonical:
        return 6, int.from_bytes(inet_pton(AF_INET6, canonical))
    return 4, int.from_bytes(inet_pton(AF_INET, canonical))
