"""Values alone, one a line: what the block lists of firewalls and proxies take."""

from collections.abc import Iterable, Iterator

from feeds.exports.export import Export, Piece, Wishes
from trailhound.trail import LISTED_KINDS, Trail, TrailKind


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    del wishes
    for trail in trails:
        # As in lists: a single label is meant only with its dot.
        yield "", f".{trail.value}\n" if trail.kind is TrailKind.TLD else f"{trail.value}\n"


EXPORT = Export("values alone, one a line", frozenset(LISTED_KINDS), _write)
