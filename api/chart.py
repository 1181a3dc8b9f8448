"""The geometry of the timeline: stacked bars as plain rectangles, so that a page needs no script to draw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.timeline import Timeline
from trailhound.record import MICROSECONDS
from trailhound.trail import TrailGroup

WIDTH, HEIGHT = 960, 240
LEFT, RIGHT, TOP, BOTTOM = 66, 8, 14, 28
MAX_LABELS = 6
_DAY = 86_400
# From the bottom of a bar upwards. The names are those of the style sheet.
_STACK = {
    TrailGroup.IP: "ip",
    TrailGroup.DNS: "dns",
    TrailGroup.URL: "url",
    TrailGroup.TLS: "tls",
    TrailGroup.FILE: "file",
    TrailGroup.OTHER: "other",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """One rectangle, in units of the picture."""

    style: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of time: its rectangles and the text that a pointer over it shows."""

    text: str
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place along an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """One entry of the legend."""

    style: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the template draws."""

    bars: Sequence[Bar]
    times: Sequence[Label]
    counts: Sequence[Label]
    legend: Sequence[Share]
    step: str


def chart(timeline: Timeline) -> Chart:
    """Draw a timeline of groups."""
    buckets = timeline.buckets
    tallest = max((sum(bucket.counts.values()) for bucket in buckets), default=0)
    top = _round_up(tallest)
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(buckets))
    form = _form(timeline)
    bars = [
        Bar(_text(bucket.start, bucket.counts), _segments(bucket.counts, LEFT + place * slot, slot, top))
        for place, bucket in enumerate(buckets)
        if bucket.counts
    ]
    every = max(1, -(-len(buckets) // MAX_LABELS))
    times = [
        Label(LEFT + place * slot, _written(buckets[place].start, form)) for place in range(0, len(buckets), every)
    ]
    counts = [Label(_height(value, top), f"{value:,}") for value in _ticks(top)]
    return Chart(bars, times, counts, _legend(timeline), _spoken(timeline.step))


def _segments(counts: Mapping[str, int], x: float, slot: float, top: int) -> Sequence[Segment]:
    found: list[Segment] = []
    floor = float(HEIGHT - BOTTOM)
    for group, style in _STACK.items():
        if count := counts.get(group.value, 0):
            # A single record beside thousands still has to be seen.
            height = max(1.5, (HEIGHT - TOP - BOTTOM) * count / top)
            floor -= height
            width = max(0.8, slot * 0.84)
            found.append(Segment(style, round(x, 2), round(floor, 2), round(width, 2), round(height, 2)))
    return found


def _legend(timeline: Timeline) -> Sequence[Share]:
    shares = [
        Share(style, group.value, sum(bucket.counts.get(group.value, 0) for bucket in timeline.buckets))
        for group, style in _STACK.items()
    ]
    return [share for share in shares if share.count]


def _height(value: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 2)


def _round_up(value: int) -> int:
    """Give the next number that halves into a round one: 2, 4, 10, 20, 40, 100, ..."""
    power = 1
    while True:
        for factor in (2, 4, 10):
            if value <= factor * power:
                return factor * power
        power *= 10


def _ticks(top: int) -> Sequence[int]:
    return (0, top // 2, top)


def _form(timeline: Timeline) -> str:
    length = timeline.step * len(timeline.buckets)
    if timeline.step >= _DAY * MICROSECONDS:
        return "%d %b %Y"
    return "%H:%M" if length <= _DAY * MICROSECONDS * 1.1 else "%d %b %H:%M"


def _written(time: int, form: str) -> str:
    return datetime.fromtimestamp(time // MICROSECONDS, UTC).strftime(form)


def _text(time: int, counts: Mapping[str, int]) -> str:
    parts = [f"{group.value} {counts[group.value]:,}" for group in _STACK if counts.get(group.value)]
    return f"{_written(time, '%Y-%m-%d %H:%M')} UTC: {', '.join(parts)}"


def _spoken(step: int) -> str:
    seconds = step // MICROSECONDS
    for size, name in ((_DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            number = seconds // size
            return name if number == 1 else f"{number:,} {name}s"
    return f"{seconds} seconds"
