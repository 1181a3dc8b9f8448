"""Logs that a site has of its own: the settings say which column holds what."""

from collections.abc import Iterator, Mapping

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends
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
                    rest = value.partition("://")[2] or value
                    authority, slash, path = rest.partition("/")
                    yield Sighting(sight, authority, "url.original", path=slash + path)
                    yield Sighting(Sight.NAME, authority, "url.domain")
                else:
                    yield Sighting(sight, value, f"zeek.{log}.{column}")
        yield from ends(record)

    probes = {**ENDS, **{column: _KINDS[kind][0] for column, kind in columns.items()}}
    return Observer(log=log, probes=probes, observe=observe)
