"""The desks that the contract is tried on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from stores.desk import Desk, open_desk
from stores.elastic import setup
from stores.elastic.desk import open_elastic_desk
from stores.elastic.names import Names

Opener = Callable[[], Desk]


@pytest.fixture(params=["sqlite", "elasticsearch"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Give a function that opens the same desk, as another process would."""
    opened: list[Desk] = []
    if request.param == "elasticsearch":
        url: str = request.getfixturevalue("elasticsearch_url")
        names = Names(request.getfixturevalue("elasticsearch_namespace").replace("-", "_"))
        with Elasticsearch(url, request_timeout=60) as client:
            setup.apply(client, names)

    def open_() -> Desk:
        if request.param == "sqlite":
            opened.append(open_desk(tmp_path))
        else:
            client = Elasticsearch(url, serializer=OrjsonSerializer(), request_timeout=60)
            opened.append(open_elastic_desk(client, names))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.fixture
def desk(opener: Opener) -> Desk:
    return opener()
