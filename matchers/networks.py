"""What is ours: home networks, and the direction that they give to a record."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from trailhound.record import Record
from trailhound.severity import Direction


class HomeNetworks:
    """Tells home from abroad."""

    def __init__(self, networks: Iterable[str]) -> None:
        self.networks = tuple(ipaddress.ip_network(network) for network in networks)
        self.is_home = lru_cache(maxsize=65_536)(self._is_home)

    def _is_home(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return any(parsed.version == network.version and parsed in network for network in self.networks)

    def direction(self, record: Record, source: str | None, destination: str | None) -> Direction:
        """Tell which way a record went.

        Zeek's own word (`local_orig`, `local_resp`) counts for addresses of the public Internet that the settings do
        not know as home; for others it does not, since Zeek takes documentation ranges for local.
        """
        from_home = self._home_end(source, record.fields.get("local_orig"))
        to_home = self._home_end(destination, record.fields.get("local_resp"))
        if from_home:
            return Direction.INTERNAL if to_home else Direction.OUTBOUND
        return Direction.INBOUND if to_home else Direction.EXTERNAL

    def _home_end(self, address: str | None, said_by_zeek: object) -> bool:
        if address is None:
            return False
        return self.is_home(address) or (said_by_zeek is True and is_public(address))


@lru_cache(maxsize=65_536)
def is_public(address: str) -> bool:
    """Tell whether a canonical address belongs to one host of the public Internet."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_global and not parsed.is_multicast
