"""Hosts of the site by their risk: what the store knows of their threats, with the tactics that these stand for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from api import triaging
from matchers import behaviour, heuristics
from matchers.findings import SOURCE
from stores.contract import Query, Store, Threat
from stores.cursors import Key, read, write
from stores.desk import Desk
from stores.desk.contract import TriageState
from stores.host import HostRisk, Met, risk_of_host
from trailhound.errors import SettingsError
from trailhound.settings import Settings
from trailhound.severity import Direction
from trailhound.tactics import OF_CLASS
from trailhound.trail import TrailKind

HOUR = 3600 * 1_000_000
# Threats that are added up for one answer, the heaviest of the period: what comes after them are mild ones.
MOST = 1_000
_UNSETTLED = (TriageState.NEW, TriageState.INVESTIGATING)
# Which way records of our hosts go: to ask for that is quicker than to compare addresses with all home networks.
_FROM_OURS = (Direction.OUTBOUND, Direction.INTERNAL)
_ORDER = "host risk"
_HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class HostPage:
    """Hosts, the one at the highest risk first, as of a time; `is_partial`: there were more threats than `MOST`.

    Threats count from `since` on.
    """

    hosts: Sequence[HostRisk]
    total: int
    next: str | None
    at: int
    since: int
    is_partial: bool


def hosts(
    store: Store, desk: Desk, settings: Settings, query: Query, *, now: int, limit: int, cursor: str | None = None
) -> HostPage:
    """Give a page of hosts. Raises `StoreError` for what is no cursor of it."""
    # The pages that follow are of the time of the first: risks fall by the minute.
    after = None if cursor is None else read(cursor, _ORDER, (int, int, str))
    at = now if after is None else min(int(after[0]), now)
    query = replace(query, since=_since(query, settings, at))
    narrowed = _narrowed(query, desk, store)
    if narrowed is None:
        return HostPage((), 0, None, at, query.since or 0, is_partial=False)
    page = store.threats(narrowed, limit=MOST)
    ranked = sorted(((_key(one, at), one) for one in _by_host(page.threats, settings, at)), key=lambda pair: pair[0])
    left = [pair for pair in ranked if after is None or pair[0] > _sorting(after)]
    shown = [one for _, one in left[:limit]]
    following = write(_ORDER, (at, round(shown[-1].risk * _HUNDREDTHS), shown[-1].address)) if left[limit:] else None
    return HostPage(shown, len(ranked), following, at, query.since or 0, is_partial=page.next is not None)


def host(store: Store, desk: Desk, settings: Settings, query: Query, address: str, *, now: int) -> HostRisk:
    """Add up the threats of one host, whether it is of the site or not."""
    query = replace(query, sources=(address,), since=_since(query, settings, now))
    narrowed = triaging.narrowed(query, _UNSETTLED, desk, store)
    threats = store.threats(narrowed, limit=MOST).threats if narrowed is not None else ()
    return _risk(address, threats, settings, now)


@lru_cache(maxsize=1)
def _tactics() -> Mapping[str, str]:
    """Give the tactic of each heuristic and behaviour by its name, and by the title that its finds have."""
    try:
        known = [*heuristics.registry().values(), *behaviour.registry().values()]
    except SettingsError:
        # A package of the site's own is broken, which whoever runs the heuristics is told; ours are not.
        known = [*heuristics.BUILT_IN, *behaviour.BUILT_IN]
    return {word: one.technique.tactic for one in known if one.technique is not None for word in (one.name, one.title)}


def tactic_of(threat: Threat) -> str | None:
    """Tell the tactic that a threat stands for: that of the heuristic which found it, else that of its class."""
    if threat.kind is TrailKind.RULE and threat.trail in _tactics():
        return _tactics()[threat.trail]
    if SOURCE in threat.sources and threat.info in _tactics():
        return _tactics()[threat.info]
    return OF_CLASS[threat.class_]


def _risk(address: str, threats: Iterable[Threat], settings: Settings, at: int) -> HostRisk:
    met = [Met(one, tactic_of(one)) for one in threats]
    return risk_of_host(address, met, at=at, half_life=round(settings.hosts.half_life_hours * HOUR))


def _by_host(threats: Iterable[Threat], settings: Settings, at: int) -> Iterable[HostRisk]:
    by_source: dict[str, list[Threat]] = {}
    for one in threats:
        if one.source is not None:
            by_source.setdefault(one.source, []).append(one)
    return (_risk(address, those, settings, at) for address, those in by_source.items())


def _key(one: HostRisk, at: int) -> tuple[int, str]:
    return _sorting((at, round(one.risk * _HUNDREDTHS), one.address))


def _sorting(key: Key) -> tuple[int, str]:
    _, risk, address = key
    return -int(risk), str(address)


def _since(query: Query, settings: Settings, at: int) -> int:
    return query.since if query.since is not None else max(0, at - settings.hosts.days * 24 * HOUR)


def _narrowed(query: Query, desk: Desk, store: Store) -> Query | None:
    """Narrow a query to threats of our own hosts that nobody has settled; None when there can be none."""
    directions = tuple(one for one in _FROM_OURS if not query.directions or one in query.directions)
    return triaging.narrowed(replace(query, directions=directions), _UNSETTLED, desk, store) if directions else None
