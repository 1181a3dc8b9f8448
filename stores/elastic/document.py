"""Events as documents of Elasticsearch, and back.

A document is the event in ECS and one object more, `trailhound.index`: what Elasticsearch needs to answer exactly and
fast. Nobody but this package sees it. NUL stays as it is in all texts, lone surrogates become `?`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from stores.clean import clean_json
from trailhound.event import Event, to_ecs

SEPARATOR = "\x1f"  # Between the parts of a facet.
LONGEST_TEXT = 8_000  # Characters of each text that is looked through.
_DEEPEST = 100
_LEFT_OUT = "(nested too deep)"
_OWN = "trailhound"
_INDEX = "index"
_UNFIT = "unfit"


def to_document(event: Event) -> dict[str, Any]:
    """Write an event as a document. It shares parts with others: it is not to be changed."""
    document = to_ecs(event)
    document[_OWN][_INDEX] = _for_answers(event)
    return document


def to_salvage(event: Event) -> dict[str, Any]:
    """Write an event so that no field of its record can be refused: what the record said is kept, but not indexed."""
    whole = to_ecs(event)
    document = to_document(replace(event, ecs={}))
    unfit = {name: value for name, value in whole.items() if name != _OWN and document.get(name) != value}
    document[_OWN][_INDEX][_UNFIT] = unfit
    return document


def from_document(source: Mapping[str, Any]) -> dict[str, Any]:
    """Give the ECS document that an event was written as."""
    document = dict(source)
    own = dict(document.get(_OWN, {}))
    index = own.pop(_INDEX, {})
    document[_OWN] = own
    document.update(index.get(_UNFIT, {}))
    return document


def encode(document: Mapping[str, Any]) -> bytes:
    """Write a document as JSON, however its values came in."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return orjson.dumps(clean_json(_shallow(document, _DEEPEST)))


def _shallow(value: Any, depth: int) -> Any:
    """Leave out what is nested deeper than JSON is read or written."""
    if isinstance(value, Mapping):
        return {name: _shallow(item, depth - 1) for name, item in value.items()} if depth else _LEFT_OUT
    if isinstance(value, list | tuple | set | frozenset):
        return [_shallow(item, depth - 1) for item in value] if depth else _LEFT_OUT
    return value


def facet_of(event: Event) -> str:
    """Join all of an event that has few values; `SEPARATOR` keeps them apart."""
    trail = event.trail
    return SEPARATOR.join(
        (
            event.severity.label,
            trail.kind,
            trail.class_,
            event.direction,
            event.protocol or event.transport or "",
            event.sensor,
            event.dataset,
        )
    )


def _for_answers(event: Event) -> dict[str, Any]:
    trail = event.trail
    texts = (
        trail.value,
        trail.info,
        event.observed,
        event.message,
        event.source_ip,
        event.destination_ip,
        event.sensor,
    )
    answers: dict[str, Any] = {
        "start": event.start,
        "facet": facet_of(event),
        "text": [text[:LONGEST_TEXT].casefold()[:LONGEST_TEXT] for text in texts if text],
    }
    if protocol := event.protocol or event.transport:
        answers["protocol"] = protocol
    return answers
