"""The trails of a set in an order that depends on their values alone, without holding them all."""

from collections.abc import Callable, Iterator
from itertools import islice

from matchers.trailset import TrailSet
from trailhound.trail import Trail

# A part of the set that has more is cut into smaller ones.
_MANY = 65_536


def in_order(trails: TrailSet, wanted: Callable[[Trail], bool]) -> Iterator[Trail]:
    """Give trails by the order of their keys; `wanted` is asked once for all of which the same is known.

    It gets a trail without a value.
    """
    asked: dict[int, bool] = {}
    for key in keys_in_order(trails):
        row = trails.row(key)
        if row not in asked:
            asked[row] = wanted(trails.facts(row))
        if asked[row]:
            yield trails.trail(key)


def keys_in_order(trails: TrailSet, beginning: bytes = b"", many: int = _MANY) -> Iterator[bytes]:
    """Give the keys that begin so, sorted; no more than `many` of them are held at once."""
    some = list(islice(trails.keys(beginning), many + 1))
    if len(some) <= many:
        yield from sorted(some)
        return
    del some
    if trails.exact(beginning) is not None:
        yield beginning
    for byte in range(256):
        further = beginning + bytes((byte,))
        if trails.has_keys_from(further):
            yield from keys_in_order(trails, further, many)
