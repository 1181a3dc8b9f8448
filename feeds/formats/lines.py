"""Plain lists: one value a line, comments after `#`, `;` or `//`; also hosts files, and the lists people write.

A line `# trailhound: class=phishing confidence=80 info="parcel lure"` holds for what follows it. Its keys are `info`,
`class`, `confidence`, `kind`, `expires` and `reference`; `# Reference: URL` does the same as the last.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from feeds.classes import rate, threat_name
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused, tidy_info, tidy_reference
from feeds.formats import values
from feeds.formats.comments import References
from feeds.hygiene import refusal
from trailhound.errors import TrailError
from trailhound.trail import Trail, TrailClass, TrailKind

_Word = TypeVar("_Word", TrailClass, TrailKind)
DIRECTIVE = "# trailhound:"
_COMMENTS = ("#", ";", "//")
HOSTS_TARGETS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})
_HOSTS_OWN = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost", "0.0.0.0"})
_KEYS = ("info", "class", "confidence", "kind", "expires", "reference")
# Kinds whose values may hold blanks and `#`: the whole line is the value.
_WHOLE_LINE = frozenset({TrailKind.USER_AGENT, TrailKind.USER_AGENT_REGEX, TrailKind.WILDCARD})


@dataclass(frozen=True, slots=True)
class _Said:
    """What holds for the lines that follow."""

    info: str
    class_: TrailClass
    confidence: int
    kind: TrailKind | None
    expires: int | None = None


def read(lines: Iterable[str], origin: Origin) -> Iterator[Entry]:
    said = _from_origin(origin)
    references = References()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
        elif text.startswith(DIRECTIVE):
            try:
                said = _directed(said, text, references)
            except TrailError as error:
                yield refused(origin, number, text, str(error))
        elif text[:1] == "#":
            references.comment(text)
        else:
            references.no_comment()
            yield from _line(text, number, origin, said, references.current)


def _from_origin(origin: Origin) -> _Said:
    rating = rate(origin.info)
    confidence = rating.confidence if origin.confidence is None else origin.confidence
    return _Said(threat_name(origin.info), origin.class_ or rating.class_, confidence, origin.kind)


def _line(text: str, number: int, origin: Origin, said: _Said, reference: str) -> Iterator[Entry]:
    if said.kind in _WHOLE_LINE:
        words = [text] if text else []
    else:
        words = [] if text.startswith(_COMMENTS) else text.split()
        words = hosts_names(words) if words and words[0] in HOSTS_TARGETS and len(words) > 1 else words[:1]
    for word in words:
        try:
            found = values.meant(word, said.kind)
        except TrailError as error:
            yield refused(origin, number, word, str(error))
            continue
        for kind, value in found:
            trail = Trail(
                kind,
                value,
                said.info,
                said.class_,
                (origin.source,),
                reference,
                said.confidence,
                expires=said.expires,
                custom=origin.custom,
            )
            reason = refusal(trail)
            yield trail if reason is None else refused(origin, number, word, reason)


def hosts_names(words: Sequence[str]) -> list[str]:
    """Give the names of a line of a hosts file, without those that every such file has for the machine itself."""
    names = []
    for word in words[1:]:
        if word.startswith("#"):
            break
        if word not in _HOSTS_OWN and not word.startswith("ip6-"):
            names.append(word)
    return names


def _directed(said: _Said, text: str, references: References) -> _Said:
    """Apply a `# trailhound:` line. Raises `TrailError` with the key and what was expected."""
    try:
        words = shlex.split(text.removeprefix(DIRECTIVE))
    except ValueError as error:
        raise TrailError("expected `key=value`, values with blanks in double quotes") from error
    given = dict(word.partition("=")[::2] for word in words)
    unknown = given.keys() - set(_KEYS)
    if unknown:
        raise TrailError(f"{min(unknown)!r} is no key; expected one of {', '.join(_KEYS)}")
    if "info" in given:
        rating = rate(given["info"])
        said = replace(said, info=tidy_info(given["info"]), class_=rating.class_, confidence=rating.confidence)
    if "class" in given:
        said = replace(said, class_=_member(TrailClass, "class", given["class"]))
    if "confidence" in given:
        said = replace(said, confidence=_percent(given["confidence"]))
    if "kind" in given:
        said = replace(said, kind=None if given["kind"] == "any" else _member(TrailKind, "kind", given["kind"]))
    if "expires" in given:
        said = replace(said, expires=None if given["expires"] == "never" else _moment(given["expires"]))
    if "reference" in given:
        references.current = tidy_reference(given["reference"])
    return said


def _member(words: type[_Word], key: str, text: str) -> _Word:
    try:
        return words(text)
    except ValueError as error:
        raise TrailError(f"{key}={text!r}; expected one of {', '.join(words)}") from error


def _percent(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 100):
        raise TrailError(f"confidence={text!r}; expected a number from 0 to 100")
    return int(text)


def _moment(text: str) -> int:
    """Read a time in ISO 8601, in UTC unless it says otherwise; a day alone lasts to its end."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if len(text) <= len("2030-01-31"):
            moment += timedelta(days=1, seconds=-1)
        seconds = int(moment.timestamp())
    except (ValueError, OverflowError) as error:
        raise TrailError(f"expires={text!r}; expected a day such as 2030-01-31, a time (ISO 8601) or never") from error
    if seconds <= 0:
        raise TrailError(f"expires={text!r}; expected a time after 1970")
    return seconds


def looks_like(head: Sequence[str], path: str) -> bool:
    """Tell by whether most lines can be read; a file of comments alone is an empty list."""
    del path
    if any(line.startswith(DIRECTIVE) for line in head):
        return True
    values_ = [line for line in map(str.strip, head) if line and not line.startswith(_COMMENTS)]
    return 2 * sum(map(_is_value, values_)) >= len(values_)


def _is_value(line: str) -> bool:
    words = line.split()
    if words[0] in HOSTS_TARGETS:
        return True
    try:
        return bool(values.meant(words[0], None))
    except TrailError:
        return False
