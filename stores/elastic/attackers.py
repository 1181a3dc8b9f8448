"""The public addresses that attacked: gone through by address and threat name, and folded here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stores.addresses import is_public
from stores.contract import Attacker, Dimension, Query
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import composite, whole
from stores.elastic.conditions import FIELDS, compiled
from stores.elastic.ranking import METRICS
from trailhound.severity import Direction, Severity


@dataclass(slots=True)
class _Fold:
    severity: int = 0
    count: int = 0
    first: int = 2**63
    last: int = -(2**63)
    infos: set[str] = field(default_factory=set)
    days: set[int] = field(default_factory=set)


def attackers(asker: Asker, query: Query, *, limit: int, by_day: bool = False) -> Sequence[Attacker]:
    if limit < 1:
        return []
    inbound = {"term": {FIELDS[Dimension.DIRECTION]: Direction.INBOUND.value}}
    sources: dict[str, Body] = {
        "source": {"terms": {"field": FIELDS[Dimension.SOURCE]}},
        "info": {"terms": {"field": FIELDS[Dimension.INFO], "missing_bucket": True}},
    }
    if by_day:
        sources["day"] = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}}
    folds: dict[str, _Fold] = {}
    with asker.pinned() as pinned:
        for bucket in composite(pinned, compiled(query, inbound), sources, dict(METRICS)):
            fold = folds.setdefault(bucket["key"]["source"], _Fold())
            fold.severity = max(fold.severity, whole(bucket["severity"]))
            fold.count += whole(bucket["records"])
            fold.first = min(fold.first, whole(bucket["first"]))
            fold.last = max(fold.last, whole(bucket["last"]))
            if info := bucket["key"]["info"]:
                fold.infos.add(info)
            fold.days.add(bucket["key"].get("day", 0))
    public = [(address, fold) for address, fold in folds.items() if is_public(address)]
    public.sort(key=lambda item: (-item[1].severity, -item[1].last, item[0]))
    return [
        Attacker(
            address,
            Severity(fold.severity),
            fold.count,
            fold.first,
            fold.last,
            tuple(sorted(fold.infos)),
            len(fold.days),
        )
        for address, fold in public[:limit]
    ]
