"""A real Elasticsearch for whichever test asks; `tests/conftest.py` hands these to all."""

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.elasticsearch.cleaning import clean
from tests.elasticsearch.distribution import MissingError
from tests.elasticsearch.server import ElasticsearchServer
from tests.elasticsearch.trouble import TroubleProxy

URL_VARIABLE = "TRAILHOUND_TEST_ELASTICSEARCH"


def _server() -> ElasticsearchServer:
    try:
        return ElasticsearchServer(in_memory=True)
    except MissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """Give the server that tests share: the one that the variable names, or one that starts when first asked for."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given.rstrip("/")
        return
    with _server() as server:
        yield server.url


@pytest.fixture
def elasticsearch_namespace(elasticsearch_url: str) -> Iterator[str]:
    """Give a string that a test puts in all its names; what has it in its name goes afterwards."""
    namespace = f"t{uuid.uuid4().hex[:12]}"
    yield namespace
    clean(elasticsearch_url, namespace)


@pytest.fixture(scope="module")
def _own_server() -> Iterator[ElasticsearchServer]:
    with _server() as server:
        yield server


@pytest.fixture
def own_elasticsearch(_own_server: ElasticsearchServer) -> ElasticsearchServer:
    """Give a server of this module's own, running, for tests that stop or hang it. Starting one takes ten seconds."""
    _own_server.resume()
    _own_server.start()
    return _own_server


@pytest.fixture
def elasticsearch_trouble(elasticsearch_url: str) -> Iterator[TroubleProxy]:
    """Give a way to the shared server that can be made to fail."""
    with TroubleProxy(elasticsearch_url) as proxy:
        yield proxy
