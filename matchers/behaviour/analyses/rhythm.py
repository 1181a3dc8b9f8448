"""How regular calls are: of many groups at once, by the spread of the gaps between calls and of what they carry."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matchers.findings import Part
from trailhound.record import MICROSECONDS

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
HOUR = 3600 * MICROSECONDS
# Gaps between so many times their median and so many are near it. Jitter of a half (Cobalt Strike's `sleep 60 50`)
# keeps all of them between 0.67 and 1.33, or 0.5 and 1.5 where it goes both ways; calls by chance have half of theirs.
_NEAR = (0.45, 1.6)
_UNKNOWN = 0.5  # Share of calls that are taken to be of one size where logs do not say.
_BY_CHANCE = 0.6  # Share of near gaps, at most, that calls by chance and people have.
_LASTING_HOURS = 6.0
# Points of 100 for each part of a score.
GAPS, SIZES, LASTING, RARE = 50.0, 15.0, 20.0, 15.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Groups of calls; all arrays have one entry a group.

    `group` is the number that was given, `first` and `last` the places of its calls, `calls` how many there are apart
    from each other. `median` is that of the gaps in seconds, `spread` the median deviation from it, as a share of it;
    `near` the share of gaps near the median. `size` is the median of what calls carry (NaN where logs do not say),
    `same` the share that carries just that, within a tenth.
    """

    group: Integers
    first: Integers
    last: Integers
    calls: Integers
    median: Floats
    spread: Floats
    near: Floats
    size: Floats
    same: Floats
    span: Floats


def rhythm(group: Any, times: Any, sizes: Any, least: int, together: float, span: float) -> Rhythm:
    """Measure the groups that have at least so many calls over at least `span` seconds.

    `group` is one number a call, negative for none; calls within `together` seconds of the one before are one with it.
    `times` are microseconds, ascending.
    """
    group, times = np.asarray(group), np.asarray(times, np.int64)
    order = _of_frequent(group, least)
    group, when = group[order], times[order]
    begins = np.r_[True, group[1:] != group[:-1]] if len(group) else np.zeros(0, bool)
    gaps = np.diff(when, prepend=when[:1])
    order = order[begins | (gaps > together * MICROSECONDS)]
    group, when = np.asarray(group)[begins | (gaps > together * MICROSECONDS)], times[order]
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if len(group) else np.zeros(0, np.int64)
    counts = np.diff(np.r_[starts, len(group)])
    spans = (when[starts + counts - 1] - when[starts]) / MICROSECONDS if len(starts) else np.zeros(0)
    fits = (counts >= max(least, 3)) & (spans >= span)
    keep = np.repeat(fits, counts)
    order, group, when, counts, spans = order[keep], group[keep], when[keep], counts[fits], spans[fits]
    starts = np.cumsum(counts) - counts
    numbers = np.repeat(np.arange(len(counts)), counts)
    between = np.diff(when, prepend=when[:1]) / MICROSECONDS
    inner = np.ones(len(when), bool)
    inner[starts] = False
    median, spread, near = _gaps(between[inner], numbers[inner], counts - 1)
    carried = np.asarray(sizes, np.float64)[order]
    size = _medians(carried, numbers, counts)
    alike = np.abs(carried - size[numbers]) <= 0.1 * size[numbers]
    return Rhythm(
        group=group[starts] if len(starts) else np.zeros(0, np.int64),
        first=order[starts] if len(starts) else np.zeros(0, np.int64),
        last=order[starts + counts - 1] if len(starts) else np.zeros(0, np.int64),
        calls=counts,
        median=median,
        spread=spread,
        near=near,
        size=size,
        same=np.where(np.isnan(size), _UNKNOWN, _shares(alike, numbers, counts)),
        span=spans,
    )


def _of_frequent(group: Integers, least: int) -> Integers:
    """Give the places of calls of groups that have enough, by group and then as they came."""
    if not len(group):
        return np.zeros(0, np.int64)
    counts = np.bincount(group[group >= 0], minlength=1)
    chosen = np.flatnonzero((group >= 0) & (counts[np.maximum(group, 0)] >= least))
    return np.asarray(chosen[np.argsort(group[chosen], kind="stable")], np.int64)


def _gaps(gaps: Floats, numbers: Integers, counts: Integers) -> tuple[Floats, Floats, Floats]:
    median = _medians(gaps, numbers, counts)
    safe = np.maximum(median, 1e-6)
    spread = _medians(np.abs(gaps - median[numbers]), numbers, counts) / safe
    ratio = gaps / safe[numbers]
    return median, spread, _shares((ratio >= _NEAR[0]) & (ratio <= _NEAR[1]), numbers, counts)


def _medians(values: Floats, numbers: Integers, counts: Integers) -> Floats:
    """Give the (lower) median of each group; values of one group stand together."""
    order = np.lexsort((values, numbers))
    starts = np.cumsum(counts) - counts
    return np.asarray(values[order][starts + (counts - 1) // 2] if len(counts) else np.zeros(0), np.float64)


def _shares(which: Any, numbers: Integers, counts: Integers) -> Floats:
    return np.asarray(np.bincount(numbers, which, minlength=len(counts)) / np.maximum(counts, 1), np.float64)


def scores(found: Rhythm, rarity: Floats) -> tuple[Floats, list[Floats]]:
    """Give the score (0-100) of each group, and the points of each part. `rarity` is 1 for what one host does."""
    spread = np.clip(1 - found.spread / 0.5, 0, 1)
    near = np.clip((found.near - _BY_CHANCE) / (0.95 - _BY_CHANCE), 0, 1)
    gaps = GAPS * (spread + near) / 2
    # Without regular gaps nothing else makes a beacon.
    rest = np.clip(gaps / (GAPS / 2), 0, 1)
    sizes = SIZES * found.same * rest
    lasting = LASTING * np.clip(found.span / 3600 / _LASTING_HOURS, 0, 1) * rest
    rare = RARE * rarity * rest
    parts = [gaps, sizes, lasting, rare]
    return np.asarray(sum(parts), np.float64), parts


def parts_of(found: Rhythm, points: list[Floats], place: int, hosts: int) -> tuple[Part, ...]:
    """Say of one group what its score is made of."""
    said = (
        _gap_said(found, place),
        _size_said(found, place),
        f"over {duration(float(found.span[place]))}",
        f"{hosts} {'host does' if hosts == 1 else 'hosts do'}",
    )
    names = ("gaps", "sizes", "lasting", "rare")
    return tuple(
        Part(name, round(float(part[place]), 1), text) for name, part, text in zip(names, points, said, strict=True)
    )


def _gap_said(found: Rhythm, place: int) -> str:
    gap = duration(float(found.median[place]))
    return f"a gap of {gap}, {found.near[place]:.0%} near it, spread {found.spread[place]:.0%}"


def _size_said(found: Rhythm, place: int) -> str:
    if np.isnan(found.size[place]):
        return "how much calls carry is not known"
    return f"{found.same[place]:.0%} of calls carry about {found.size[place]:,.0f} bytes"


def duration(seconds: float) -> str:
    """Say a time for people: `45 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
