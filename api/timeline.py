"""Timelines without gaps and with a bounded number of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stores.contract import Bucket, Dimension, Query, Store
from trailhound.record import MICROSECONDS

MAX_BUCKETS = 2000
AIM = 120
SPARKS = 24
_DAY = 86_400
_STEPS = (
    *(1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(_DAY, 2 * _DAY, 7 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY),
)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Buckets of `step` microseconds, one after the other; none when nothing was found and no period was asked."""

    step: int
    buckets: Sequence[Bucket]


def timeline(store: Store, query: Query, by: Dimension, *, now: int, step: int | None = None) -> Timeline:
    """Count in steps over the period of a query; where that is open, from the first event, to the last or `now`.

    Raises ValueError when `step` would make too many buckets.
    """
    start, end = _bounds(store, query, now)
    if start is None or end is None or start >= end:
        return Timeline(step or _STEPS[0] * MICROSECONDS, ())
    chosen = step or _nice_step(end - start)
    first = start - start % chosen
    number = -(-(end - first) // chosen)
    if number > MAX_BUCKETS:
        raise ValueError(f"the period would have {number:,} steps; at most {MAX_BUCKETS:,} are given")
    found = store.timeline(replace(query, since=start, until=end), by=by, step=chosen)
    counts = {bucket.start: bucket.counts for bucket in found}
    starts = range(first, first + number * chosen, chosen)
    return Timeline(chosen, tuple(Bucket(time, counts.get(time, {})) for time in starts))


@dataclass(frozen=True, slots=True)
class Sparklines:
    """Counts of threats in steps of `step` microseconds from `start` on."""

    start: int
    step: int
    counts: Mapping[str, Sequence[int]]


def sparklines(store: Store, query: Query, threats: Sequence[str], *, now: int) -> Sparklines:
    """Count threats in about two dozen steps over the period of a query; where that is open, over a day up to now."""
    end = query.until if query.until is not None else max(now, query.since or 0)
    start = query.since if query.since is not None else max(0, end - _DAY * MICROSECONDS)
    step = _nice_step(max(1, end - start), SPARKS)
    first = start - start % step
    number = max(1, -(-(end - first) // step))
    found = store.sparklines(replace(query, since=start, until=max(end, start + 1)), threats, step=step)
    times = range(first, first + number * step, step)
    return Sparklines(first, step, {name: [found.get(name, {}).get(time, 0) for time in times] for name in threats})


def _bounds(store: Store, query: Query, now: int) -> tuple[int | None, int | None]:
    if query.since is not None and (query.until is not None or query.since < now):
        return query.since, query.until or now
    summary = store.summary(query)
    if summary.first is None or summary.last is None:
        return None, None
    return query.since or summary.first, query.until or summary.last + 1


def _nice_step(length: int, aim: int = AIM) -> int:
    """Choose a step that people read easily, and that makes at most about `aim` buckets."""
    for seconds in _STEPS:
        if length <= seconds * MICROSECONDS * aim:
            return seconds * MICROSECONDS
    largest = _STEPS[-1] * MICROSECONDS
    return largest * -(-length // (largest * aim))
