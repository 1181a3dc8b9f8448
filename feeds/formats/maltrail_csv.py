"""Maltrail's built set, `trails.csv`: trail, info, reference, without a header; also its two-column form.

The third column names who lists the value: "(static)", "abuse.ch", or "abuse.ch (+openphish.com,urlhaus)".
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from feeds.classes import rate, threat_name
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused, tidy_info, tidy_reference
from feeds.formats import values
from feeds.hygiene import refusal
from trailhound.errors import TrailError
from trailhound.trail import Trail

_OTHERS = re.compile(r"\s*\(\+([^)]*)\)\s*$")
_WELL_KNOWN = {"(static)": "maltrail", "(custom)": "custom", "(remote custom)": "remote custom"}
_OWN = frozenset({"custom", "remote custom"})
# What each further list that agrees adds, and what agreement alone cannot lift a trail above.
_AGREEMENT = 10
_AGREED = 95


def read(lines: Iterable[str], origin: Origin) -> Iterator[Entry]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text[0] == "#":
            continue
        if len(text) > MAX_LINE:
            yield overlong(origin, number, text)
            continue
        row = fields(text)
        if row is None:
            yield refused(origin, number, text, "expected `trail,info,reference`")
            continue
        try:
            kind, value = values.maltrail(row[0].strip().lower(), words=True)
        except TrailError as error:
            yield refused(origin, number, row[0], str(error))
            continue
        info = tidy_info(row[1])
        rating = rate(info)
        sources, reference = said_by(row[2], origin.source)
        confidence = rating.confidence if origin.confidence is None else origin.confidence
        if len(sources) > 1:
            confidence = max(confidence, min(confidence + _AGREEMENT * (len(sources) - 1), _AGREED))
        class_ = origin.class_ or rating.class_
        custom = origin.custom or not _OWN.isdisjoint(sources)
        trail = Trail(kind, value, threat_name(info), class_, sources, reference, confidence, custom=custom)
        reason = refusal(trail)
        yield trail if reason is None else refused(origin, number, row[0], reason)


def fields(text: str) -> tuple[str, str, str] | None:
    """Cut one line into its three columns (the last may be missing), or None when it has other columns."""
    row = text.split(",")
    if '"' in text:
        try:
            row = next(csv.reader([text], strict=True))
        except csv.Error:
            return None
    if len(row) == 2:
        row.append("")
    return (row[0], row[1], row[2]) if len(row) == 3 and row[0].strip() and row[1].strip() else None


@lru_cache(maxsize=8192)
def said_by(column: str, fallback: str) -> tuple[tuple[str, ...], str]:
    """Give the lists that the third column names, and the reference if it is one."""
    text = tidy_reference(column)
    if text.startswith(("http://", "https://")):
        return (fallback,), text
    others = _OTHERS.search(text)
    names = [_OTHERS.sub("", text), *(others[1].split(",") if others else ())]
    known = [_name(name.strip()) for name in names]
    return tuple(dict.fromkeys(name for name in known if name)) or (fallback,), ""


def _name(text: str) -> str:
    return "maltrail" if text.endswith("(static)") else _WELL_KNOWN.get(text, text)


def looks_like(head: Sequence[str], path: str) -> bool:
    del path
    rows = [line.strip() for line in head if line.strip() and not line.startswith("#")]
    return bool(rows) and 2 * sum(map(_is_row, rows)) > len(rows)


def _is_row(text: str) -> bool:
    row = fields(text)
    if row is None:
        return False
    try:
        values.maltrail(row[0].strip().lower(), words=True)
    except TrailError:
        return False
    return True
