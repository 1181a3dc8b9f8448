"""The store as somebody sees it who may see some networks only, or no trails of the site's own.

It stands in place of the store in every route, so a route that forgets about either still gives nothing away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from api.access.principal import Principal
from api.lookup import Explanation, TrailLookup, TrailSetInfo
from api.networks import Networks
from stores.contract import (
    Acknowledgement,
    Attacker,
    Bucket,
    Dimension,
    Distinct,
    EventOrder,
    EventPage,
    Query,
    Seen,
    SensorStatus,
    Store,
    Summary,
    Threat,
    ThreatOrder,
    ThreatPage,
    Top,
)
from trailhound import canonical
from trailhound.errors import StoreUnavailable
from trailhound.event import Event


def seen_by(principal: Principal, store: Store) -> Store:
    """Give the store as this principal sees it."""
    return Sight(store, principal) if principal.is_restricted or not principal.sees_custom else store


def sees_all_of(principal: Principal, source: str | None) -> bool:
    """Tell whether somebody sees every event of the threats of a source, whatever else there may be."""
    return not principal.is_restricted or _is_inside(Networks(principal.networks), source or "")


class Sight:
    """`stores.contract.Store` for reading, narrowed to what one principal may see."""

    def __init__(self, store: Store, principal: Principal) -> None:
        self._store = store
        self._principal = principal
        self._networks = Networks(principal.networks)

    def event(self, event_id: str) -> Mapping[str, Any] | None:
        found = self._store.event(event_id)
        return found if found is not None and self._shows(found) else None

    def events(
        self, query: Query, *, order: EventOrder = EventOrder.NEWEST, limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        return self._store.events(self._narrowed(query), order=order, limit=limit, cursor=cursor)

    def count(self, query: Query) -> int:
        return self._store.count(self._narrowed(query))

    def summary(self, query: Query) -> Summary:
        return self._store.summary(self._narrowed(query))

    def timeline(self, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
        return self._store.timeline(self._narrowed(query), by=by, step=step)

    def top(self, query: Query, dimension: Dimension, *, limit: int = 10) -> Sequence[Top]:
        return self._store.top(self._narrowed(query), dimension, limit=limit)

    def distinct(self, query: Query, dimension: Dimension) -> Distinct:
        return self._store.distinct(self._narrowed(query), dimension)

    def threats(
        self, query: Query, *, order: ThreatOrder = ThreatOrder.RISK, limit: int = 50, cursor: str | None = None
    ) -> ThreatPage:
        page = self._store.threats(self._narrowed(query), order=order, limit=limit, cursor=cursor)
        return replace(page, threats=[self._threat(one) for one in page.threats])

    def lasts(self, threats: Sequence[str]) -> Mapping[str, int]:
        if not threats:
            return {}
        page = self.threats(Query(threats=tuple(threats)), limit=len(threats))
        return {one.id: one.last for one in page.threats}

    def sparklines(self, query: Query, threats: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
        return self._store.sparklines(self._narrowed(query), threats, step=step)

    def seen(self, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
        return self._store.seen(self._narrowed(query), dimension, values)

    def latest(self) -> str | None:
        return self._store.latest()

    def attackers(self, query: Query, *, limit: int = 100_000, by_day: bool = False) -> Sequence[Attacker]:
        return self._store.attackers(self._narrowed(query), limit=limit, by_day=by_day)

    def sensors(self) -> Sequence[SensorStatus]:
        """Give none to whoever is restricted: what a sensor reads and finds is of all networks."""
        return () if self._principal.is_restricted else self._store.sensors()

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        del events
        self._only_read()

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        del statuses
        self._only_read()

    def close(self) -> None:
        """Leave the store open: it is everybody's."""

    def _only_read(self) -> NoReturn:
        raise StoreUnavailable("this sight of the store is for reading only")

    def _narrowed(self, query: Query) -> Query:
        if query.within and self._principal.is_restricted:
            raise StoreUnavailable("this query has networks of its own, and so cannot be narrowed to those one may see")
        return replace(
            query, within=self._principal.networks or query.within, custom=query.custom and self._principal.sees_custom
        )

    def _shows(self, event: Mapping[str, Any]) -> bool:
        if not self._principal.sees_custom and event.get("trailhound", {}).get("custom") is not False:
            return False
        ends = (event.get(end, {}).get("ip") for end in ("source", "destination"))
        return not self._principal.is_restricted or any(isinstance(end, str) and self._is_inside(end) for end in ends)

    def _is_inside(self, text: str) -> bool:
        return _is_inside(self._networks, text)

    def _threat(self, threat: Threat) -> Threat:
        """Take out what is told of the whole life of a threat, and so of other networks and other trails."""
        reference = threat.reference if self._principal.sees_custom else ""
        if not self._principal.is_restricted or (threat.source is not None and self._is_inside(threat.source)):
            return replace(threat, reference=reference)
        seen = [one for one in threat.destinations if self._is_inside(one)]
        return replace(threat, destinations=seen, ports=(), protocols=(), sensors=(), reference=reference)


def _is_inside(networks: Networks, text: str) -> bool:
    address = canonical.address(text)
    return address is not None and networks.holds(address)


class PublicTrails:
    """`api.lookup.TrailLookup` without what the site has on lists of its own."""

    def __init__(self, trails: TrailLookup) -> None:
        self._trails = trails

    def explain(self, values: Sequence[str]) -> Sequence[Explanation]:
        return [_public(one) for one in self._trails.explain(values)]

    def info(self) -> TrailSetInfo:
        return self._trails.info()


def _public(one: Explanation) -> Explanation:
    matches = [match for match in one.matches if not match.trail.custom]
    if len(matches) == len(one.matches):
        return one
    found = one.found and any(not match.hidden for match in matches)
    return replace(one, matches=matches, found=found, looks=())
