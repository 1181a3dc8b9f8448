"""Appending to Elasticsearch: every event once, whatever the cluster does meanwhile."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock

import structlog
from elasticsearch import ApiError, Elasticsearch

from stores.contract import Acknowledgement
from stores.elastic import bulk
from stores.elastic.asking import asking
from stores.elastic.bulk import Fate, Outcome
from stores.elastic.document import encode, to_document, to_salvage
from stores.elastic.generations import Generations
from stores.elastic.names import Names
from stores.elastic.templates import MANAGED_BY
from trailhound.errors import StorePartly, StoreUnavailable
from trailhound.event import Event

MOST_BYTES = 5 * 1024 * 1024  # Of one request; fewer for a while when a 413 says that it is too much.
SMALL = 64 * 1024  # Bytes of a document that whatever is in order takes.
_PASS = 16  # Requests after which larger ones are tried again.
# Seconds between tries within one call. Whoever calls has longer ones; a stop must not wait for ours.
PAUSES = (0.1, 0.2, 0.4, 0.8)
PATIENCE = 5.0  # Seconds after which a call tries no more.
_LONGEST_ID = 512  # Bytes; a longer one has the whole request refused.
_log = structlog.get_logger("store")
Refused = Callable[[Event, str], None]


@dataclass(slots=True)
class _Batch:
    """Events on their way: `left` by their ids, `salvaged` why some go without the fields of their records.

    `fates` and `reason` say what keeps those that are left.
    """

    left: dict[str, Event]
    salvaged: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    known: int = 0
    fates: set[Fate] = field(default_factory=set)
    reason: str = ""


class Writer:
    """The one who writes to the data stream of a namespace. From any thread, one call at a time.

    `refused` hears of an event that Elasticsearch will never take, and why. With `refresh`, what is appended can be
    searched when the call returns, which costs a lot.
    """

    def __init__(self, client: Elasticsearch, names: Names, *, refused: Refused, refresh: bool = False) -> None:
        self._client = client
        self._stream = names.events
        self._refused = refused
        self._refresh = refresh
        self._generations = Generations(client, names.events)
        self._most_bytes = MOST_BYTES
        self._is_ready = False
        self._turn = Lock()
        self._closed = Flag()

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        """Keep events durably. Raises `StoreUnavailable`, and what `refused` raises."""
        with self._turn:
            if self._closed.is_set():
                raise StoreUnavailable(f"{self._stream}: the store is closed")
            if not events:
                return Acknowledgement(0, 0)
            self._prepare()
            batch = self._batch(events)
            end, pauses = time.monotonic() + PATIENCE, iter(PAUSES)
            while batch.left:
                self._try(batch)
                if batch.left and not self._may_try_again(batch, end, pauses):
                    raise self._unfinished(batch, len(events))
            # What was too large for a while need not be so for ever.
            self._most_bytes = min(self._most_bytes + self._most_bytes // 16, MOST_BYTES)
            return Acknowledgement(batch.stored, batch.known)

    def close(self) -> None:
        """Append no more; a call that is waiting to try again gives up."""
        self._closed.set()

    def _prepare(self) -> None:
        """Look at what there is, once. Never write into a data stream that was made without our template."""
        if self._is_ready:
            return
        self._generations.look()
        newest = self._generations.newest
        hint = "run `trailhound es setup`, then events are written"
        with asking("the data stream cannot be looked at"):
            if newest is None:
                if not _has_template(self._client, self._stream):
                    raise StoreUnavailable(f"{self._stream}: neither the data stream nor its template is there: {hint}")
            elif not _is_ours(self._client, newest):
                raise StoreUnavailable(f"{newest} was made without the index template of Trailhound: {hint}")
        self._is_ready = True

    def _batch(self, events: Sequence[Event]) -> _Batch:
        batch = _Batch({})
        for event in events:
            id_ = event.id.encode("utf-8", "replace").decode()
            if id_ in batch.left:
                batch.known += 1
            elif 0 < len(id_.encode()) <= _LONGEST_ID:
                batch.left[id_] = event
            else:
                self._refused(event, f"its id has not 1 to {_LONGEST_ID} bytes")
        return batch

    def _try(self, batch: _Batch) -> None:
        """Send what is left once, and take out of it what is dealt with."""
        for id_ in self._generations.find(batch.left):
            del batch.left[id_]
            batch.known += 1
        batch.fates.clear()
        batch.sizes.clear()
        asked = list(batch.left.items())
        stored: dict[str, dict[str, Event]] = {}
        answered: set[str] = set()
        outcomes = bulk.create(
            self._client,
            self._stream,
            self._documents(batch, asked),
            most_bytes=self._most_bytes,
            refresh=self._refresh,
        )
        try:
            for (id_, event), outcome in zip(asked, outcomes, strict=False):
                if outcome.fate is not Fate.UNSURE:
                    answered.add(id_)
                if outcome.fate is Fate.STORED:
                    stored.setdefault(outcome.index, {})[id_] = event
                self._take(batch, id_, event, outcome)
                if outcome.fate is Fate.TOO_LARGE:
                    # So would the rest be, which has not been sent.
                    answered.update(batch.sizes)
                    break
        finally:
            unsure = batch.sizes.keys() - answered
            self._generations.doubt(unsure)
        if unsure and not batch.fates:
            batch.fates.add(Fate.UNSURE)
            batch.reason = "the answer says nothing of some of them"
        doubled = self._generations.settle(stored, answered - batch.left.keys())
        batch.stored -= doubled
        batch.known += doubled

    def _documents(self, batch: _Batch, asked: Sequence[tuple[str, Event]]) -> Iterator[tuple[str, bytes]]:
        size = 0
        for id_, event in asked:
            document = encode(to_salvage(event) if id_ in batch.salvaged else to_document(event))
            batch.sizes[id_] = len(document)
            yield id_, document
            size += len(document)
            if size > _PASS * self._most_bytes:
                return

    def _take(self, batch: _Batch, id_: str, event: Event, outcome: Outcome) -> None:
        """Take note of what became of one event."""
        match outcome.fate:
            case Fate.STORED:
                batch.stored += 1
            case Fate.KNOWN:
                batch.known += 1
            case Fate.REFUSED if id_ in batch.salvaged:
                self._refused(event, f"{batch.salvaged[id_]}; without the fields of its record: {outcome.reason}")
            case Fate.TOO_LARGE if batch.sizes[id_] > max(self._most_bytes, SMALL):
                self._refused(event, f"its document of {batch.sizes[id_]} bytes is too large: {outcome.reason}")
            case Fate.TOO_LARGE if batch.sizes[id_] > self._most_bytes:
                batch.fates.add(Fate.WAITS)
                batch.reason = f"not even {batch.sizes[id_]} bytes are taken: {outcome.reason}"
                return
            case Fate.REFUSED:
                _log.warning("stored without the fields of its record", event_id=event.id, reason=outcome.reason)
                batch.salvaged[id_] = outcome.reason
                batch.fates.add(outcome.fate)
                return
            case _:
                batch.fates.add(outcome.fate)
                batch.reason = outcome.reason
                return
        del batch.left[id_]

    def _may_try_again(self, batch: _Batch, end: float, pauses: Iterator[float]) -> bool:
        """Tell whether to try again now, after a pause where that may help."""
        if Fate.WAITS in batch.fates:
            return False
        if Fate.TOO_LARGE in batch.fates:
            self._most_bytes //= 2
            _log.info("smaller requests from now on", bytes=self._most_bytes, reason=batch.reason)
        elif not batch.fates:
            self._most_bytes = min(2 * self._most_bytes, MOST_BYTES)
        if batch.fates <= {Fate.TOO_LARGE, Fate.REFUSED}:
            return not self._closed.is_set()
        if time.monotonic() > end:
            return False
        pause = next(pauses, None)
        return pause is not None and not self._closed.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    def _unfinished(self, batch: _Batch, of: int) -> StoreUnavailable:
        message = f"{self._stream}: {len(batch.left)} of {of} events are not kept yet: {batch.reason}"
        if len(batch.left) == of:
            return StoreUnavailable(message)
        return StorePartly(message, (event.id for event in batch.left.values()))


def _has_template(client: Elasticsearch, stream: str) -> bool:
    try:
        return bool(client.indices.exists_index_template(name=stream))
    except ApiError as error:
        if error.meta.status == 403:  # Setting up makes the data stream too, wherever there are permissions.
            return False
        raise


def _is_ours(client: Elasticsearch, index: str) -> bool:
    found = client.indices.get_mapping(index=index, filter_path="*.mappings._meta.managed_by").body
    managers = [mapping["mappings"]["_meta"]["managed_by"] for mapping in found.values()]
    return managers == [MANAGED_BY]
