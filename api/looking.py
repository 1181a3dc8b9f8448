"""Looking values up in the trail set, and in what was stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from api import translate
from api.answers_lookup import LookedUpValue, SeenValue
from api.lookup import Explanation, TrailLookup
from stores.contract import Dimension, Query, Seen, Store
from trailhound.event import timestamp
from trailhound.trail import TrailKind

_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6)
_Met = Mapping[Dimension, Mapping[str, Seen]]


def look_up(store: Store, trails: TrailLookup, values: Sequence[str]) -> Sequence[LookedUpValue]:
    """Explain each value and tell what events know of it: one question to the store for each place of a value."""
    explained = trails.explain(values)
    met: _Met = {
        Dimension.TRAIL: store.seen(Query(), Dimension.TRAIL, _all(_trails, explained)),
        Dimension.SOURCE: store.seen(Query(), Dimension.SOURCE, _all(_addresses, explained)),
        Dimension.DESTINATION: store.seen(Query(), Dimension.DESTINATION, _all(_addresses, explained)),
    }
    return [_answer(one, met) for one in explained]


def _answer(one: Explanation, met: _Met) -> LookedUpValue:
    return LookedUpValue(**translate.said_of(one), seen=tuple(_seen(one, met)))


def _seen(one: Explanation, met: _Met) -> Iterator[SeenValue]:
    for value in _trails(one):
        if value in met[Dimension.TRAIL]:
            yield _told("trail", value, met[Dimension.TRAIL][value])
    for value in _addresses(one):
        if value in met[Dimension.SOURCE]:
            yield _told("source", value, met[Dimension.SOURCE][value])
        if value in met[Dimension.DESTINATION]:
            yield _told("destination", value, met[Dimension.DESTINATION][value])


def _told(as_: Literal["trail", "source", "destination"], value: str, seen: Seen) -> SeenValue:
    return SeenValue(
        as_=as_,
        value=value,
        records=seen.records,
        events=seen.events,
        first=timestamp(seen.first),
        last=timestamp(seen.last),
    )


def _trails(one: Explanation) -> Sequence[str]:
    """Name the trails that a value may be or meet."""
    return list(
        dict.fromkeys(
            [
                one.value.strip(),
                *(reading.value for reading in one.readings),
                *(match.trail.value for match in one.matches),
            ]
        )
    )


def _addresses(one: Explanation) -> Sequence[str]:
    return [reading.value for reading in one.readings if reading.kind in _ADDRESSES]


def _all(of: Callable[[Explanation], Sequence[str]], explained: Sequence[Explanation]) -> Sequence[str]:
    return list(dict.fromkeys(value for one in explained for value in of(one)))
