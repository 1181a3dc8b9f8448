"""The trouble that the proxy makes, each kind against the real server."""

import threading
import time
from collections.abc import Iterator

import elasticsearch
import pytest
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.helpers import streaming_bulk

from tests.elasticsearch.documents import create, document, operations
from tests.elasticsearch.trouble import Cut, Delay, Hang, Refuse, RefuseItems, TroubleProxy, split_bulk


@pytest.fixture
def troubled(elasticsearch_trouble: TroubleProxy) -> Iterator[Elasticsearch]:
    """A client that meets the trouble, and asks once."""
    with Elasticsearch(elasticsearch_trouble.url, max_retries=0, request_timeout=10) as client:
        yield client


def test_without_trouble_it_is_the_server(troubled: Elasticsearch, client: Elasticsearch, stream: str) -> None:
    assert create(troubled, stream, range(50)) == [201] * 50
    assert troubled.count(index=stream) == client.count(index=stream)
    assert troubled.indices.exists(index=stream)


@pytest.mark.parametrize("status", [403, 413, 429, 503])
def test_it_refuses_requests(
    elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch, client: Elasticsearch, stream: str, status: int
) -> None:
    elasticsearch_trouble.make(Refuse(status, retry_after=7), times=1, only="_bulk")
    assert troubled.cluster.health()["status"]
    with pytest.raises(ApiError) as refused:
        create(troubled, stream, range(3))
    assert refused.value.status_code == status
    assert refused.value.meta.headers["retry-after"] == "7"
    assert create(troubled, stream, range(3)) == [201] * 3, "the server never heard of the first"


def test_it_refuses_items_in_their_places(
    elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch, client: Elasticsearch, stream: str
) -> None:
    elasticsearch_trouble.make(RefuseItems(lambda place: place % 3 == 0), times=1)
    create(client, stream, range(1, 2))
    items = troubled.bulk(operations=operations(stream, range(6)), refresh=True)["items"]
    assert [item["create"]["_id"] for item in items] == ["0", "1", "2", "3", "4", "5"]
    assert [item["create"]["status"] for item in items] == [429, 409, 201, 429, 201, 201]
    assert client.count(index=stream)["count"] == 4


def test_it_refuses_all_items_and_the_helper_of_the_client_tries_again(
    elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch, client: Elasticsearch, stream: str
) -> None:
    elasticsearch_trouble.make(RefuseItems(lambda _: True), times=1)
    actions = [{"_op_type": "create", "_index": stream, "_id": str(n), **document(n)} for n in range(10)]
    results = list(streaming_bulk(troubled, actions, max_retries=2, initial_backoff=0.05, raise_on_error=False))
    assert all(ok for ok, _ in results)
    assert [seen.trouble is None for seen in elasticsearch_trouble.seen] == [False, True]
    client.indices.refresh(index=stream)
    assert client.count(index=stream)["count"] == 10


def test_what_a_client_compresses_is_taken_apart_too(
    elasticsearch_trouble: TroubleProxy, client: Elasticsearch, stream: str
) -> None:
    elasticsearch_trouble.make(RefuseItems(lambda place: place == 1), times=1)
    with Elasticsearch(elasticsearch_trouble.url, http_compress=True, max_retries=0) as compressing:
        assert create(compressing, stream, range(3)) == [201, 429, 201]


@pytest.mark.parametrize(("after", "there"), [(True, 3), (False, 0)])
def test_it_cuts_the_connection_after_or_before_the_server_did_it(
    elasticsearch_trouble: TroubleProxy,
    troubled: Elasticsearch,
    client: Elasticsearch,
    stream: str,
    after: bool,  # noqa: FBT001 - a parameter of the test
    there: int,
) -> None:
    create(client, stream, range(100, 101))
    elasticsearch_trouble.make(Cut(after=after), times=1)
    with pytest.raises(elasticsearch.ConnectionError):
        create(troubled, stream, range(3))
    client.indices.refresh(index=stream)
    assert client.count(index=stream)["count"] == 1 + there
    assert create(troubled, stream, range(3)) == ([409] * 3 if after else [201] * 3)


def test_it_delays(elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch) -> None:
    elasticsearch_trouble.make(Delay(0.5), times=1)
    began = time.monotonic()
    troubled.cluster.health()
    assert time.monotonic() - began >= 0.5


def test_it_hangs_until_it_is_healed(elasticsearch_trouble: TroubleProxy) -> None:
    elasticsearch_trouble.make(Hang())
    with Elasticsearch(elasticsearch_trouble.url, max_retries=0, request_timeout=0.3) as impatient:
        with pytest.raises(elasticsearch.ConnectionTimeout):
            impatient.cluster.health()
        elasticsearch_trouble.heal()
        assert impatient.options(request_timeout=10).cluster.health()["status"]


def test_healing_lets_go_of_a_client_that_waits(elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch) -> None:
    elasticsearch_trouble.make(Hang())
    healing = threading.Timer(0.3, elasticsearch_trouble.heal)
    healing.start()
    with pytest.raises(elasticsearch.ConnectionError):
        troubled.cluster.health()
    healing.join()


def test_it_goes_away_and_comes_back_on_the_same_port(
    elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch
) -> None:
    url = elasticsearch_trouble.url
    assert troubled.cluster.health()["status"]
    elasticsearch_trouble.go_away()
    with pytest.raises(elasticsearch.ConnectionError):
        troubled.cluster.health()
    elasticsearch_trouble.come_back()
    assert elasticsearch_trouble.url == url
    assert troubled.cluster.health()["status"]


def test_troubles_come_in_the_order_they_were_ordered_in(
    elasticsearch_trouble: TroubleProxy, troubled: Elasticsearch
) -> None:
    for status in (429, 503):
        elasticsearch_trouble.make(Refuse(status), times=1)
    statuses = []
    for _ in range(2):
        with pytest.raises(ApiError) as refused:
            troubled.cluster.health()
        statuses.append(refused.value.status_code)
    assert statuses == [429, 503]
    assert troubled.cluster.health()["status"]


def test_a_bulk_is_split_into_its_items() -> None:
    body = b'{"create":{"_id":"1"}}\n{"a":1}\n{"delete":{"_id":"2"}}\n{"index":{"_id":"3"}}\n{"b":2}\n'
    found = split_bulk(body)
    assert [next(iter(action)) for action, _ in found] == ["create", "delete", "index"]
    assert b"".join(lines for _, lines in found) == body
