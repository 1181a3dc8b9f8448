"""What a search finds, worked out the slow and plain way; and searches for property tests."""

import ipaddress
import re
from typing import Any

from hypothesis import strategies as st

from stores.addresses import span
from stores.contract import Query
from stores.search.expression import (
    Addresses,
    And,
    Classes,
    Count,
    Directions,
    End,
    Expression,
    Kinds,
    Not,
    Or,
    Ports,
    Severities,
    Text,
    Threats,
    Trails,
    Word,
    Words,
    lower,
)
from stores.threat import threat_id
from tests.stores import model
from tests.stores.strategies import INFOS, KINDS, NETWORKS, PROTOCOLS, SENSORS
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass

_DATASETS = ("zeek.dns", "zeek.*", "SURICATA.tls", "*tls*", "[z]eek.dns", "?eek.dns")


def finds(part: Expression, event: Event) -> bool:
    match part:
        case Not(inner):
            return not finds(inner, event)
        case And(parts):
            return all(finds(one, event) for one in parts)
        case Or(parts):
            return any(finds(one, event) for one in parts)
        case Severities(values):
            return event.severity in values
        case Kinds(kinds):
            return event.trail.kind in kinds
        case Classes(classes):
            return event.trail.class_ in classes
        case Directions(directions):
            return event.direction in directions
        case Words(field, words):
            said = _said(field, event)
            return said is not None and any(_fits(lower(said), word) for word in words)
        case Trails(trails):
            return event.trail.value in trails
        case Addresses(end, spans):
            address = event.source_ip if end is End.SOURCE else event.destination_ip
            return address is not None and any(_is_between(address, *ends) for ends in spans)
        case Ports(ports):
            ends = (event.source_port, event.destination_port)
            return any(end is not None and first <= end <= last for end in ends for first, last in ports)
        case Count(low, high):
            return (low is None or event.count >= low) and (high is None or event.count <= high)
        case Threats(names):
            return threat_id(event.source_ip, event.trail.kind, event.trail.value) in names
        case Text(text):
            return model.meets(event, Query(text=text))
    raise AssertionError(f"no store is asked for {part}")


def _said(field: Word, event: Event) -> str | None:
    return {
        Word.TRAIL: event.trail.value,
        Word.INFO: event.trail.info,
        Word.SENSOR: event.sensor,
        Word.DATASET: event.dataset,
        Word.PROTOCOL: event.protocol or event.transport,
    }[field]


def _fits(said: str, word: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, word.split("*"))), said, re.DOTALL) is not None


def _is_between(text: str, first: Any, last: Any) -> bool:
    address = ipaddress.ip_address(text)
    return address.version == first.version and int(first) <= int(address) <= int(last)


def _some(values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


def _words(field: Word, values: Any) -> st.SearchStrategy[Expression]:
    return _some([lower(value) for value in values]).map(lambda words: Words(field, words))


def leaves() -> st.SearchStrategy[Expression]:
    spans = _some([found for network in NETWORKS if (found := span(network))])
    bounds = st.sampled_from((None, 1, 2, 1000))
    return st.one_of(
        _some(list(Severity)).map(Severities),
        _some([kind for kind, _ in KINDS]).map(Kinds),
        _some((TrailClass.C2, TrailClass.ATTACKER)).map(Classes),
        _some(list(Direction)).map(Directions),
        _words(Word.SENSOR, (*SENSORS, "S*", "*\\*", "west_*")),
        _words(Word.DATASET, _DATASETS),
        _words(Word.PROTOCOL, ("tcp", *filter(None, PROTOCOLS), "D*")),
        _words(Word.INFO, (*INFOS, "Emotet*", "*%", "mass?scanner", "*")),
        _words(Word.TRAIL, ("*.example", "*evil*gate*", "45.*")),
        _some([value for _, value in KINDS]).map(Trails),
        st.builds(Addresses, st.sampled_from(End), spans),
        _some(((53, 53), (0, 21), (22, 443), (40000, 65535))).map(Ports),
        st.builds(Count, bounds, bounds),
        _some([threat_id("192.168.1.10", kind, value) for kind, value in KINDS]).map(Threats),
        st.sampled_from(("EVIL", "strasse", "%", "45.155", "ß", "le", 'a"b', "σίσυφος")).map(Text),
    )


def searches() -> st.SearchStrategy[Expression]:
    def nested(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        some = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return inner.map(Not) | some.map(And) | some.map(Or)

    return st.recursive(leaves(), nested, max_leaves=6)
