"""What events speak against, out of the store: whatever a rule could put on a list, the strongest first."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from api.lists.entry import Candidate
from api.lists.rule import HOUR, Rule
from api.lookup import TrailLookup
from matchers.detectors.detector import UNRATED
from stores.addresses import is_public
from stores.contract import Dimension, Query, Store, ThreatOrder
from trailhound import canonical
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailKind

_DAY = 24 * HOUR
_PAGE = 1000
# So many threats are gone through for a list of what was called; an inner host that calls more is beyond a list.
_MOST_THREATS = 200_000
_CHUNK = 500
_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6, TrailKind.IP_PORT)
Wanted = Callable[[Candidate], bool]


def gather(store: Store, trails: TrailLookup, rule: Rule, now: int, is_wanted: Wanted) -> Sequence[Candidate]:
    """Find the candidates of a list, those that are not wanted included: they may be later.

    There are as many wanted ones as the list may hold, if events speak against so many.
    """
    query = Query(
        since=max(0, now - rule.within),
        severities=rule.severities,
        classes=rule.classes,
        directions=(Direction.INBOUND if rule.is_inbound else Direction.OUTBOUND,),
        within=rule.networks,
        custom=rule.custom,
    )
    if not rule.is_inbound:
        return _fit(trails, rule, now, _called(store, rule, query, now))
    asked = rule.limit
    while True:
        found = [
            Candidate(one.address, one.severity, one.count, one.first, one.last, one.infos, one.days)
            for one in store.attackers(query, limit=asked, by_day=rule.grows)
        ]
        fit = _fit(trails, rule, now, found)
        if len(found) < asked or sum(map(is_wanted, fit)) >= rule.limit:
            return fit
        # Some of what the limit let through is left out; what comes after it has a place on the list.
        asked *= 4


def _fit(trails: TrailLookup, rule: Rule, now: int, found: Iterable[Candidate]) -> Sequence[Candidate]:
    # Worked out once: there may be a hundred thousand candidates.
    takes_all, earliest, recent = rule.family == "any", now - rule.within, now - rule.first_stay
    fit = [
        one
        for one in found
        if one.number >= rule.count
        and (one.last >= recent or (one.last >= earliest and one.last + rule.stay(one.days) >= now))
        and (takes_all or rule.takes(one.value))
    ]
    return list(_sure(trails, rule.confidence, fit)) if rule.confidence else fit


def _sure(trails: TrailLookup, least: int, found: Sequence[Candidate]) -> Iterator[Candidate]:
    """Leave out those of which the trails in force are less sure."""
    for begin in range(0, len(found), _CHUNK):
        chunk = found[begin : begin + _CHUNK]
        for one, explanation in zip(chunk, trails.explain([one.value for one in chunk]), strict=True):
            known = [match.trail.confidence for match in explanation.matches if match.key == one.value]
            if max(known, default=UNRATED) >= least:
                yield one


@dataclass(slots=True)
class _Fold:
    severity: Severity
    count: int
    first: int
    last: int
    infos: set[str] = field(default_factory=set)


def _called(store: Store, rule: Rule, query: Query, now: int) -> Sequence[Candidate]:
    """Fold the threats whose trails are addresses or names that inner hosts called."""
    query = replace(query, kinds=(TrailKind.DOMAIN,) if rule.is_of_names else _ADDRESSES)
    folds: dict[str, _Fold] = {}
    cursor: str | None = None
    for _ in range(_MOST_THREATS // _PAGE):
        page = store.threats(query, order=ThreatOrder.RISK, limit=_PAGE, cursor=cursor)
        for threat in page.threats:
            value = _value(threat.kind, threat.trail)
            if value is None:
                continue
            fold = folds.setdefault(value, _Fold(threat.severity, 0, threat.first, threat.last))
            fold.severity = max(fold.severity, threat.severity)
            fold.count += threat.count
            fold.first, fold.last = min(fold.first, threat.first), max(fold.last, threat.last)
            fold.infos.add(threat.info)
        cursor = page.next
        if cursor is None:
            break
    days = _days(store, query, now) if rule.grows and any(_spans_days(fold) for fold in folds.values()) else {}
    found = [
        Candidate(value, one.severity, one.count, one.first, one.last, tuple(sorted(one.infos)), days.get(value, 1))
        for value, one in folds.items()
    ]
    return sorted(found, key=lambda one: (-one.severity, -one.last, one.value))


def _spans_days(fold: _Fold) -> bool:
    return fold.first // _DAY != fold.last // _DAY


def _days(store: Store, query: Query, now: int) -> Counter[str]:
    """Count on how many days each value was called."""
    days: Counter[str] = Counter()
    since = query.since or 0
    for day in range(since // _DAY, now // _DAY + 1):
        on_it = replace(query, since=max(since, day * _DAY), until=(day + 1) * _DAY)
        trails = store.top(on_it, Dimension.TRAIL, limit=_MOST_THREATS)
        days.update({value for kind in query.kinds for one in trails if (value := _value(kind, one.value))})
    return days


def _value(kind: TrailKind, trail: str) -> str | None:
    """Give what a firewall blocks to keep hosts from a trail: public addresses alone, and plain names."""
    if kind is TrailKind.DOMAIN:
        return trail if canonical.name(trail) == trail and "." in trail else None
    address = canonical.address(canonical.host_port(trail)[0] if kind is TrailKind.IP_PORT else trail)
    return address if address is not None and is_public(address) else None
