"""Logs that a site has of its own: the settings say which column holds what."""

from collections.abc import Iterator, Mapping

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends
from trailhound.canonical import address, host_port, split_url
from trailhound.record import Record

_KINDS: Mapping[str, tuple[Probe, Sight]] = {
    "address": (Probe.ADDRESS, Sight.ADDRESS),
    "name": (Probe.NAME, Sight.NAME),
    "url": (Probe.URL, Sight.URL),
    "user-agent": (Probe.AGENT, Sight.AGENT),
    "certificate": (Probe.HASH, Sight.CERTIFICATE),
    "file-hash": (Probe.HASH, Sight.FILE),
    "email": (Probe.EMAIL, Sight.EMAIL),
}


def custom(log: str, columns: Mapping[str, str]) -> Observer:
    """Make the observer of a log from the kinds of value in its columns."""

    def observe(record: Record) -> Iterator[Sighting]:
        for column, kind in columns.items():
            sight = _KINDS[kind][1]
            for value in record.texts(column):
                if sight is Sight.URL:
                    yield from _url(value)
                else:
                    # Columns of names hold addresses too, as those of DNS answers do.
                    is_address = sight is Sight.NAME and address(value)
                    yield Sighting(Sight.ADDRESS if is_address else sight, value, f"zeek.{log}.{column}")
        yield from ends(record)

    probes = {**ENDS, **{column: _KINDS[kind][0] for column, kind in columns.items()}}
    return Observer(log=log, probes=probes, observe=observe)


def _url(text: str) -> Iterator[Sighting]:
    _, authority, path = split_url(text)
    host, port = host_port(authority)
    yield Sighting(Sight.URL, authority, "url.original", path=path or "/")
    yield Sighting(Sight.ADDRESS if address(host) else Sight.NAME, host, "url.domain", port=port)
