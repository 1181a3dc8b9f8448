"""Reading events in the order of their arrival, for whoever follows the store.

Operations of one backing index are numbered as they arrive, but several writers make several at a time, so that a
higher number may be seen before a lower one. The index says up to which number all are done; a refresh shows them; what
lies beyond waits for the next page. So a cursor never steps over something that becomes visible later.

A cursor holds for each backing index how far it was read: after a rollover a late writer may still add to an old one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from elasticsearch import Elasticsearch, NotFoundError

from stores.contract import EventOrder, EventPage, Query
from stores.cursors import read, write
from stores.elastic.asking import Asker, Hit, asking
from stores.elastic.conditions import Clause, compiled
from stores.elastic.pages import WINDOW, document
from trailhound.errors import StoreError

_CURSOR = re.compile(r"[\w-]{6}:\d{1,18}(,[\w-]{6}:\d{1,18})*")
# So much of the id of an index tells it from those of its namesakes that were deleted.
_MARK = 6
_PATHS = ("indices.*.uuid", "indices.*.shards.*.seq_no.global_checkpoint")


@dataclass(frozen=True, slots=True)
class _Index:
    """A backing index: its name, the mark in cursors, and the number up to which all operations are done."""

    name: str
    mark: str
    done: int


class Arrivals:
    """The order of arrival in one data stream."""

    def __init__(self, client: Elasticsearch, asker: Asker) -> None:
        self._client = client
        self._asker = asker
        self._shown: dict[str, int] = {}
        self._turn = Lock()

    def events(self, query: Query, *, limit: int, cursor: str | None) -> EventPage:
        limit = max(limit, 1)
        positions = {} if cursor is None else _positions(cursor)
        indices = self._indices()
        self._show([index for index in indices if index.done > positions.get(index.mark, -1)])
        clause = compiled(query)
        hits: list[Hit] = []
        reached = dict.fromkeys((index.mark for index in indices), -1) | positions
        for index in indices:
            found = self._new(index, clause, reached[index.mark], limit - len(hits))
            hits += found
            if len(hits) == limit:
                reached[index.mark] = found[-1]["sort"][0]
                break
            reached[index.mark] = max(reached[index.mark], index.done)
        # What was deleted needs no place in the cursor.
        marks = [f"{index.mark}:{reached[index.mark]}" for index in indices if reached[index.mark] >= 0]
        following = write(EventOrder.INGESTED, (",".join(marks),)) if hits else None
        return EventPage([document(hit) for hit in hits], following)

    def latest(self) -> str | None:
        """Give the cursor after all that has arrived."""
        marks = [f"{index.mark}:{index.done}" for index in self._indices() if index.done >= 0]
        return write(EventOrder.INGESTED, (",".join(marks),)) if marks else None

    def _indices(self) -> Sequence[_Index]:
        with asking("the data stream cannot be looked at"):
            try:
                found = self._client.indices.stats(
                    index=self._asker.index, metric="docs", level="shards", filter_path=_PATHS
                ).body.get("indices", {})
            except NotFoundError:
                return []
        return [_index(name, found[name]) for name in sorted(found)]

    def _show(self, indices: Sequence[_Index]) -> None:
        """Have the server show what is done, where it may not have yet."""
        with self._turn:
            hidden = [index for index in indices if index.done > self._shown.get(index.mark, -1)]
        if not hidden:
            return
        with asking("what has arrived cannot be shown"):
            self._client.indices.refresh(index=[index.name for index in hidden], ignore_unavailable=True)
        with self._turn:
            self._shown.update({index.mark: index.done for index in hidden})

    def _new(self, index: _Index, clause: Clause, position: int, limit: int) -> Sequence[Hit]:
        """Give the first events after a position of one index."""
        asker = Asker(self._client, index.name)
        hits: list[Hit] = []
        while position < index.done and len(hits) < limit:
            size = min(limit - len(hits), WINDOW)
            new = {"range": {"_seq_no": {"gt": position, "lte": index.done}}}
            found = asker.hits({"bool": {"filter": [clause, new]}}, size=size, sort=[{"_seq_no": "asc"}])
            hits += found
            if len(found) < size:
                break
            position = found[-1]["sort"][0]
        return hits


def _index(name: str, found: Mapping[str, object]) -> _Index:
    shards = found.get("shards")
    copies = [copy for shard in shards.values() for copy in shard] if isinstance(shards, Mapping) else []
    # Each copy knows at most what all copies have: the highest is the primary's.
    done = max((int(copy["seq_no"]["global_checkpoint"]) for copy in copies if "seq_no" in copy), default=-1)
    return _Index(name, str(found.get("uuid", ""))[:_MARK], done)


def _positions(cursor: str) -> dict[str, int]:
    (text,) = read(cursor, EventOrder.INGESTED, (str,))
    if not isinstance(text, str) or not _CURSOR.fullmatch(text):
        raise StoreError(f"{cursor[:80]!r} is no cursor: give back the one that came with the page before")
    return {mark: int(position) for mark, position in (part.split(":") for part in text.split(","))}
