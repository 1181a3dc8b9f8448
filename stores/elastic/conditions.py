"""From a query to the query language of Elasticsearch: objects, never text, and all of it filters."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stores.addresses import Address, span
from stores.contract import Dimension, Query
from stores.search.expression import (
    Addresses,
    And,
    Classes,
    Count,
    Directions,
    Expression,
    Kinds,
    Not,
    Or,
    Ports,
    Said,
    Severities,
    Text,
    Threats,
    Trails,
    Words,
)
from trailhound.errors import StoreError
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS

Clause = dict[str, Any]

FIELDS: Mapping[Dimension, str] = {
    Dimension.SEVERITY: "trailhound.severity",
    Dimension.GROUP: "trailhound.group",
    Dimension.KIND: "trailhound.kind",
    Dimension.CLASS: "trailhound.class",
    Dimension.DIRECTION: "network.direction",
    Dimension.PROTOCOL: "trailhound.index.protocol",
    Dimension.SENSOR: "observer.name",
    Dimension.DATASET: "event.dataset",
    Dimension.SOURCE: "source.address",
    Dimension.DESTINATION: "destination.address",
    Dimension.TRAIL: "trailhound.trail",
    Dimension.INFO: "trailhound.info",
}
START = "trailhound.index.start"
TEXT = "trailhound.index.text"
THREAT = "trailhound.threat_id"
COUNT = "trailhound.count"
# What Elasticsearch takes in one list (`index.max_terms_count`).
_LIST = 65_536
_MILLISECOND = 1_000
_LONGEST_TEXT = 8_000
# The years 1000 to 9999, which are written with four digits.
_FIRST, _LAST = -30_610_224_000 * MICROSECONDS, 253_402_300_799 * MICROSECONDS
_LONG = 2**63 - 1
# In the index an IPv4 address is an IPv6 address of this network.
_MAPPED = int(ipaddress.IPv6Address("::ffff:0:0"))
_MAPPED_END = _MAPPED + 2**32 - 1


def compiled(query: Query, *more: Clause) -> Clause:
    """Give the clause that finds what a query means; `more` narrows it further."""
    clauses = [*_clauses(query), *more]
    return {"bool": {"filter": clauses}} if clauses else {"match_all": {}}


def any_of(field: str, values: Sequence[str | int]) -> Clause:
    """Find documents with one of these values, however many they are."""
    lists = [{"terms": {field: list(values[begin : begin + _LIST])}} for begin in range(0, len(values), _LIST)]
    return either(lists or [{"match_none": {}}])


def either(clauses: Sequence[Clause]) -> Clause:
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": list(clauses), "minimum_should_match": 1}}


def _clauses(query: Query) -> Iterator[Clause]:
    yield from _times(query.since, query.until)
    words: Sequence[tuple[Dimension, Sequence[str]]] = (
        (Dimension.SEVERITY, [severity.label for severity in query.severities]),
        (Dimension.GROUP, query.groups),
        (Dimension.KIND, query.kinds),
        (Dimension.CLASS, query.classes),
        (Dimension.DIRECTION, query.directions),
        (Dimension.PROTOCOL, query.protocols),
        (Dimension.SENSOR, query.sensors),
        (Dimension.DATASET, query.datasets),
        (Dimension.TRAIL, query.trails),
        (Dimension.INFO, query.infos),
    )
    for dimension, values in words:
        if values:
            yield any_of(FIELDS[dimension], [sendable(str(value)) for value in dict.fromkeys(values)])
    for end, values in (("source", query.sources), ("destination", query.destinations)):
        if values:
            yield _addresses(end, values)
    if query.threats:
        yield any_of(THREAT, [sendable(name) for name in query.threats])
    if query.not_threats:
        yield {"bool": {"must_not": [any_of(THREAT, [sendable(name) for name in query.not_threats])]}}
    if not query.custom:
        yield {"bool": {"must_not": [{"term": {"trailhound.custom": True}}]}}
    if query.within:
        yield either([_addresses(end, query.within) for end in ("source", "destination")])
    if query.where is not None:
        yield _searched(query.where)
    if query.text:
        yield _text(query.text)


def sendable(text: str) -> str:
    """Write text as the documents have it."""
    return text.encode("utf-8", "replace").decode()


def _times(since: int | None, until: int | None) -> Iterator[Clause]:
    """Compare with `@timestamp`, which Elasticsearch skips where all of a shard is meant.

    It keeps milliseconds of it. Other ends are compared with the whole number too.
    """
    dates, exact = {}, {}
    if since is not None:
        if _FIRST <= since <= _LAST:
            dates["gte"] = timestamp(since // _MILLISECOND * _MILLISECOND)
        if since % _MILLISECOND or not dates:
            exact["gte"] = min(max(since, -_LONG), _LONG)
    if until is not None:
        is_dated = _FIRST <= until <= _LAST
        if is_dated:
            dates["lt"] = timestamp(-(-until // _MILLISECOND) * _MILLISECOND)
        if until % _MILLISECOND or not is_dated:
            exact["lt"] = min(max(until, -_LONG), _LONG)
    if dates:
        yield {"range": {"@timestamp": dates}}
    if exact:
        yield {"range": {START: exact}}


def _addresses(end: str, values: Sequence[str]) -> Clause:
    """Compare with addresses and networks; what is neither can only be equal to what was logged."""
    spans, words = [], []
    for value in values:
        found = span(value)
        if found is None:
            words.append(sendable(value))
        else:
            spans.append(found)
    clauses = [any_of(f"{end}.address", words)] if words else []
    return either([*clauses, *([_spans(end, spans)] if spans else [])])


def _spans(end: str, spans: Sequence[tuple[Address, Address]]) -> Clause:
    clauses: list[Clause] = []
    single = []
    for first, last in merged(spans):
        if first == last:
            single.append(str(first))
        else:
            clauses.append({"range": {f"{end}.ip": {"gte": str(first), "lte": str(last)}}})
    if single:
        clauses.append(any_of(f"{end}.ip", single))
    return either(clauses)


def merged(spans: Sequence[tuple[Address, Address]]) -> Iterator[tuple[Address, Address]]:
    """Join spans that overlap or touch, and leave IPv4 out of spans of IPv6 that would hold all of it."""
    numbers: list[tuple[int, int, int]] = sorted((first.version, int(first), int(last)) for first, last in spans)
    joined: list[tuple[int, int, int]] = []
    for version, begin, end in numbers:
        if joined and joined[-1][0] == version and begin <= joined[-1][2] + 1:
            joined[-1] = version, joined[-1][1], max(end, joined[-1][2])
        else:
            joined.append((version, begin, end))
    for version, begin, end in joined:
        if version == 4:
            yield ipaddress.IPv4Address(begin), ipaddress.IPv4Address(end)
        elif begin <= _MAPPED and end >= _MAPPED_END:
            if begin < _MAPPED:
                yield ipaddress.IPv6Address(begin), ipaddress.IPv6Address(_MAPPED - 1)
            if end > _MAPPED_END:
                yield ipaddress.IPv6Address(_MAPPED_END + 1), ipaddress.IPv6Address(end)
        else:
            yield ipaddress.IPv6Address(begin), ipaddress.IPv6Address(end)


def _text(text: str) -> Clause:
    """Look for text anywhere in what is kept in the case that comparing takes."""
    needle = sendable(text).casefold()[:_LONGEST_TEXT]
    escaped = "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in needle)
    return {"wildcard": {TEXT: {"value": f"*{escaped}*"}}}


def _searched(part: Expression) -> Clause:
    """Give the clause for the expression of a search."""
    match part:
        case Not(inner):
            return {"bool": {"must_not": [_searched(inner)]}}
        case And(parts):
            return {"bool": {"filter": [_searched(one) for one in parts]}} if parts else {"match_all": {}}
        case Or(parts):
            return either([_searched(one) for one in parts] or [{"match_none": {}}])
        case Severities(values):
            return any_of(FIELDS[Dimension.SEVERITY], [value.label for value in values])
        case Kinds(kinds):
            return any_of(FIELDS[Dimension.KIND], [value.value for value in kinds])
        case Classes(classes):
            return any_of(FIELDS[Dimension.CLASS], [value.value for value in classes])
        case Directions(directions):
            return any_of(FIELDS[Dimension.DIRECTION], [value.value for value in directions])
        case Words(field, words):
            return either([_word(FIELDS[Dimension(field.value)], sendable(word)) for word in words])
        case Trails(trails):
            return any_of(FIELDS[Dimension.TRAIL], [sendable(value) for value in trails])
        case Addresses(end, spans):
            return _spans(end.value, spans)
        case Count(low, high):
            bounds = {"gte": low, "lte": high}
            return {"range": {COUNT: {name: bound for name, bound in bounds.items() if bound is not None}}}
        case Ports(ports):
            ends = ("source.port", "destination.port")
            return either([{"range": {end: {"gte": low, "lte": high}}} for end in ends for low, high in ports])
        case Said(field):
            raise StoreError(f"{field.value} is said on the desk, of which a store knows nothing")
        case Threats(names):
            return any_of(THREAT, [sendable(name) for name in names])
        case Text(value):
            return _text(value)


def _word(field: str, word: str) -> Clause:
    """Compare whatever the case of ASCII letters; `*` is anything."""
    if "*" not in word:
        return {"term": {field: {"value": word, "case_insensitive": True}}}
    pattern = "".join(f"\\{letter}" if letter in "?\\" else letter for letter in word)
    return {"wildcard": {field: {"value": pattern, "case_insensitive": True}}}
