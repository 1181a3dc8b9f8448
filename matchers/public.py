"""A trail set without the site's own trails: what may be handed to those who are not to know them."""

from itertools import islice
from pathlib import Path

from matchers.compile import Compiled, Compiler
from matchers.gather import Facts, facts_of
from matchers.trailset import TrailSet
from trailhound.trail import Trail

_MANY = 65_536


def without_custom(source: Path, target: Path) -> Compiled:
    """Write to `target`, in one step, all of a set but the trails that are custom.

    A value that is also on other lists goes too: in a set what several lists say is one, and the words are the site's
    own. Raises `TrailSetError`.
    """
    trails = TrailSet.open(source)
    compiler = Compiler()
    numbers: dict[int, int | None] = {}
    keys = trails.keys()
    while some := list(islice(keys, _MANY)):
        rows = list(map(trails.row, some))
        for row in {*rows} - numbers.keys():
            facts = trails.facts(row)
            numbers[row] = None if facts.custom else compiler.number(_settled(facts))
        kept = [(key, number) for key, row in zip(some, rows, strict=True) if (number := numbers[row]) is not None]
        compiler.add_many([key for key, _ in kept], [number for _, number in kept])
    return compiler.write(target, built=trails.about.built)


def _settled(trail: Trail) -> Facts:
    """Let the confidence stand as it is: it has been raised already by all who agree."""
    return facts_of(trail)._replace(voices=trail.sources[:1])
