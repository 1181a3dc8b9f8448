"""Heartbeats of sensors: one document for each log of each sensor, replaced each time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from hashlib import blake2b
from typing import Any

from elasticsearch import Elasticsearch

from stores.clean import clean_json
from stores.contract import SensorStatus
from stores.elastic.asking import Asker, asking
from stores.elastic.names import Names
from trailhound.errors import StoreUnavailable

_AT_ONCE = 1000
# Seconds. Whoever reads logs waits for this: while the cluster hangs, it has better to do.
_PATIENCE = 5.0
_NAMES = frozenset(field.name for field in fields(SensorStatus))
_ORDER: list[Mapping[str, str]] = [{"sensor": "asc"}, {"path": "asc"}]


class Heartbeats:
    """What sensors of one namespace say of their logs. With `refresh`, what is put can be read when the call returns.

    Else it can be about a second later. Every call may raise `StoreUnavailable`.
    """

    def __init__(self, client: Elasticsearch, names: Names, *, refresh: bool = False) -> None:
        self._client = client
        self._hurried = client.options(request_timeout=_PATIENCE)
        self._index = names.sensors
        self._refresh = refresh
        self._is_there = False

    def put(self, statuses: Sequence[SensorStatus]) -> None:
        """Replace the heartbeats of these (sensor, path) pairs."""
        self._expect_index()
        for begin in range(0, len(statuses), _AT_ONCE):
            lines = [line for status in statuses[begin : begin + _AT_ONCE] for line in _lines(status)]
            with asking("heartbeats cannot be written"):
                answer = self._hurried.bulk(
                    index=self._index,
                    operations=lines,
                    refresh="true" if self._refresh else None,
                    filter_path=["errors", "items.*.error.type", "items.*.error.reason"],
                )
            for item in answer.body.get("items", ()):
                if error := item.get("index", {}).get("error"):
                    raise StoreUnavailable(f"{self._index}: heartbeats cannot be written: {error.get('reason')}")

    def all(self) -> Sequence[SensorStatus]:
        """Give the heartbeats of all sensors, by sensor and path."""
        with Asker(self._client, self._index).pinned() as asker:
            found = [status for hit in _hits(asker) if (status := _status(hit["_source"])) is not None]
        return sorted(found, key=lambda status: (status.sensor, status.path))

    def _expect_index(self) -> None:
        """Never have an index made by the first heartbeat: it would not have our mapping."""
        if self._is_there:
            return
        with asking("the index of heartbeats cannot be looked at"):
            self._is_there = bool(self._hurried.indices.exists(index=self._index))
        if not self._is_there:
            raise StoreUnavailable(f"{self._index} is not there: run `trailhound es setup`")


def _lines(status: SensorStatus) -> Iterator[Mapping[str, Any]]:
    source = clean_json(asdict(status))
    names = f"{source['sensor']}\x1f{source['path']}"
    yield {"index": {"_id": blake2b(names.encode(), digest_size=16).hexdigest()}}
    yield source


def _hits(asker: Asker) -> Iterator[Mapping[str, Any]]:
    after: dict[str, Any] = {}
    while True:
        hits = asker.hits({"match_all": {}}, size=_AT_ONCE, sort=_ORDER, **after)
        yield from hits
        if len(hits) < _AT_ONCE:
            return
        after = {"search_after": hits[-1]["sort"]}


def _status(source: Mapping[str, Any]) -> SensorStatus | None:
    """Read a heartbeat; one of another version is read as far as it says what ours does."""
    try:
        return SensorStatus(**{name: value for name, value in source.items() if name in _NAMES})
    except TypeError:
        return None
