"""The formats that trails come in, by name, and how to tell those of the site's own files apart by their content."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points

from feeds.entry import Entry, Origin
from feeds.formats import (
    by_line,
    csv_rows,
    json_rows,
    lines,
    maltrail_csv,
    maltrail_static,
    misp,
    misp_api,
    misp_warninglist,
    otx,
    regex_rows,
    stix,
    suricata_rules,
    suricata_sets,
    taxii,
    zeek_intel,
)
from feeds.formats.format import Format
from trailhound.errors import SettingsError


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How to read a format of lines, and how to tell it from the first of them and the path the file stands under."""

    read: Callable[[Iterable[str], Origin], Iterator[Entry]]
    looks_like: Callable[[Sequence[str], str], bool]


# The order is the order of asking: what is told by a sure sign comes first.
LINE_FORMATS: Mapping[str, LineFormat] = {
    "zeek-intel": LineFormat(zeek_intel.read, zeek_intel.looks_like),
    "maltrail-static": LineFormat(maltrail_static.read, maltrail_static.looks_like),
    "maltrail-csv": LineFormat(maltrail_csv.read, maltrail_csv.looks_like),
    "lines": LineFormat(lines.read, lines.looks_like),
}
# What a feed may be written in.
FORMATS: Mapping[str, Format] = {
    "csv": csv_rows.FORMAT,
    "hosts": by_line.HOSTS,
    "iprep": suricata_sets.IPREP,
    "json": json_rows.JSON,
    "lines": by_line.LINES,
    "maltrail-csv": by_line.MALTRAIL_CSV,
    "maltrail-static": by_line.MALTRAIL_STATIC,
    "misp": misp.FORMAT,
    "misp-api": misp_api.FORMAT,
    "misp-warninglist": misp_warninglist.FORMAT,
    "ndjson": json_rows.NDJSON,
    "netset": by_line.NETSET,
    "otx": otx.FORMAT,
    "regex": regex_rows.FORMAT,
    "stix": stix.FORMAT,
    "suricata-dataset": suricata_sets.DATASET,
    "suricata-rules": suricata_rules.FORMAT,
    "taxii": taxii.FORMAT,
    "zeek-intel": by_line.ZEEK_INTEL,
}
# A plug-in names here an instance of `Format`; the name of the entry point is that of the format.
PLUGINS = "trailhound.feed_formats"


def detect(head: Sequence[str], path: str = "") -> str | None:
    """Name the format of a file by its first whole lines; `path` tells Maltrail's folders. None: it is none of ours."""
    return next((name for name, format_ in LINE_FORMATS.items() if format_.looks_like(head, path)), None)


@lru_cache(maxsize=1)
def all_formats() -> Mapping[str, Format]:
    """Give our formats and those of plug-ins. Raises `SettingsError` that names the plug-in which is none."""
    found = dict(FORMATS)
    for point in sorted(entry_points(group=PLUGINS), key=lambda point: point.name):
        try:
            format_ = point.load()
        except Exception as error:
            raise SettingsError(f"plug-in {point.name}: cannot be loaded ({point.value}): {error}") from error
        if not isinstance(format_, Format):
            raise SettingsError(f"plug-in {point.name}: {point.value} is no Format of feeds.formats.format")
        if point.name in FORMATS:
            raise SettingsError(f"plug-in {point.name}: a format of this name comes with Trailhound")
        found[point.name] = format_
    return found
