"""Asking Elasticsearch: one answer or a clear error, and never a part of an answer.

Where nothing has been written yet there is no data stream; that reads as an empty store.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from elastic_transport import ObjectApiResponse
from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from stores.elastic.failures import explained
from trailhound.errors import StoreError, StoreUnavailable

Answer = TypeVar("Answer")
Body = dict[str, Any]
Hit = Mapping[str, Any]
# How long a point in time outlives the last request that used it.
_KEPT = "2m"
# Kinds of errors, as the server names them.
_TOO_MANY_CLAUSES = frozenset({"too_many_clauses", "too_many_nested_clauses"})
_TOO_MANY_BUCKETS = "too_many_buckets_exception"
_MOST_NESTED = 20
_NOT_READY = 503
_PAUSES = (0.1, 0.2, 0.4, 0.8)


class TooManyBuckets(StoreError):  # noqa: N818 - the name says what there was too much of
    """An aggregation has more buckets than the server gives at once: take them in parts."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn what the client raises into errors of ours; `what` says what was asked for."""
    try:
        yield
    except ApiError as error:
        types = frozenset(_types(error.body))
        if types & _TOO_MANY_CLAUSES:
            raise StoreError(
                f"{what}: the query has more networks than Elasticsearch takes in one: {explained(error)};"
                " ask for fewer, or raise indices.query.bool.max_clause_count there"
            ) from error
        if _TOO_MANY_BUCKETS in types:
            raise TooManyBuckets(f"{what}: {explained(error)}") from error
        raise StoreUnavailable(f"{what}: {explained(error)}") from error
    except TransportError as error:
        raise StoreUnavailable(f"{what}: {explained(error)}") from error


def _types(said: Any, depth: int = 0) -> Iterator[str]:
    """Give the kinds of an error and of all that caused it."""
    if depth > _MOST_NESTED:
        return
    if isinstance(said, Mapping):
        if isinstance(said.get("type"), str):
            yield said["type"]
        for value in said.values():
            yield from _types(value, depth + 1)
    elif isinstance(said, list):
        for value in said:
            yield from _types(value, depth + 1)


def _when_ready(ask: Callable[[], Answer]) -> Answer:
    """Ask again while a backing index is not there yet: one is made at every rollover, which takes a moment."""
    for pause in _PAUSES:
        try:
            return ask()
        except ApiError as error:
            if error.meta.status != _NOT_READY:
                raise
        time.sleep(pause)
    return ask()


def _each(answer: ObjectApiResponse[Any]) -> Sequence[Mapping[str, Any]]:
    """Give the answers of one request, all of them or an error."""
    for found in answer["responses"]:
        if "error" in found:
            raise ApiError(found["error"].get("type", ""), replace(answer.meta, status=found["status"]), found)
    return list(answer["responses"])


class Asker:
    """Searches in the data stream of one namespace, as it stands or as it stood at one moment."""

    def __init__(self, client: Elasticsearch, index: str, moment: str | None = None) -> None:
        self._client = client
        self.index = index
        self._moment = moment

    @contextmanager
    def pinned(self) -> Iterator["Asker"]:
        """Hold one moment for several searches, so that they add up."""
        if self._moment is not None:
            yield self
            return
        moment = self._opened()
        if moment is None:
            yield self
            return
        try:
            yield Asker(self._client, self.index, moment)
        finally:
            # What is not closed is forgotten by the server soon.
            with suppress(ApiError, TransportError):
                self._client.close_point_in_time(id=moment)

    def _opened(self) -> str | None:
        """Have the server hold this moment; None where there is no data stream."""
        with asking("the events cannot be read"):
            try:
                opened = _when_ready(
                    lambda: self._client.open_point_in_time(
                        index=self.index, keep_alive=_KEPT, allow_partial_search_results=False
                    )
                )
            except NotFoundError:
                return None
        return str(opened["id"])

    def search(self, query: Body, *, size: int = 0, **more: Any) -> Mapping[str, Any]:
        """Search once; `more` are further parts of the request."""
        asked = {"query": query, "size": size, "track_total_hits": False, **self._where(), **more}
        with asking("the events cannot be read"):
            found: Mapping[str, Any] = _when_ready(
                lambda: self._client.search(allow_partial_search_results=False, **asked)
            ).body
        return found

    def search_each(self, bodies: Sequence[Body], *, paths: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Search several times in one request; `paths` are the parts of each answer that are wanted."""
        searches: list[Body] = []
        for body in bodies:
            place = self._where()
            inside = {"pit": place.pop("pit")} if "pit" in place else {}
            searches.append({"request_cache": True, "allow_partial_search_results": False, **place})
            searches.append({"size": 0, "track_total_hits": False, **inside, **body})
        # The status of each keeps answers in their places that are empty otherwise.
        wanted = [f"responses.{path}" for path in ("status", "error", *paths)]
        with asking("the events cannot be read"):
            return _when_ready(lambda: _each(self._client.msearch(searches=searches, filter_path=wanted)))

    def aggregate(self, query: Body, aggregations: Body, **more: Any) -> Mapping[str, Any]:
        """Give the aggregations of what a query finds; empty where there is nothing at all."""
        found = self.search(query, aggregations=aggregations, request_cache=True, **more).get("aggregations")
        return found if isinstance(found, Mapping) else {}

    def hits(self, query: Body, *, size: int, **more: Any) -> Sequence[Hit]:
        found: Sequence[Hit] = self.search(query, size=size, **more)["hits"]["hits"]
        return found

    def count(self, query: Body) -> int:
        total: int = self.search(query, track_total_hits=True, request_cache=True)["hits"]["total"]["value"]
        return total

    def backing(self) -> Sequence[str]:
        """Name the backing indices, the oldest first."""
        with asking("the data stream cannot be looked at"):
            found = self._client.indices.resolve_index(name=self.index, ignore_unavailable=True).body
        streams = [stream for stream in found.get("data_streams", ()) if stream["name"] == self.index]
        return list(streams[0]["backing_indices"]) if streams else []

    def _where(self) -> dict[str, Any]:
        if self._moment is not None:
            return {"pit": {"id": self._moment, "keep_alive": _KEPT}}
        return {"index": self.index, "ignore_unavailable": True, "allow_no_indices": True}
