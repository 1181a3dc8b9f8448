"""An explanation of what a value meets, as JSON for machines and as lines for people."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from api.lookup import Explanation, FoundTrail
from api.translate import iso_seconds
from matchers.explain import ITSELF, Tried
from matchers.standing import moment


def as_object(explanation: Explanation) -> dict[str, Any]:
    """Write an explanation as plain JSON values."""
    return {
        "value": explanation.value,
        "readings": [{"kind": kind.value, "value": value} for kind, value in explanation.readings],
        "refused": list(explanation.unfit),
        "found": explanation.found,
        "whitelisted": explanation.whitelisted,
        "tried": [
            {
                "place": look.place or None,
                "key": tried.what,
                "met": tried.verdict is not None,
                "counts": tried.counts,
                "said": tried.said or None,
            }
            for look in explanation.looks
            for tried in look.tried
        ],
        "matches": [_match_as_object(match) for match in explanation.matches],
    }


def _match_as_object(match: FoundTrail) -> dict[str, Any]:
    trail = match.trail
    return {
        "key": match.key,
        "kind": trail.kind.value,
        "trail": trail.value,
        "info": trail.info,
        "class": trail.class_.value,
        "sources": list(trail.sources),
        "custom": trail.custom,
        "reference": trail.reference,
        "confidence": trail.confidence,
        "first_seen": iso_seconds(trail.first_seen),
        "expires": iso_seconds(trail.expires),
        "hidden": match.hidden or None,
    }


def as_text(explanation: Explanation) -> Iterator[str]:
    """Write an explanation as lines, which may hold whatever a value or a list holds."""
    yield f"{explanation.value!r}: {'found' if explanation.found else 'not found'}"
    if not explanation.readings and not explanation.found:
        yield "  this can be no kind of trail"
    for kind, value in explanation.readings:
        yield f"  read as {kind.value}: {value}"
    for reason in explanation.unfit:
        yield f"  refused when a list has it: {reason}"
    for look in explanation.looks:
        yield f"  {'by itself' if look.place == ITSELF else f'as {look.place}'}, asked for in this order:"
        yield from map("    {}".format, _lines(look.tried))
    for match in explanation.matches:
        yield from map("  {}".format, _match_as_text(match))


def _lines(tried: Sequence[Tried]) -> Iterator[str]:
    """Give a line for each key, and one for all networks in a row that are not there: IPv6 has 128 of them."""
    for is_folded, group in groupby(tried, lambda one: one.verdict is None and one.what.startswith("network ")):
        keys = list(group)
        if is_folded and len(keys) > 1:
            yield f"- networks {keys[0].what.removeprefix('network ')} to {keys[-1].what.removeprefix('network ')}"
            continue
        for one in keys:
            yield f"{'*' if one.counts else '-'} {one.what}{f': {one.said}' if one.said else ''}"


def _match_as_text(match: FoundTrail) -> Iterator[str]:
    trail = match.trail
    yield f"trail {trail.value} ({trail.kind.value}): {trail.info}, class {trail.class_.value}"
    yield f"  confidence {trail.confidence}, sources: {', '.join(trail.sources)}"
    if trail.custom:
        yield "  on a list of your own"
    if trail.reference:
        yield f"  reference: {trail.reference}"
    if trail.first_seen is not None:
        yield f"  first seen: {moment(trail.first_seen)}"
    if trail.expires is not None:
        yield f"  expires: {moment(trail.expires)}"
    if match.hidden:
        yield f"  does not count: {match.hidden}"
