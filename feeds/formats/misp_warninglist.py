"""MISP's warning lists, which keep trails out: reading one here only says which of its entries are of no use."""

from collections.abc import Iterable, Iterator
from typing import Any

from feeds import streams, warninglists
from feeds.archives import Document
from feeds.entry import Entry, Origin, Refused
from feeds.formats.format import Format
from trailhound.errors import SourceError


def read(documents: Iterable[Document], origin: Origin, options: Any) -> Iterator[Entry]:
    """Look at each list. One that cannot be read is refused; when none can, this is no feed of warning lists."""
    del origin, options
    is_any = False
    trouble = SourceError("no warning list is in it")
    for document in documents:
        try:
            _, refusals = warninglists.parse(streams.whole(document), document.place)
        except SourceError as error:
            trouble = error
            yield Refused(document.place, 0, "", str(error))
        else:
            is_any = True
            yield from refusals
    if not is_any:
        raise trouble


FORMAT = Format(read, "warning lists of MISP, which keep trails out", suffixes=frozenset({".json"}), excludes=True)
