from collections.abc import Iterator

import pytest
from elasticsearch import Elasticsearch

from stores.elastic import setup
from stores.elastic.names import Names
from tests.elasticsearch.place import Place
from tests.elasticsearch.secured import SecuredServer, secured
from tests.elasticsearch.trouble import TroubleProxy


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url, request_timeout=60) as made:
        yield made


@pytest.fixture
def stream(client: Elasticsearch, elasticsearch_namespace: str) -> str:
    """Give the name of a data stream that a template of its own describes, and that is not there yet."""
    name = f"{elasticsearch_namespace}-events"
    properties = {
        "@timestamp": {"type": "date"},
        "trail": {"type": "keyword"},
        "count": {"type": "long"},
        "ip": {"type": "ip"},
        "labels": {"type": "flattened"},
    }
    client.cluster.put_component_template(name=f"{name}-mappings", template={"mappings": {"properties": properties}})
    client.indices.put_index_template(
        name=name,
        index_patterns=[f"{name}*"],
        priority=500,
        data_stream={},
        composed_of=[f"{name}-mappings"],
        template={"settings": {"number_of_shards": 1, "number_of_replicas": 0}},
    )
    return name


@pytest.fixture(scope="session")
def secured_elasticsearch() -> Iterator[SecuredServer]:
    """Give a server over TLS that knows the roles of the documentation. Starting one takes ten seconds."""
    with secured() as server:
        yield server


@pytest.fixture
def place(client: Elasticsearch, elasticsearch_url: str, elasticsearch_namespace: str) -> Place:
    names = Names(elasticsearch_namespace)
    setup.apply(client, names)
    return Place(elasticsearch_url, names, client)


@pytest.fixture
def trouble(elasticsearch_trouble: TroubleProxy) -> TroubleProxy:
    return elasticsearch_trouble
