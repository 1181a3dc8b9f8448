"""A hosts file: names that lead nowhere. It cannot say anything of the names below them."""

from collections.abc import Iterable, Iterator

from feeds.exports.export import Export, Piece, Wishes
from trailhound.trail import Trail, TrailKind


def _write(trails: Iterable[Trail], wishes: Wishes) -> Iterator[Piece]:
    del wishes
    for trail in trails:
        yield "", f"0.0.0.0 {trail.value}\n"


EXPORT = Export("a hosts file, 0.0.0.0 and a name", frozenset({TrailKind.DOMAIN}), _write)
