"""Top lists that are exact, however many values there are.

Each backing index gives its own strongest values. What none of them gave can, all indices taken together, be no more
than the weakest that each gave; so as soon as the list that is wanted lies above that, it is the right one. If it does
not, each index is asked for more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stores.contract import Dimension, Query, Top
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import RECORDS, composite, whole
from stores.elastic.conditions import FIELDS, any_of, compiled
from trailhound.severity import Severity

_SEVERITY: Body = {"max": {"field": "event.severity"}}
_METRICS: Body = {"records": RECORDS, "severity": _SEVERITY}
_AT_FIRST = 500
_MOST = 50_000
_GROWTH = 10


def top(asker: Asker, query: Query, dimension: Dimension, *, limit: int) -> Sequence[Top]:
    if limit < 1:
        return []
    field, clause = FIELDS[dimension], compiled(query)
    with asker.pinned() as pinned:
        found = _exact(pinned, clause, field, limit)
    return sorted(found, key=lambda one: (-one.count, -one.severity, one.value))[:limit]


def _exact(asker: Asker, clause: Body, field: str, limit: int) -> Sequence[Top]:
    """Give the strongest values, and perhaps some weaker ones."""
    size = max(limit, _AT_FIRST)
    found = _strongest(asker, clause, field, min(size, _MOST))
    if found is None:
        return []
    values, is_whole = found
    indices = () if is_whole else asker.backing()
    if is_whole or (size <= _MOST and len(indices) == 1):
        return values
    while size <= _MOST:
        lists = [_strongest(asker, _within(clause, index), field, size) for index in indices]
        known = [one for one in lists if one is not None]
        most_unseen = sum(values[-1].count for values, is_whole in known if not is_whole)
        candidates = _exactly(asker, clause, field, {one.value for values, _ in known for one in values})
        ranked = sorted((one.count for one in candidates), reverse=True)
        if most_unseen == 0 or (len(ranked) >= limit and ranked[limit - 1] > most_unseen):
            return candidates
        size *= _GROWTH
    buckets = composite(asker, clause, {"value": {"terms": {"field": field}}}, _METRICS)
    return [_top(bucket["key"]["value"], bucket) for bucket in buckets]


def _within(clause: Body, index: str) -> Body:
    return {"bool": {"filter": [clause, {"term": {"_index": index}}]}}


def _strongest(asker: Asker, clause: Body, field: str, size: int) -> tuple[list[Top], bool] | None:
    """Give the strongest values, and whether they are all; None where nothing is found."""
    order = [{"records": "desc"}, {"severity": "desc"}, {"_key": "asc"}]
    terms = {"field": field, "size": size, "shard_size": size, "order": order}
    found = asker.aggregate(clause, {"top": {"terms": terms, "aggregations": _METRICS}})
    if not found:
        return None
    values = [_top(bucket["key"], bucket) for bucket in found["top"]["buckets"]]
    return values, not found["top"]["sum_other_doc_count"]


def _exactly(asker: Asker, clause: Body, field: str, values: set[str]) -> Sequence[Top]:
    """Count some values in all indices."""
    listed = sorted(values)
    found: list[Top] = []
    for begin in range(0, len(listed), _MOST):
        chunk = listed[begin : begin + _MOST]
        among = {"bool": {"filter": [clause, any_of(field, chunk)]}}
        terms = {"field": field, "size": len(chunk), "shard_size": len(chunk)}
        buckets = asker.aggregate(among, {"top": {"terms": terms, "aggregations": _METRICS}})["top"]["buckets"]
        found += [_top(bucket["key"], bucket) for bucket in buckets]
    return found


def _top(value: str, bucket: Mapping[str, Any]) -> Top:
    return Top(value, whole(bucket["records"]), Severity(whole(bucket["severity"])))
