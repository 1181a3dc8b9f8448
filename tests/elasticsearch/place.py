"""A namespace in a real Elasticsearch, and stores in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from stores.contract import Store
from stores.elastic.names import Names
from stores.elastic.store import open_elastic
from tests.stores.factory import START, make_event
from trailhound.event import Event


def some_events(count: int, **changes: object) -> list[Event]:
    return [make_event(identity=str(number), start=START + number, **changes) for number in range(count)]


@dataclass(slots=True)
class Place:
    """A namespace that is set up; every store in it is a process of its own to Elasticsearch."""

    url: str
    names: Names
    client: Elasticsearch
    refused: list[tuple[Event, str]] = field(default_factory=list)

    @contextmanager
    def store(self, url: str | None = None) -> Iterator[Store]:
        client = Elasticsearch(url or self.url, serializer=OrjsonSerializer(), request_timeout=60, max_retries=0)
        store = open_elastic(client, self.names, refresh=True, refused=lambda *told: self.refused.append(told))
        try:
            yield store
        finally:
            store.close()

    def roll_over(self) -> None:
        self.client.indices.rollover(alias=self.names.events)

    def ids(self) -> list[str]:
        """Give the ids of all documents in all backing indices, one that is kept twice twice."""
        self.client.indices.refresh(index=self.names.events)
        found = self.client.search(index=self.names.events, size=10_000, source=False)
        return sorted(hit["_id"] for hit in found["hits"]["hits"])

    def block(self, *, read_only: bool) -> None:
        self.client.indices.put_settings(
            index=self.names.events, settings={"index.blocks.read_only_allow_delete": read_only or None}
        )


def ids_of(events: Sequence[Event]) -> list[str]:
    return sorted(event.id for event in events)
