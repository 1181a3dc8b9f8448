"""Threats that have something to do with one: the same trail or source, the same domain or network, about that time."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from stores.contract import Query, Store, Threat
from stores.search.expression import Word, Words
from trailhound import canonical
from trailhound.record import MICROSECONDS
from trailhound.trail import TrailKind

HOUR = 3600 * MICROSECONDS
_EACH = 200  # Threats that are looked at for each reason, the riskiest first.
_NAMED = (TrailKind.DOMAIN, TrailKind.WILDCARD, TrailKind.URL, TrailKind.HTTP_HOST)
_ADDRESSED = (TrailKind.IPV4, TrailKind.IP_PORT)


class Relation(StrEnum):
    """What two threats have in common."""

    TRAIL = "trail"
    DOMAIN = "domain"
    TRAIL_NETWORK = "trail-network"
    SOURCE = "source"
    SOURCE_NETWORK = "source-network"


# Another host that met the same trail says most: it spreads. What one host met besides comes next to what is alike.
_WEIGHTS: Mapping[Relation, int] = {
    Relation.TRAIL: 16,
    Relation.SOURCE: 8,
    Relation.DOMAIN: 4,
    Relation.TRAIL_NETWORK: 2,
    Relation.SOURCE_NETWORK: 1,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a threat is related: what is the same, as a value."""

    relation: Relation
    value: str


@dataclass(frozen=True, slots=True)
class Related:
    """A threat with all reasons why it is related, the weightiest first."""

    threat: Threat
    reasons: Sequence[Reason]

    @property
    def rank(self) -> tuple[int, float, str]:
        return -sum(_WEIGHTS[reason.relation] for reason in self.reasons), -self.threat.risk, self.threat.id


def related(store: Store, threat: Threat, *, since: int, until: int, limit: int) -> Sequence[Related]:
    """Give what is related to a threat in this period, the most related first."""
    found: dict[str, Related] = {}
    within = Query(since=since, until=until, not_threats=(threat.id,))
    for reason, narrowed in _reasons(threat, within):
        for other in store.threats(narrowed, limit=_EACH).threats:
            known = found.get(other.id, Related(other, ()))
            found[other.id] = replace(known, reasons=(*known.reasons, reason))
    return sorted(found.values(), key=lambda one: one.rank)[:limit]


def about(threat: Threat, hours: int) -> tuple[int, int]:
    """Give the period from so many hours before a threat until so many after it."""
    return max(threat.first - hours * HOUR, 0), threat.last + hours * HOUR + 1


def _reasons(threat: Threat, within: Query) -> Iterator[tuple[Reason, Query]]:
    yield Reason(Relation.TRAIL, threat.trail), replace(within, trails=(threat.trail,), kinds=(threat.kind,))
    if threat.source is not None:
        yield Reason(Relation.SOURCE, threat.source), replace(within, sources=(threat.source,))
    domain = _domain(threat)
    if domain is not None:
        patterns = (domain, f"*.{domain}", f"{domain}/*", f"*.{domain}/*")
        where = Words(Word.TRAIL, patterns)
        yield Reason(Relation.DOMAIN, domain), replace(within, kinds=_NAMED, where=where)
    octets = _octets(threat)
    if octets is not None:
        where = Words(Word.TRAIL, (f"{octets}.*",))
        yield Reason(Relation.TRAIL_NETWORK, f"{octets}.0/24"), replace(within, kinds=_ADDRESSED, where=where)
    network = _network(threat.source)
    if network is not None:
        yield Reason(Relation.SOURCE_NETWORK, network), replace(within, sources=(network,))


def _domain(threat: Threat) -> str | None:
    """Give the domain that somebody registered, of what a trail names."""
    if threat.kind not in _NAMED:
        return None
    host = canonical.host_port(threat.trail.partition("/")[0])[0]
    name = canonical.name(host.removeprefix("*."))
    return _suffixes().privatesuffix(name) if name is not None else None


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _octets(threat: Threat) -> str | None:
    """Give what the addresses of a trail's network begin with; those of version 6 have no common beginning in text."""
    if threat.kind not in _ADDRESSED or threat.trail.count(".") != 3:
        return None
    return threat.trail.rpartition(".")[0]


def _network(source: str | None) -> str | None:
    """Give the network of a public source; that of an inner host is everybody's."""
    try:
        address = ipaddress.ip_address(source or "")
    except ValueError:
        return None
    if not address.is_global:
        return None
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 64), strict=False))
