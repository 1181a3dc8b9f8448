"""Which addresses stand on a block list."""

import ipaddress
import socket
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Lock
from typing import Literal

import structlog

from matchers.exceptions import Exemption, Kept, in_force, never_blocked, path_in
from stores.contract import Query, Store
from trailhound import canonical
from trailhound.errors import SourceError
from trailhound.record import MICROSECONDS
from trailhound.settings import Settings
from trailhound.severity import Direction
from trailhound.trail import TrailClass

Family = Literal["4", "6", "any"]
# Classes that say of the source itself that it attacks. The others speak of what an inner host called or received
# (malware, c2, phishing), or of addresses that many honest people share (anonymizer, suspicious, policy).
LISTED_CLASSES = (
    TrailClass.ATTACKER,
    TrailClass.SCANNER,
    TrailClass.SPAM,
    TrailClass.EXPLOIT,
    TrailClass.HEURISTIC,
)
_HOUR = 3600 * MICROSECONDS
_MINUTE = 60 * MICROSECONDS
_log = structlog.get_logger("lists")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Networks:
    """A set of networks of both families, with a fast answer to whether an address is inside.

    Addresses and networks that map IPv4 into IPv6 count as IPv4.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        parsed = [_parse(text) for text in networks]
        self._ranges = {
            4: _ranges([n for n in parsed if isinstance(n, ipaddress.IPv4Network)]),
            6: _ranges([n for n in parsed if isinstance(n, ipaddress.IPv6Network)]),
        }

    def holds(self, address: str) -> bool:
        """Tell whether a canonical address is in one of the networks."""
        family, version = (socket.AF_INET6, 6) if ":" in address else (socket.AF_INET, 4)
        starts, ends = self._ranges[version]
        if not starts:
            return False
        number = int.from_bytes(socket.inet_pton(family, address))
        place = bisect_right(starts, number) - 1
        return place >= 0 and number <= ends[place]


def _parse(text: str) -> _Network:
    return ipaddress.ip_network(canonical.network(text).value)


def _ranges(networks: Sequence[_Network]) -> tuple[list[int], list[int]]:
    collapsed: Sequence[_Network] = sorted(ipaddress.collapse_addresses(networks))  # type: ignore[type-var]
    return [int(n.network_address) for n in collapsed], [int(n.broadcast_address) for n in collapsed]


@dataclass(frozen=True, slots=True)
class BlockList:
    """One address a line, and the entity tag that names this content. `state` is what the list was made from."""

    body: bytes
    tag: str
    state: tuple[object, ...]


class BlockLists:
    """Make block lists, and keep the last of each family until the store or the minute is another.

    Many firewalls ask at the same time; one of them waits for the work, and the others for that one.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._hours = settings.api.list_hours
        self._limit = settings.api.list_limit
        # The store gives public addresses only, so that of the home networks those are left to check that are public.
        self._home = Networks([text for text in settings.networks.home if _parse(text).is_global])
        self._exceptions = Kept(path_in(settings.state_dir))
        self._entries: tuple[Exemption, ...] | None = None
        self._trouble = ""
        self._kept: dict[Family, BlockList] = {}
        self._lock = Lock()

    def get(self, family: Family, now: int) -> BlockList:
        """Give the addresses that attacked within `api.list_hours`, strongest first, at most `api.list_limit`."""
        with self._lock:
            since = max(0, (now - self._hours * _HOUR) // _MINUTE * _MINUTE)
            never = self._never_blocked(now)
            state = (since, never, astuple(replace(self._store.summary(Query()), by={})))
            kept = self._kept.get(family)
            if kept is None or kept.state != state:
                kept = self._kept[family] = self._make(family, since, never, state)
            return kept

    def _never_blocked(self, now: int) -> tuple[str, ...]:
        """Give the networks that people excepted; the last known ones while their file cannot be read.

        Raises `SourceError` when none were ever known, since a list could then block whom it must not.
        """
        try:
            self._entries = self._exceptions.entries()
            self._trouble = ""
        except SourceError as error:
            if self._entries is None:
                raise
            if self._trouble != str(error):
                self._trouble = str(error)
                _log.error("the exceptions in force stay in force", reason=self._trouble)
        return never_blocked(in_force(self._entries, datetime.fromtimestamp(now / MICROSECONDS, UTC)))

    def _make(self, family: Family, since: int, never: tuple[str, ...], state: tuple[object, ...]) -> BlockList:
        spared = Networks(never)
        body = "".join(f"{address}\n" for address in self._addresses(family, since, spared)).encode("ascii")
        # Weak: the same list is served plain and compressed.
        return BlockList(body, f'W/"{blake2b(body, digest_size=16).hexdigest()}"', state)

    def _addresses(self, family: Family, since: int, spared: Networks) -> Sequence[str]:
        query = Query(since=since, directions=(Direction.INBOUND,), classes=LISTED_CLASSES)
        asked = self._limit
        while True:
            found = self._store.attackers(query, limit=asked)
            addresses = [one.address for one in found if _is_of(family, one.address)]
            kept = [address for address in addresses if not (self._home.holds(address) or spared.holds(address))]
            if len(kept) >= self._limit or len(found) < asked:
                return kept[: self._limit]
            # Some of what the limit let through was left out; what comes after it has a place on the list.
            asked *= 4


def _is_of(family: Family, address: str) -> bool:
    return family == "any" or (":" in address) == (family == "6")
