"""What the TAXII server gives: objects that the follower made of events, found again by when they were added."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.sending.letters import Shown
from api.sending.sightings import Object, sighting
from feeds.exports.export import identifier

INDICATORS = identifier("taxii indicators")
SIGHTINGS = identifier("taxii sightings")
COLLECTIONS: Mapping[str, tuple[str, str]] = {
    INDICATORS: ("Indicators that were met", "Each trail that records met, once."),
    SIGHTINGS: ("Sightings", "Each event: the sighting of an indicator, and what was observed."),
}


def of_event(document: Mapping[str, Any]) -> Sequence[Shown]:
    """Make the objects of an event for both collections."""
    made = sighting(document)
    if made is None:
        return ()
    custom = bool(document.get("trailhound", {}).get("custom"))
    maker, sensor = made.makers
    return [
        _shown(INDICATORS, maker, custom=False),
        _shown(INDICATORS, made.indicator, custom=custom),
        _shown(SIGHTINGS, maker, custom=False),
        _shown(SIGHTINGS, sensor, custom=False),
        *(_shown(SIGHTINGS, one, custom=custom) for one in (*made.observed, made.sighting)),
    ]


def _shown(collection: str, one: Object, *, custom: bool) -> Shown:
    version = str(one.get("modified") or "")
    return Shown(collection, str(one["id"]), str(one["type"]), version, custom, orjson.dumps(one))
