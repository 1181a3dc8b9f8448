"""One namespace of Elasticsearch that is emptied between examples: making one anew takes too long for hundreds."""

from collections.abc import Iterator
from contextlib import contextmanager

from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from stores.contract import Store
from stores.elastic import setup
from stores.elastic.names import Names
from stores.elastic.store import open_elastic

_AT_ONCE = 10_000


def connect(url: str) -> Elasticsearch:
    return Elasticsearch(url, serializer=OrjsonSerializer(), request_timeout=60)


class Emptied:
    """A namespace that is set up once; each store that is opened in it begins without events."""

    def __init__(self, url: str, namespace: str) -> None:
        self._url = url
        self.names = Names(namespace)
        self._client = connect(url)
        setup.apply(self._client, self.names)

    @contextmanager
    def store(self) -> Iterator[Store]:
        self.empty()
        store = open_elastic(connect(self._url), self.names, refresh=True)
        try:
            yield store
        finally:
            store.close()

    def empty(self) -> None:
        """Delete all documents, of all backing indices."""
        for index in (self.names.events, self.names.sensors):
            self._client.indices.refresh(index=index, ignore_unavailable=True)
            while hits := self._hits(index):
                operations = [{"delete": {"_index": hit["_index"], "_id": hit["_id"]}} for hit in hits]
                self._client.bulk(operations=operations, refresh=True)

    def close(self) -> None:
        self._client.close()

    def _hits(self, index: str) -> list[dict[str, str]]:
        found = self._client.search(index=index, size=_AT_ONCE, source=False, ignore_unavailable=True)
        hits: list[dict[str, str]] = found["hits"]["hits"]
        return hits
