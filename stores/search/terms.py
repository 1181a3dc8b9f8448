"""One term of a search: a field and its values, or a plain word."""

import difflib
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from stores.addresses import Address, span
from stores.search.expression import (
    Addresses,
    And,
    Classes,
    Count,
    Directions,
    End,
    Expression,
    Kinds,
    Or,
    Ports,
    Said,
    Saying,
    Severities,
    Text,
    Threats,
    Trails,
    Word,
    Words,
    lower,
)
from trailhound import canonical
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailGroup, TrailKind

MAX_NUMBER = 2**53
MAX_PORT = 65_535
_COMPARED = re.compile(r"(>=|<=|>|<)?(\d{1,16})")
_BETWEEN = re.compile(r"(\d{1,16})-(\d{1,16})")
_OCTETS = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,2})\.\*")
_THREAT = re.compile(r"[0-9a-f]{1,64}")
_SEVERITIES = {severity.label: severity for severity in Severity}
_GROUPS = {group.value.lower(): tuple(kind for kind in TrailKind if kind.group is group) for group in TrailGroup}
# The longer ones first: each is what a value begins with.
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}
# As on the desk; what has a space is also found without quotes.
STATUSES: Mapping[str, str] = {
    "new": "new",
    "investigating": "investigating",
    "resolved": "resolved",
    "false positive": "false positive",
    "false-positive": "false positive",
    "false_positive": "false positive",
}
_Values = Sequence[str]
_Word = TypeVar("_Word", bound=Enum)
_Found = TypeVar("_Found")


def named(field: str, values: _Values) -> Expression:
    """Give what a field with these values means. Raises ValueError in words for a person."""
    make = _FIELDS.get(field.lower())
    if make is None:
        near = difflib.get_close_matches(field.lower(), _FIELDS, n=1, cutoff=0.5)
        hint = f"the nearest is {near[0]}" if near else f"there are {', '.join(sorted(_FIELDS))}"
        raise ValueError(f"there is no field {field!r}; {hint}; text with a colon stands in quotes")
    return make(values)


def plain(word: str, *, quoted: bool) -> Expression:
    """Give what a word without a field means: a severity, class, direction or type, an address, or text."""
    known = word.lower()
    if not quoted:
        if known in _SEVERITIES:
            return Severities((_SEVERITIES[known],))
        if known in _GROUPS:
            return Kinds(_GROUPS[known])
        for values, make in _PLAIN:
            if known in values:
                return make([known])
        if span(word) is not None:
            return _ends([word], Trails(_spellings(word)))
        word = word.strip("*")
        if "*" in word:
            raise ValueError("a * inside of a plain word says too little; name a field, such as trail:ev*l.example")
    return Text(word) if word else And(())


def _words(field: Word) -> Callable[[_Values], Expression]:
    def make(values: _Values) -> Expression:
        return Words(field, tuple(dict.fromkeys(lower(value) for value in values)))

    return make


def _trail(values: _Values) -> Expression:
    exact = [spelling for value in values if "*" not in value for spelling in _spellings(value)]
    patterns = tuple(dict.fromkeys(lower(value) for value in values if "*" in value))
    parts: list[Expression] = [Trails(tuple(dict.fromkeys(exact)))] if exact else []
    parts += [Words(Word.TRAIL, patterns)] if patterns else []
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _spellings(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((value, *(reading.value for reading in canonical.readings(value)))))


def _severity(values: _Values) -> Expression:
    found: list[Severity] = []
    for value in values:
        sign = next(sign for sign in _COMPARISONS if value.startswith(sign))
        limit = _one_of("severity", _SEVERITIES, value.removeprefix(sign))
        found += [one for one in Severity if _COMPARISONS[sign](one, limit)]
    return Severities(tuple(dict.fromkeys(found)))


def _group(values: _Values) -> Expression:
    return Kinds(tuple(dict.fromkeys(kind for value in values for kind in _one_of("type", _GROUPS, value))))


def _kind(values: _Values) -> Expression:
    return Kinds(tuple(_one_of("kind", _by_value(TrailKind), value) for value in values))


def _class(values: _Values) -> Expression:
    return Classes(tuple(_one_of("class", _by_value(TrailClass), value) for value in values))


def _direction(values: _Values) -> Expression:
    return Directions(tuple(_one_of("direction", _by_value(Direction), value) for value in values))


def _by_value(words: type[_Word]) -> Mapping[str, _Word]:
    return {str(word.value).lower(): word for word in words}


def _one_of(what: str, words: Mapping[str, _Found], value: str) -> _Found:
    found = words.get(value.lower())
    if found is None:
        near = difflib.get_close_matches(value.lower(), words, n=1, cutoff=0.5)
        hint = f"the nearest is {near[0]}" if near else f"there are {', '.join(words)}"
        raise ValueError(f"{value!r} is no {what}; {hint}")
    return found


def _end(end: End) -> Callable[[_Values], Expression]:
    return lambda values: Addresses(end, tuple(_span(value) for value in values))


def _either(values: _Values) -> Expression:
    return _ends(values)


def _ends(values: _Values, *more: Expression) -> Expression:
    spans = tuple(_span(value) for value in values)
    return Or((Addresses(End.SOURCE, spans), Addresses(End.DESTINATION, spans), *more))


def _span(value: str) -> tuple[Address, Address]:
    octets = _OCTETS.fullmatch(value)
    if octets:
        missing = 3 - octets[1].count(".")
        value = f"{octets[1]}{'.0' * missing}/{32 - 8 * missing}"
    found = span(value)
    if found is None and value.count("-") == 1:
        ends = [span(end) for end in value.split("-")]
        if ends[0] and ends[1] and ends[0][0].version == ends[1][1].version and int(ends[0][0]) <= int(ends[1][1]):
            return ends[0][0], ends[1][1]
    if found is None:
        forms = "192.0.2.1, 192.0.2.0/24, 192.0.2.* or 192.0.2.1-192.0.2.9"
        raise ValueError(f"{value!r} is no address, network or range, such as {forms}")
    return found


def _count(values: _Values) -> Expression:
    parts = tuple(_range(value) for value in values)
    return parts[0] if len(parts) == 1 else Or(parts)


def _range(value: str) -> Count:
    between, compared = _BETWEEN.fullmatch(value), _COMPARED.fullmatch(value)
    if between:
        return Count(_number(between[1]), _number(between[2]))
    if compared is None:
        raise ValueError(f"{value!r} is no number or range, such as 5, >5, <=5 or 5-10")
    number = _number(compared[2])
    match compared[1]:
        case ">":
            return Count(number + 1, None)
        case ">=":
            return Count(number, None)
        case "<":
            return Count(None, number - 1)
        case "<=":
            return Count(None, number)
    return Count(number, number)


def _ports(values: _Values) -> Expression:
    spans = []
    for value in values:
        found = _range(value)
        low, high = found.low or 0, MAX_PORT if found.high is None else found.high
        if max(found.low or 0, found.high or 0) > MAX_PORT + 1:
            raise ValueError(f"{value!r} is no port: there are 0 to {MAX_PORT:,}")
        spans.append((low, min(high, MAX_PORT)))
    return Ports(tuple(dict.fromkeys(spans)))


def _status(values: _Values) -> Expression:
    return Said(Saying.STATUS, tuple(dict.fromkeys(_one_of("status", STATUSES, value) for value in values)))


def _said(field: Saying) -> Callable[[_Values], Expression]:
    return lambda values: Said(field, tuple(dict.fromkeys(lower(value) for value in values)))


def _note(values: _Values) -> Expression:
    return Said(Saying.NOTE, tuple(dict.fromkeys(value.casefold() for value in values)))


def _number(text: str) -> int:
    return min(int(text), MAX_NUMBER)


def _threat(values: _Values) -> Expression:
    for value in values:
        if not _THREAT.fullmatch(value):
            raise ValueError(f"{value!r} is no id of a threat, which is hexadecimal")
    return Threats(tuple(values))


def _text(values: _Values) -> Expression:
    parts = tuple(Text(value) for value in values)
    return parts[0] if len(parts) == 1 else Or(parts)


_PLAIN: Sequence[tuple[frozenset[str], Callable[[_Values], Expression]]] = (
    (frozenset(class_.value for class_ in TrailClass), _class),
    (frozenset(direction.value for direction in Direction), _direction),
)
_FIELDS: Mapping[str, Callable[[_Values], Expression]] = {
    "src": _end(End.SOURCE),
    "source": _end(End.SOURCE),
    "dst": _end(End.DESTINATION),
    "destination": _end(End.DESTINATION),
    "ip": _either,
    "proto": _words(Word.PROTOCOL),
    "protocol": _words(Word.PROTOCOL),
    "type": _group,
    "group": _group,
    "kind": _kind,
    "trail": _trail,
    "info": _words(Word.INFO),
    "sensor": _words(Word.SENSOR),
    "dataset": _words(Word.DATASET),
    "class": _class,
    "sev": _severity,
    "severity": _severity,
    "dir": _direction,
    "direction": _direction,
    "count": _count,
    "port": _ports,
    "status": _status,
    "state": _status,
    "tag": _said(Saying.TAG),
    "note": _note,
    "assignee": _said(Saying.ASSIGNEE),
    "uid": _threat,
    "threat": _threat,
    "text": _text,
}
FIELDS = tuple(_FIELDS)
