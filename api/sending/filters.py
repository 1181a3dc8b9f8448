"""Which events a target gets."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from trailhound.sending import Target
from trailhound.severity import Severity


class Filter:
    """The conditions of one target, put together once."""

    def __init__(self, target: Target) -> None:
        self._least = int(Severity[target.min_severity.upper()])
        self._wanted = tuple(
            (path, frozenset(str(value) for value in values))
            for path, values in (
                (("trailhound", "class"), target.classes),
                (("trailhound", "group"), target.groups),
                (("network", "direction"), target.directions),
                (("observer", "name"), target.sensors),
            )
            if values
        )
        self._feeds = frozenset(target.feeds)
        self._networks = tuple(ipaddress.ip_network(network) for network in target.networks)

    def wants(self, document: Mapping[str, Any]) -> bool:
        if _at(document, "event", "severity") < self._least:
            return False
        if any(_at(document, *path) not in values for path, values in self._wanted):
            return False
        if self._feeds and self._feeds.isdisjoint(_at(document, "trailhound", "sources") or ()):
            return False
        return not self._networks or any(map(self._is_within, _ends(document)))

    def _is_within(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._networks if network.version == address.version)


def _at(document: Mapping[str, Any], section: str, name: str) -> Any:
    return document.get(section, {}).get(name)


def _ends(document: Mapping[str, Any]) -> Iterator[str]:
    for end in ("source", "destination"):
        address = _at(document, end, "ip")
        if address:
            yield str(address)
