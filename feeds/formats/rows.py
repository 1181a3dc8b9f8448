"""Rows with named columns, whatever they stand in (CSV, JSON, a regular expression): which column says what."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
import re2

from feeds.entry import Entry, Origin, refused
from feeds.formats import moments, values
from feeds.formats.format import Options
from feeds.formats.making import Said, entries
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.errors import TrailError
from trailhound.trail import TrailClass, TrailKind

# Gives what stands in a column: several texts when the column is a list, none when it is missing or empty.
Row: TypeAlias = Callable[[str], tuple[str, ...]]
_HOLE = re.compile(r"\{([^{}]+)\}")


class Picks(Options, frozen=True, kw_only=True, rename={"class_": "class"}):
    """Which column says what; a column is a name, or its number from 1 on.

    `value` are the columns that hold values. `port` is joined to an address. `type` says what kind a value is, in words
    that `types` translates to kinds; "" passes over such rows. `info` is the first of several columns that is not
    empty, with the words of `strip` cut out. `class` holds words that `classes` translates. `confidence` is a number
    from 0 to 100. `reference` is a text with columns in it: `https://example/{id}`. `first_seen`, `last_seen` and
    `expires` are times; without `expires`, a trail lasts for `lasts` (`30d`) from when it was last seen. `only` and
    `without` keep or pass over rows by what stands in a column, in any case of letters (`*` stands for any text);
    `at_least` keeps those with such a number in it. `extract` is a pattern whose first group is the value.
    """

    value: str | tuple[str, ...] = "value"
    port: str = ""
    type: str = ""
    types: dict[str, str] = msgspec.field(default_factory=dict)
    info: str | tuple[str, ...] = ()
    strip: tuple[str, ...] = ()
    class_: str = ""
    classes: dict[str, TrailClass] = msgspec.field(default_factory=dict)
    confidence: str = ""
    reference: str = ""
    first_seen: str = ""
    last_seen: str = ""
    expires: str = ""
    lasts: str = ""
    only: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    without: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    at_least: dict[str, int] = msgspec.field(default_factory=dict)
    extract: str = ""

    def __post_init__(self) -> None:
        if self.lasts:
            moments.span(self.lasts)
        if self.extract and compiled(self.extract).groups != 1:
            raise ValueError(f"extract = {self.extract!r}; expected a pattern with one group")
        for word in self.types.values():
            if word and word not in set(TrailKind):
                raise ValueError(f"types: {word!r} is no kind; expected one of {', '.join(TrailKind)}")

    def columns(self) -> tuple[str, ...]:
        """Give every column that is named, so that a list without it is known to have changed."""
        named = (*_many(self.value), self.port, self.type, *_many(self.info), self.class_, self.confidence)
        times = (self.first_seen, self.last_seen, self.expires)
        all_ = (*named, *times, *_HOLE.findall(self.reference), *self.only, *self.without, *self.at_least)
        return tuple(dict.fromkeys(name for name in all_ if name))


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Compile a pattern of the catalogue. Raises `ValueError`."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        raise ValueError(f"{pattern!r} is no pattern that RE2 can compile") from error


def read_row(row: Row, picks: Picks, origin: Origin, number: int) -> Iterator[Entry]:
    """Make the trails of one row, or a refusal with the reason; nothing when the row is passed over."""
    if not _is_wanted(row, picks) or picks.types.get(_first(row, picks.type)) == "":
        return
    texts = [text for name in _many(picks.value) for text in row(name)]
    try:
        kind = _kind(row, picks, origin)
        said = _said(row, picks)
    except TrailError as error:
        yield refused(origin, number, texts[0] if texts else "", str(error))
        return
    port = _first(row, picks.port)
    for text in texts:
        try:
            found = _found(text, port, kind, picks)
        except TrailError as error:
            yield refused(origin, number, text, str(error))
        else:
            yield from entries(found, said, origin, number, text)
    if not texts:
        yield refused(origin, number, "", f"nothing in {', '.join(_many(picks.value))}")


def _found(text: str, port: str, kind: TrailKind | None, picks: Picks) -> tuple[Indicator, ...]:
    if picks.extract:
        match = compiled(picks.extract).search(text)
        if match is None or not match[1]:
            raise TrailError(f"{text[:80]!r} does not match {picks.extract}")
        text = match[1]
    address = canonical.address(text.strip()) if port else None
    if address is not None and port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535:
        return (Indicator(TrailKind.IP_PORT, canonical.with_port(address, int(port))),)
    if kind is TrailKind.IP_PORT:
        text = _bracketed(text)
    return values.of_kind(text, kind)


def _bracketed(text: str) -> str:
    """Write `2001:db8::1:443`, as careless lists do, with brackets around the address."""
    host, _, port = text.rpartition(":")
    return f"[{host}]:{port}" if ":" in host and "[" not in host else text


def _is_wanted(row: Row, picks: Picks) -> bool:
    for name, patterns in picks.only.items():
        if not _any_like(row(name), patterns):
            return False
    for name, least in picks.at_least.items():
        text = _first(row, name)
        if not text.isascii() or not text.isdigit() or int(text[:9]) < least:
            return False
    return not any(_any_like(row(name), patterns) for name, patterns in picks.without.items())


def _any_like(texts: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text.lower(), pattern.lower()) for text in texts for pattern in patterns)


def _kind(row: Row, picks: Picks, origin: Origin) -> TrailKind | None:
    """Tell the kind that the row says, or else the feed; None for one that shows by the value."""
    if not picks.type:
        return origin.kind
    word = _first(row, picks.type)
    kind = picks.types.get(word)
    if kind is None:
        raise TrailError(f"{word[:80]!r} in {picks.type} is a type that the options of this feed do not know")
    return TrailKind(kind)


def _said(row: Row, picks: Picks) -> Said:
    info = next((text for name in _many(picks.info) if (text := _first(row, name))), "")
    for word in picks.strip:
        info = info.replace(word, "")
    first = _moment(row, picks.first_seen)
    expires = _moment(row, picks.expires)
    last = _moment(row, picks.last_seen) or first
    if expires is None and picks.lasts and last is not None:
        expires = last + moments.span(picks.lasts)
    class_ = picks.classes.get(_first(row, picks.class_)) if picks.class_ else None
    confidence = _percent(_first(row, picks.confidence)) if picks.confidence else None
    return Said(" ".join(info.split()), class_, confidence, _reference(row, picks.reference), first, expires)


def _reference(row: Row, template: str) -> str:
    if not template:
        return ""
    filled = {name: _first(row, name) for name in _HOLE.findall(template)}
    # A reference with a hole in it leads nowhere.
    return _HOLE.sub(lambda match: filled[match[1]], template) if all(filled.values()) else ""


def _percent(text: str) -> int | None:
    if not text:
        return None
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 3 and int(whole) <= 100):
        raise TrailError(f"{text[:20]!r} is no confidence; expected a number from 0 to 100")
    return int(whole)


def _moment(row: Row, name: str) -> int | None:
    return moments.seconds(_first(row, name)) if name else None


def _first(row: Row, name: str) -> str:
    if not name:
        return ""
    return next(iter(row(name)), "").strip()


def _many(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def from_mapping(cells: Mapping[str, str | None]) -> Row:
    def row(name: str) -> tuple[str, ...]:
        text = cells.get(name)
        return (text,) if text else ()

    return row
