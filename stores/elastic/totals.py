"""Counting: summary, count, distinct values.

What events have in common stands in one field of each (`trailhound.index.facet`), of which there are few values: adding
up by that field once gives every total of a summary but the distinct ones.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stores.contract import Dimension, Distinct, Query, Summary
from stores.elastic import distinct as distinct_values
from stores.elastic.asking import Asker, Body
from stores.elastic.buckets import AT_ONCE, RECORDS, composite, ranked, whole
from stores.elastic.conditions import COUNT, FIELDS, START, THREAT, compiled
from stores.elastic.distinct import Distincts
from stores.elastic.document import SEPARATOR
from trailhound.trail import TrailKind

FACET = "trailhound.index.facet"
# In the order in which they stand in a facet.
FACETS = (
    Dimension.SEVERITY,
    Dimension.KIND,
    Dimension.CLASS,
    Dimension.DIRECTION,
    Dimension.PROTOCOL,
    Dimension.SENSOR,
    Dimension.DATASET,
)
_DISTINCT = {"threats": THREAT, "sources": FIELDS[Dimension.SOURCE], "trails": FIELDS[Dimension.TRAIL]}
# Most events are one record; only of the others the counts are looked at.
_REPEATED: Body = {"bool": {"should": [{"range": {COUNT: {"gt": 1}}}, {"range": {COUNT: {"lt": 1}}}]}}
# The first event and the last: the server goes there by its index, where adding up would visit all.
ENDS: tuple[Body, ...] = tuple({"size": 1, "sort": [{START: order}], "_source": False} for order in ("asc", "desc"))
_FACETS: Body = {"terms": {"field": FACET, "size": AT_ONCE}}
_PATHS = ("aggregations.facets", *distinct_values.PATHS, "hits.hits.sort")


@dataclass(frozen=True, slots=True)
class Facet:
    """Events that have all of this in common: words in the order of `FACETS`, true count, documents."""

    words: tuple[str, ...]
    records: int
    events: int


def count(asker: Asker, query: Query) -> int:
    return asker.count(compiled(query))


def distinct(asker: Asker, known: Distincts, query: Query, dimension: Dimension) -> Distinct:
    with asker.pinned() as pinned:
        return known.count(pinned, query, compiled(query), {"values": FIELDS[dimension]})["values"]


def summary(asker: Asker, known: Distincts, query: Query) -> Summary:
    clause = compiled(query)
    asked: list[Body] = [
        {"query": clause, "aggs": {"facets": _FACETS}},
        {"query": compiled(query, _REPEATED), "aggs": {"facets": {**_FACETS, "aggs": {"records": RECORDS}}}},
        {"query": clause, "aggs": known.asked(query, _DISTINCT)},
        *({"query": clause, **end} for end in ENDS),
    ]
    with asker.pinned() as pinned:
        # At the same time, since a server with several cores has each search on one of them.
        totals, repeated, values, first, last = pinned.search_each(asked, paths=_PATHS)
        facets = list(_read(pinned, clause, _buckets(totals), _buckets(repeated)))
        counts = known.settled(pinned, query, clause, _DISTINCT, values.get("aggregations", {}))
    return Summary(
        records=sum(facet.records for facet in facets),
        events=sum(facet.events for facet in facets),
        threats=counts["threats"].count,
        sources=counts["sources"].count,
        trails=counts["trails"].count,
        first=time_of(first),
        last=time_of(last),
        by=_break_down(facets),
        approximate=frozenset(name for name, number in counts.items() if number.is_approximate),
    )


def _buckets(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | None:
    """Read facets; None when there were too many for one answer."""
    facets = answer.get("aggregations", {}).get("facets", {"buckets": (), "sum_other_doc_count": 0})
    return None if facets["sum_other_doc_count"] else facets["buckets"]


def _read(
    asker: Asker,
    clause: Body,
    facets: Sequence[Mapping[str, Any]] | None,
    repeated: Sequence[Mapping[str, Any]] | None,
) -> Iterator[Facet]:
    if facets is None or repeated is None:
        # So many sensors, or somebody plays with names of protocols.
        for bucket in composite(asker, clause, {"facet": {"terms": {"field": FACET}}}, {"records": RECORDS}):
            yield Facet(_words(bucket["key"]["facet"]), whole(bucket["records"]), bucket["doc_count"])
        return
    more = {bucket["key"]: whole(bucket["records"]) - bucket["doc_count"] for bucket in repeated}
    for bucket in facets:
        events = bucket["doc_count"]
        yield Facet(_words(bucket["key"]), events + more.get(bucket["key"], 0), events)


def _words(facet: str) -> tuple[str, ...]:
    return tuple(facet.split(SEPARATOR, len(FACETS) - 1))


def _break_down(facets: Sequence[Facet]) -> dict[Dimension, dict[str, int]]:
    counts: dict[Dimension, dict[str, int]] = {dimension: defaultdict(int) for dimension in (*FACETS, Dimension.GROUP)}
    for facet in facets:
        for dimension, word in zip(FACETS, facet.words, strict=True):
            if word:
                counts[dimension][word] += facet.records
            if dimension is Dimension.KIND:
                counts[Dimension.GROUP][TrailKind(word).group.value] += facet.records
    return {dimension: ranked(numbers) for dimension, numbers in counts.items()}


def time_of(answer: Mapping[str, Any]) -> int | None:
    """Read the time of the one event that was found."""
    hits = answer.get("hits", {}).get("hits", ())
    return int(hits[0]["sort"][0]) if hits else None
