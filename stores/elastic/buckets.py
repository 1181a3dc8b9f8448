"""What aggregations give: numbers, and buckets of any number."""

from collections.abc import Iterator, Mapping
from typing import Any

from stores.elastic.asking import Asker, Body
from stores.elastic.conditions import COUNT

RECORDS: Body = {"sum": {"field": COUNT}}
# Buckets of one answer. The server gives 65,536 at most, and needs memory for them.
AT_ONCE = 10_000


def whole(metric: Mapping[str, Any]) -> int:
    """Read a number, which comes with a floating point: exact up to 2**53."""
    return int(metric["value"])


def ranked(numbers: Mapping[str, int]) -> dict[str, int]:
    """Put the most first."""
    return dict(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))


def composite(asker: Asker, clause: Body, sources: Mapping[str, Any], metrics: Body) -> Iterator[Mapping[str, Any]]:
    """Give all buckets, however many, in the order of their keys."""
    asked: Body = {"size": AT_ONCE, "sources": [{name: source} for name, source in sources.items()]}
    while True:
        found = asker.aggregate(clause, {"all": {"composite": asked, "aggregations": metrics}})
        buckets = found["all"]["buckets"] if found else []
        yield from buckets
        if len(buckets) < asked["size"]:
            return
        asked["after"] = found["all"]["after_key"]
