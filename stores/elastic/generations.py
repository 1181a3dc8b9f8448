"""The backing indices of the data stream, and which events older ones may hold already.

`create` refuses a known id only within the one index that is written to. After a rollover the same event could be kept
a second time. So an event is looked up in an older index first, when that index holds events of the same ten minutes;
and in the index that is written to, when it held such events before we came or when it is not known whether it got the
event: the rollover may come between the look-up and the writing. New events of a run need none of that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from elasticsearch import ApiError, Elasticsearch

from stores.elastic.asking import Asker, TooManyBuckets, asking
from trailhound.errors import StoreUnavailable
from trailhound.event import Event

SLOT = 600_000_000  # Microseconds: ten minutes.
_SLOT_MS = SLOT // 1000
_AT_ONCE = 1000  # Ids that are looked up with one request.
_log = structlog.get_logger("store")
# Ids of documents and their events.
Batch = Mapping[str, Event]


@dataclass(slots=True)
class _Generation:
    """One backing index.

    `first` and `last` bound the slots of what it held when it was looked at; `held` are these slots, None while nobody
    has asked. `own` are the slots of what we wrote to it ourselves.
    """

    name: str
    first: int = 0
    last: int = -1
    held: frozenset[int] | None = None
    own: set[int] = field(default_factory=set)


class Generations:
    """What is known of the backing indices of one data stream."""

    def __init__(self, client: Elasticsearch, stream: str) -> None:
        self._client = client
        self._asker = Asker(client, stream)
        self._stream = stream
        self._known: dict[str, _Generation] = {}
        self._doubtful: set[str] = set()
        self._doubted_since: str | None = None

    @property
    def newest(self) -> str | None:
        """The index that is written to, as far as is known; None when nothing was ever written."""
        return self._write.name if self._write is not None else None

    def look(self) -> None:
        """Find out what the indices hold that others, or we in an earlier life, wrote. Raises `StoreUnavailable`."""
        self._notice()
        if self._known:
            is_shown = self._show()
            for name, (first, last) in self._bounds().items():
                if name in self._known:
                    self._known[name].first, self._known[name].last = first, last
            if not is_shown and self._write is not None:
                # It may hold what no search sees yet.
                self._write.held = _EVERYTHING

    def doubt(self, ids: Iterable[str]) -> None:
        """Take note that it is not known whether these are kept. They stay in doubt until the store has answered."""
        if not self._doubtful:
            self._doubted_since = self.newest
        self._doubtful.update(ids)

    def find(self, batch: Batch) -> set[str]:
        """Give the ids that are kept already, as far as `create` might not see it. Raises `StoreUnavailable`."""
        doubtful = self._doubtful & batch.keys()
        if doubtful:
            self._notice()
        found: set[str] = set()
        slots = {event.start // SLOT for event in batch.values()}
        is_doubted = self._doubted_since not in self._known
        for generation in list(self._known.values()):
            is_doubted = is_doubted or generation.name == self._doubted_since
            shared = self._shared(generation, slots)
            if generation is not self._write:
                # What we wrote to the index that is written to, `create` sees.
                shared |= slots & generation.own
            asked = set(doubtful) if is_doubted else set()
            if shared:
                asked.update(id_ for id_, event in batch.items() if event.start // SLOT in shared)
            found.update(self._held(generation.name, sorted(asked - found)))
        self._doubtful -= found
        return found

    def settle(self, stored: Mapping[str, Batch], answered: Iterable[str]) -> int:
        """Take note of what was stored, by index. Give how many were kept before, in an index rolled over meanwhile."""
        self._doubtful.difference_update(answered)
        doubled = 0
        for name, batch in stored.items():
            if name not in self._known:
                doubled += self._rolled_over(name, batch)
            self._known[name].own.update({event.start // SLOT for event in batch.values()})
        return doubled

    @property
    def _write(self) -> _Generation | None:
        return next(reversed(self._known.values()), None)

    def _notice(self) -> None:
        """Take note of new backing indices, and forget those that are gone."""
        names = self._asker.backing()
        self._known = {name: self._known.get(name) or _Generation(name) for name in names}

    def _show(self) -> bool:
        """Make all that is kept visible to searches; False when we may not."""
        try:
            self._client.indices.refresh(index=self._stream)
        except ApiError as error:
            if error.meta.status == 403:
                return False
            with asking("what was written before cannot be shown"):
                raise
        return True

    def _bounds(self) -> dict[str, tuple[int, int]]:
        """Give the first and the last slot of each backing index that holds anything."""
        bounds = {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}}
        by_index = {"terms": {"field": "_index", "size": max(len(self._known), 1)}, "aggs": bounds}
        found = self._asker.aggregate({"match_all": {}}, {"indices": by_index})
        return {
            bucket["key"]: (int(bucket["first"]["value"] // _SLOT_MS), int(bucket["last"]["value"] // _SLOT_MS))
            for bucket in found.get("indices", {}).get("buckets", ())
            if bucket["first"]["value"] is not None
        }

    def _shared(self, generation: _Generation, slots: set[int]) -> set[int]:
        """Give the slots of which the index held events when it was looked at."""
        if generation.held is _EVERYTHING:
            return set(slots)
        if not any(generation.first <= slot <= generation.last for slot in slots):
            return set()
        if generation.held is None:
            generation.held = self._slots(generation.name)
        return set(slots) if generation.held is _EVERYTHING else slots & generation.held

    def _slots(self, name: str) -> frozenset[int]:
        per_slot = {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{_SLOT_MS}ms", "min_doc_count": 1}}
        try:
            found = Asker(self._client, name).aggregate({"match_all": {}}, {"slots": per_slot})
        except TooManyBuckets:
            return _EVERYTHING
        return frozenset(int(bucket["key"]) // _SLOT_MS for bucket in found.get("slots", {}).get("buckets", ()))

    def _held(self, index: str, ids: Sequence[str]) -> Iterator[str]:
        """Give those of some ids that an index holds, refreshed or not."""
        for begin in range(0, len(ids), _AT_ONCE):
            with asking("what was written before cannot be looked up"):
                answer = self._client.mget(
                    index=index,
                    ids=ids[begin : begin + _AT_ONCE],
                    source=False,
                    filter_path=["docs._id", "docs.found", "docs.error.type", "docs.error.reason"],
                )
            for document in answer.body.get("docs", ()):
                _check(index, document.get("error"))
                if document.get("found"):
                    yield document["_id"]

    def _rolled_over(self, name: str, batch: Batch) -> int:
        """Take note of a rollover that nobody knew of when a batch was written; undo what it doubled."""
        before = self._write
        self._notice()
        # The answer names it, so it is there, whatever is to be seen of it yet.
        self._known.setdefault(name, _Generation(name))
        if before is None or before.name not in self._known:
            return 0
        _log.info("rolled over", index=name)
        slots = before.own | self._shared(before, {event.start // SLOT for event in batch.values()})
        suspects = [id_ for id_, event in batch.items() if event.start // SLOT in slots]
        doubled = list(self._held(before.name, suspects))
        if doubled:
            self._take_back(name, doubled)
        return len(doubled)

    def _take_back(self, name: str, ids: Sequence[str]) -> None:
        operations = [{"delete": {"_index": name, "_id": id_}} for id_ in ids]
        with asking("events that a rollover doubled cannot be taken back"):
            answer = self._client.options(max_retries=0).bulk(operations=operations, refresh=True)
        statuses = [item["delete"]["status"] for item in answer["items"]]
        if left := sum(status not in (200, 404) for status in statuses):
            _log.warning("events are kept twice: a rollover came while they were written again", index=name, count=left)


def _check(index: str, error: Mapping[str, Any] | None) -> None:
    """Raise `StoreUnavailable` unless the answer is one; an index that is gone holds nothing."""
    if error is not None and error.get("type") != "index_not_found_exception":
        raise StoreUnavailable(f"{index}: what was written before cannot be looked up: {error.get('reason')}")


# Stands for all slots there are.
_EVERYTHING: frozenset[int] = frozenset({-1})
