"""What would hide a value: which entry of which file, or which come near it and why they do not."""

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from matchers import exceptions, whitelist
from matchers.exceptions import Exemption, Level
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.trail import TrailKind

_NAMES = (TrailKind.DOMAIN, TrailKind.TLD)
_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6)
_URLS = (TrailKind.URL, TrailKind.HTTP_HOST)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A sentence for each entry that hides a value, the one that decides first; and one for each that does not."""

    hidden: Sequence[str]
    others: Sequence[str]


def explain(
    value: str,
    source: str | None,
    entries: Sequence[Exemption],
    path: Path,
    files: Iterable[Path],
    now: datetime,
    suffixes: Iterable[str] = (),
) -> Explanation:
    """Explain a bare value by all exceptions, the whitelists in `files` and the built-in one, and local suffixes.

    `source` is a canonical address, None for any. Raises `SourceError` for a whitelist that cannot be read.
    """
    readings = canonical.readings(value)
    current = exceptions.in_force(entries, now)
    listed = whitelist.load(files, (*whitelist.local(suffixes), *exceptions.whitelisted(current, path)))
    hidden: list[str] = []
    others: list[str] = []
    for reading in readings:
        found = deciding(listed, reading)
        if found is not None:
            hidden.append(_of_whitelist(found, reading))
    for entry in sorted(entries, key=exceptions.width):
        near = _near(entry, readings, value)
        if near and entry not in current:
            others.append(f"{near} ran out ({entry.place(path)}): {entry.reason}")
        elif near and entry.level is Level.NEVER_BLOCK:
            others.append(f"{near} stands on no block list, but is not hidden ({entry.place(path)}): {entry.reason}")
        elif near and entry.trail:
            concerns = not entry.source or (source is not None and _inside(source, entry.source))
            (hidden if concerns else others).append(_of_trail(entry, path, concerns=concerns))
    if not hidden and not others:
        others.append(f"no entry is {readings[0].value if readings else value}, or above it or around it")
    return Explanation(tuple(dict.fromkeys(hidden)), tuple(others))


def deciding(listed: whitelist.Whitelist, reading: Indicator) -> whitelist.Entry | None:
    """Find the entry of the whitelist that decides on a reading."""
    host = _host(reading)
    if canonical.address(host):
        return listed.address(host)
    if reading.kind is TrailKind.CIDR:
        found = listed.address(str(ipaddress.ip_network(host).network_address))
        return found if found is not None and _inside(host, found.value) else None
    found = listed.name(host) if host else None
    if found is not None and reading.kind is TrailKind.URL and not found.below:
        return None  # What a list says of a host is not said of a URL on it.
    return found


def _host(reading: Indicator) -> str:
    """Give the name, address or network in a reading; empty when there is none."""
    kind, value = reading
    if kind in (*_NAMES, *_ADDRESSES, TrailKind.CIDR):
        return value
    if kind in (*_URLS, TrailKind.IP_PORT):
        return canonical.host_port(value.partition("/")[0])[0]
    return ""


def _near(entry: Exemption, readings: Iterable[Indicator], value: str) -> str:
    """Give what of an entry concerns a value, whether or not it is in force; empty when nothing does."""
    if entry.trail:
        wanted = exceptions.spellings(entry.trail)
        found = value.strip() in wanted or any(_meets(wanted, reading) for reading in readings)
        return f"the trail {entry.trail}" if found else ""
    of_entry = entry.value or entry.source
    return of_entry if any(_covers(of_entry, _host(reading)) for reading in readings) else ""


def _meets(wanted: frozenset[str], reading: Indicator) -> bool:
    return reading.value in wanted or any(text in wanted or _around(wanted, text) for text in _above(_host(reading)))


def _above(host: str) -> Iterator[str]:
    """Give a host and, of a name, all its parents: what it meets when they are trails."""
    if canonical.address(host) or "/" in host:
        yield host
        return
    while host:
        yield host
        host = host.partition(".")[2]


def _around(wanted: frozenset[str], host: str) -> bool:
    return canonical.address(host) is not None and any(_inside(host, text) for text in wanted)


def _covers(entry: str, host: str) -> bool:
    return host == entry or host.endswith(f".{entry}") or _inside(host, entry)


def _inside(inner: str, outer: str) -> bool:
    """Tell whether an address or network is inside another."""
    try:
        one, other = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    except ValueError:
        return False
    return one.version == other.version and one.prefixlen >= other.prefixlen and one.network_address in other


def _of_whitelist(entry: whitelist.Entry, reading: Indicator) -> str:
    if entry.below:
        reach = "all trails for it and below it"
    elif canonical.address(_host(reading)) or reading.kind is TrailKind.CIDR:
        reach = "all trails for addresses in it"
    else:
        reach = "trails that are no more exact than it"
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{entry.value} is whitelisted, which hides {reach} ({entry.place}){reason}"


def _of_trail(entry: Exemption, path: Path, *, concerns: bool) -> str:
    whom = f" from {entry.source}" if entry.source else ""
    verb = "is hidden" if concerns else "is hidden only"
    return f"the trail {entry.trail} {verb}{whom} ({entry.place(path)}): {entry.reason}"
