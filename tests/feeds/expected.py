"""What must come of the sample of each feed, a line each: `feed kind value info class confidence` or a refusal."""

import csv
from collections import defaultdict
from collections.abc import Iterable

from feeds.entry import Entry
from tests.feeds.samples import SAMPLES
from trailhound.trail import Trail

EXPECTED = SAMPLES / "expected.tsv"


def expected() -> dict[str, list[tuple[str, ...]]]:
    found = defaultdict(list)
    with EXPECTED.open(encoding="utf-8", newline="") as stream:
        for name, *row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            found[name].append(tuple(row))
    return dict(found)


def as_rows(entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for entry in entries:
        if isinstance(entry, Trail):
            rows.append((entry.kind, entry.value, entry.info, entry.class_, str(entry.confidence)))
        else:
            rows.append(("refused", entry.value, entry.reason))
    return rows
