"""Counting over time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stores.contract import Bucket, Dimension, Query
from stores.elastic.asking import Asker, Body, TooManyBuckets
from stores.elastic.buckets import RECORDS, composite, ranked, whole
from stores.elastic.conditions import FIELDS, START, compiled
from stores.elastic.totals import ENDS, time_of
from trailhound.errors import StoreError

_MILLISECOND = 1_000
# Of these an event may have any of a great many values.
MANY = frozenset({Dimension.SOURCE, Dimension.DESTINATION, Dimension.TRAIL, Dimension.INFO})
_VALUES_A_STEP = 1_000
# More would not fit into one answer with their values.
_MOST_STEPS = 5_000
_Count = tuple[int, str, int]


def timeline(asker: Asker, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
    if step < 1:
        raise StoreError(f"a timeline cannot have steps of {step} microseconds: at least 1 was expected")
    clause = compiled(query)
    with asker.pinned() as pinned:
        is_short = by not in MANY and _steps_of(pinned, query, clause, step) <= _MOST_STEPS
        counts = _nested(pinned, clause, by, step) if is_short else None
        if counts is None:
            counts = list(_paged(pinned, clause, by, step))
    buckets: dict[int, dict[str, int]] = defaultdict(dict)
    for start, value, number in counts:
        buckets[start][value] = number
    return [Bucket(start, ranked(values)) for start, values in sorted(buckets.items())]


def _steps_of(asker: Asker, query: Query, clause: Body, step: int) -> int:
    """Tell how many steps there may be at most."""
    first, last = query.since, query.until
    if first is None or last is None:
        ends = asker.search_each([{"query": clause, **end} for end in ENDS], paths=["hits.hits.sort"])
        found = [time for end in ends if (time := time_of(end)) is not None]
        first, last = min(found, default=0), max(found, default=0)
    return (last - first) // step + 2


def steps_of_time(step: int) -> Body:
    """Cut time into steps that begin at the epoch."""
    if step % _MILLISECOND == 0:
        return {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{step // _MILLISECOND}ms"}}
    return {"histogram": {"field": START, "interval": step}}


def start_of(key: float, step: int) -> int:
    return int(key) * _MILLISECOND if step % _MILLISECOND == 0 else int(key)


def _nested(asker: Asker, clause: Body, by: Dimension, step: int) -> list[_Count] | None:
    """Count in one request; None when there are too many steps or values for it."""
    steps = steps_of_time(step)
    for histogram in steps.values():
        histogram["min_doc_count"] = 1
    values = {"terms": {"field": FIELDS[by], "size": _VALUES_A_STEP}, "aggregations": {"records": RECORDS}}
    try:
        found = asker.aggregate(clause, {"steps": {**steps, "aggregations": {"values": values}}})
    except TooManyBuckets:
        return None
    counts = []
    for bucket in found["steps"]["buckets"] if found else ():
        if bucket["values"]["sum_other_doc_count"]:
            return None
        start = start_of(bucket["key"], step)
        counts += [(start, value["key"], whole(value["records"])) for value in bucket["values"]["buckets"]]
    return counts


def _paged(asker: Asker, clause: Body, by: Dimension, step: int) -> Iterator[_Count]:
    sources: dict[str, Mapping[str, Any]] = {"step": steps_of_time(step), "value": {"terms": {"field": FIELDS[by]}}}
    for bucket in composite(asker, clause, sources, {"records": RECORDS}):
        yield start_of(bucket["key"]["step"], step), bucket["key"]["value"], whole(bucket["records"])
