"""The formats that trails come in, by name, and how to tell them apart by their content."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from feeds.entry import Entry, Origin
from feeds.formats import lines, maltrail_csv, maltrail_static, zeek_intel


@dataclass(frozen=True, slots=True)
class Format:
    """How to read one format, and how to tell it from the first lines of a file and the path it stands under."""

    read: Callable[[Iterable[str], Origin], Iterator[Entry]]
    looks_like: Callable[[Sequence[str], str], bool]


# The order is the order of asking: what is told by a sure sign comes first.
FORMATS: Mapping[str, Format] = {
    "zeek-intel": Format(zeek_intel.read, zeek_intel.looks_like),
    "maltrail-static": Format(maltrail_static.read, maltrail_static.looks_like),
    "maltrail-csv": Format(maltrail_csv.read, maltrail_csv.looks_like),
    "lines": Format(lines.read, lines.looks_like),
}


def detect(head: Sequence[str], path: str = "") -> str | None:
    """Name the format of a file by its first whole lines; `path` tells Maltrail's folders. None: it is none of ours."""
    return next((name for name, format_ in FORMATS.items() if format_.looks_like(head, path)), None)
