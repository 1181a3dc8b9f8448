"""The store in Elasticsearch: any number of writers and readers of one namespace of a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from elasticsearch import Elasticsearch

from stores.contract import (
    Acknowledgement,
    Attacker,
    Bucket,
    Dimension,
    Distinct,
    EventOrder,
    EventPage,
    Query,
    Seen,
    SensorStatus,
    Store,
    Summary,
    ThreatOrder,
    ThreatPage,
    Top,
)
from stores.elastic import attackers, pages, particular, threats, timelines, tops, totals
from stores.elastic.arrival import Arrivals
from stores.elastic.asking import Asker
from stores.elastic.distinct import Distincts
from stores.elastic.heartbeats import Heartbeats
from stores.elastic.names import Names
from stores.elastic.ranking import Rankings
from stores.elastic.writer import Refused, Writer
from trailhound.errors import StoreUnavailable
from trailhound.event import Event

_log = structlog.get_logger("store")


def _told(event: Event, reason: str) -> None:
    _log.error("an event is not kept: Elasticsearch refuses it", event=event.id, reason=reason)


def open_elastic(
    client: Elasticsearch,
    names: Names,
    *,
    read_only: bool = False,
    refresh: bool = False,
    refused: Refused = _told,
) -> Store:
    """Open the store of a namespace; nothing is sent yet. It closes the client when it is closed.

    `refused` hears of events that Elasticsearch will never take. With `refresh`, what was written can be found at once,
    which costs a lot.
    """
    writer = None if read_only else Writer(client, names, refused=refused, refresh=refresh)
    return ElasticStore(client, names, writer, refresh=refresh)


class ElasticStore:
    """`stores.contract.Store` in one namespace of Elasticsearch."""

    def __init__(self, client: Elasticsearch, names: Names, writer: Writer | None, *, refresh: bool = False) -> None:
        self._client = client
        self._names = names
        self._writer = writer
        self._asker = Asker(client, names.events)
        self._arrivals = Arrivals(client, self._asker)
        self._counts = Distincts()
        self._rankings = Rankings(self._counts)
        self._heartbeats = Heartbeats(client, names, refresh=refresh)
        self._is_closed = False

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        return self._writing().append(events)

    def event(self, event_id: str) -> Mapping[str, Any] | None:
        return pages.event(self._reading(), event_id)

    def events(
        self, query: Query, *, order: EventOrder = EventOrder.NEWEST, limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        asker = self._reading()
        if order is EventOrder.INGESTED:
            return self._arrivals.events(query, limit=limit, cursor=cursor)
        return pages.events(asker, query, order=order, limit=limit, cursor=cursor)

    def count(self, query: Query) -> int:
        return totals.count(self._reading(), query)

    def summary(self, query: Query) -> Summary:
        return totals.summary(self._reading(), self._counts, query)

    def timeline(self, query: Query, *, by: Dimension, step: int) -> Sequence[Bucket]:
        return timelines.timeline(self._reading(), query, by=by, step=step)

    def top(self, query: Query, dimension: Dimension, *, limit: int = 10) -> Sequence[Top]:
        return tops.top(self._reading(), query, dimension, limit=limit)

    def distinct(self, query: Query, dimension: Dimension) -> Distinct:
        return totals.distinct(self._reading(), self._counts, query, dimension)

    def threats(
        self, query: Query, *, order: ThreatOrder = ThreatOrder.RISK, limit: int = 50, cursor: str | None = None
    ) -> ThreatPage:
        return threats.threats(self._reading(), self._rankings, query, order=order, limit=limit, cursor=cursor)

    def lasts(self, threats: Sequence[str]) -> Mapping[str, int]:
        return particular.lasts(self._reading(), threats)

    def sparklines(self, query: Query, threats: Sequence[str], *, step: int) -> Mapping[str, Mapping[int, int]]:
        return particular.sparklines(self._reading(), query, threats, step=step)

    def seen(self, query: Query, dimension: Dimension, values: Sequence[str]) -> Mapping[str, Seen]:
        return particular.seen(self._reading(), query, dimension, values)

    def latest(self) -> str | None:
        self._reading()
        return self._arrivals.latest()

    def attackers(self, query: Query, *, limit: int = 100_000, by_day: bool = False) -> Sequence[Attacker]:
        return attackers.attackers(self._reading(), query, limit=limit, by_day=by_day)

    def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
        self._writing()
        self._heartbeats.put(statuses)

    def sensors(self) -> Sequence[SensorStatus]:
        self._reading()
        return self._heartbeats.all()

    def close(self) -> None:
        self._is_closed = True
        if self._writer is not None:
            self._writer.close()
        self._client.close()

    def _reading(self) -> Asker:
        if self._is_closed:
            raise StoreUnavailable(f"{self._names.events}: the store is closed")
        return self._asker

    def _writing(self) -> Writer:
        if self._is_closed:
            raise StoreUnavailable(f"{self._names.events}: the store is closed")
        if self._writer is None:
            raise StoreUnavailable(f"{self._names.events}: the store is open for reading only")
        return self._writer
