"""What was met of particular threats, sources, destinations and trails."""

from collections.abc import Mapping, Sequence

from stores.contract import Dimension, Query, Seen
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import RECORDS, whole
from stores.elastic.conditions import FIELDS, START, THREAT, any_of, compiled, sendable
from stores.elastic.timelines import start_of, steps_of_time
from trailhound.errors import StoreError

# Of so many threats or values in one answer: with their steps they fit into what the server gives.
_CHUNK = 100
_VALUES = 1_000
_ENDS: Body = {"first": {"min": {"field": START}}, "last": {"max": {"field": START}}}
_KNOWN = frozenset({Dimension.SOURCE, Dimension.DESTINATION, Dimension.TRAIL})


def lasts(asker: Asker, names: Sequence[str]) -> Mapping[str, int]:
    wanted = [sendable(name) for name in dict.fromkeys(names)]
    found: dict[str, int] = {}
    for begin in range(0, len(wanted), _VALUES):
        for bucket in _by(asker, Query(), THREAT, wanted[begin : begin + _VALUES], dict(_ENDS)):
            found[bucket["key"]] = whole(bucket["last"])
    return found


def sparklines(asker: Asker, query: Query, names: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
    if step < 1:
        raise StoreError(f"a sparkline cannot go in steps of {step} microseconds: at least 1 was expected")
    steps = steps_of_time(step)
    for histogram in steps.values():
        histogram["min_doc_count"] = 1
    counted: Body = {"steps": {**steps, "aggregations": {"records": RECORDS}}}
    found: dict[str, Mapping[int, int]] = {}
    wanted = [sendable(name) for name in dict.fromkeys(names)]
    for begin in range(0, len(wanted), _CHUNK):
        chunk = wanted[begin : begin + _CHUNK]
        for bucket in _by(asker, query, THREAT, chunk, counted):
            counts = bucket["steps"]["buckets"]
            found[bucket["key"]] = {start_of(one["key"], step): whole(one["records"]) for one in counts}
    return found


def seen(asker: Asker, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
    if dimension not in _KNOWN:
        raise StoreError(f"{dimension} cannot be looked for by its values: source, destination or trail was expected")
    found: dict[str, Seen] = {}
    wanted = [sendable(value) for value in dict.fromkeys(values)]
    for begin in range(0, len(wanted), _VALUES):
        chunk = wanted[begin : begin + _VALUES]
        for bucket in _by(asker, query, FIELDS[dimension], chunk, {"records": RECORDS, **_ENDS}):
            ends = whole(bucket["first"]), whole(bucket["last"])
            found[bucket["key"]] = Seen(whole(bucket["records"]), bucket["doc_count"], *ends)
    return found


def _by(asker: Asker, query: Query, field: str, values: Sequence[str], aggregations: Body) -> Sequence[Body]:
    """Add up by these values of a field."""
    terms = {"field": field, "size": len(values), "shard_size": len(values), "execution_hint": "map"}
    clause = compiled(query, any_of(field, values))
    found = asker.aggregate(clause, {"values": {"terms": terms, "aggregations": aggregations}})
    return list(found["values"]["buckets"]) if found else []
