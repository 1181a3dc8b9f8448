"""Files of Zeek's intelligence framework: tabs, `#fields indicator indicator_type meta.source ...`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from feeds.classes import rate, threat_name
from feeds.entry import MAX_LINE, Entry, Origin, Refused, overlong, refused, tidy_info, tidy_reference
from feeds.formats import values
from feeds.hygiene import refusal
from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.trail import Trail, TrailKind
from trailhound.zeek_intel import kind_of

# Kinds that people write so that nobody clicks on them.
_NAMES = frozenset({TrailKind.URL, TrailKind.DOMAIN})
_UNSET = ("-", "(empty)", "")


def read(lines: Iterable[str], origin: Origin) -> Iterator[Entry]:
    """Read rows under their header; a further `#fields` line starts anew."""
    columns: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if text.startswith("#fields"):
            columns = tuple(text.split("\t")[1:])
            if not {"indicator", "indicator_type"} <= set(columns):
                columns = ()
                yield refused(
                    origin, number, text, "expected `#fields`, `indicator` and `indicator_type`, separated by tabs"
                )
        elif text.startswith("#") or not text.strip():
            continue
        elif len(text) > MAX_LINE:
            yield overlong(origin, number, text)
        elif not columns:
            yield refused(origin, number, text, "a row without a `#fields` header above")
        else:
            yield _entry(dict(zip(columns, text.split("\t"), strict=False)), origin, number)


def _entry(row: Mapping[str, str], origin: Origin, number: int) -> Trail | Refused:
    text = row["indicator"].strip()
    if row.get("meta.whitelist") == "T":
        return refused(origin, number, text, "marked as `meta.whitelist`: it belongs into the whitelist")
    try:
        kind = kind_of(row.get("indicator_type", ""), text)
        kind, value = canonical.indicator(kind, values.as_meant(text) if kind in _NAMES else text)
    except TrailError as error:
        return refused(origin, number, text, str(error))
    source = _column(row, "meta.source")
    said = _column(row, "meta.desc")
    info = threat_name(tidy_info(said)) or tidy_info(source) or origin.info
    rating = rate(tidy_info(f"{said} {source}") or origin.info)
    trail = Trail(
        kind,
        value,
        info,
        origin.class_ or rating.class_,
        (tidy_info(source) or origin.source,),
        tidy_reference(_column(row, "meta.url")),
        rating.confidence if origin.confidence is None else origin.confidence,
        custom=origin.custom,
    )
    reason = refusal(trail)
    return trail if reason is None else refused(origin, number, text, reason)


def _column(row: Mapping[str, str], name: str) -> str:
    text = row.get(name, "")
    return "" if text in _UNSET else text


def looks_like(head: Sequence[str], path: str) -> bool:
    del path
    return any(line.startswith("#fields") and "indicator_type" in line for line in head)
