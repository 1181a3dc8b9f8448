"""What the stripped server has and lacks: what we build and test on it stands on this."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import ApiError, BadRequestError, Elasticsearch

from tests.elasticsearch.cleaning import clean
from tests.elasticsearch.documents import create, document
from tests.elasticsearch.fixtures import URL_VARIABLE
from tests.elasticsearch.server import ElasticsearchServer

AGGREGATIONS: dict[str, tuple[dict[str, Any], Callable[[Any], object], object]] = {
    "terms": ({"terms": {"field": "trail"}}, lambda found: len(found["buckets"]), 4),
    "terms_of_flattened": ({"terms": {"field": "labels.kind"}}, lambda found: len(found["buckets"]), 2),
    "date_histogram": (
        {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}},
        lambda found: [bucket["doc_count"] for bucket in found["buckets"]],
        [34, 33, 33],
    ),
    "cardinality": ({"cardinality": {"field": "ip"}}, lambda found: found["value"], 7),
    "composite": (
        {
            "composite": {
                "size": 2,
                "after": {"trail": "trail 1"},
                "sources": [{"trail": {"terms": {"field": "trail"}}}],
            }
        },
        lambda found: [bucket["key"]["trail"] for bucket in found["buckets"]],
        ["trail 2", "trail 3"],
    ),
    "filters": (
        {"filters": {"filters": {"first": {"term": {"trail": "trail 0"}}}}},
        lambda found: found["buckets"]["first"]["doc_count"],
        25,
    ),
    "range": (
        {"range": {"field": "count", "ranges": [{"to": 10}, {"from": 10}]}},
        lambda found: [bucket["doc_count"] for bucket in found["buckets"]],
        [10, 90],
    ),
    "percentiles": (
        {"percentiles": {"field": "count", "percents": [50]}},
        lambda found: found["values"]["50.0"],
        pytest.approx(49.5, abs=1),
    ),
    "sum": ({"sum": {"field": "count"}}, lambda found: found["value"], 4950),
}


@pytest.fixture
def full(client: Elasticsearch, stream: str) -> str:
    assert set(create(client, stream, range(100))) == {201}
    return stream


def test_it_aggregates(client: Elasticsearch, full: str) -> None:
    asked = {name: aggregation for name, (aggregation, _, _) in AGGREGATIONS.items()}
    answer = client.search(index=full, size=0, aggs=asked)["aggregations"]
    found = {name: read(answer[name]) for name, (_, read, _) in AGGREGATIONS.items()}
    assert found == {name: expected for name, (_, _, expected) in AGGREGATIONS.items()}


def test_an_id_is_created_once_in_a_data_stream_that_the_first_one_makes(client: Elasticsearch, stream: str) -> None:
    assert create(client, stream, range(3)) == [201, 201, 201]
    assert create(client, stream, range(1, 4)) == [409, 409, 201]
    assert client.count(index=stream)["count"] == 4
    (found,) = client.indices.resolve_index(name=stream)["data_streams"]
    assert found["name"] == stream


def test_a_data_stream_rolls_over_and_its_old_indices_can_be_deleted(client: Elasticsearch, full: str) -> None:
    assert client.indices.rollover(alias=full)["rolled_over"]
    (found,) = client.indices.resolve_index(name=full)["data_streams"]
    old, new = found["backing_indices"]
    create(client, full, range(100, 105))
    client.indices.delete(index=old)
    assert client.count(index=full)["count"] == 5
    with pytest.raises(BadRequestError, match="write index"):
        client.indices.delete(index=new)


def test_an_id_is_created_again_after_a_rollover(client: Elasticsearch, full: str) -> None:
    client.indices.rollover(alias=full)
    assert create(client, full, range(2)) == [201, 201], "ids are unique in a backing index, not in a data stream"
    assert client.count(index=full)["count"] == 102


def test_a_point_in_time_gives_all_pages_and_sees_nothing_newer(client: Elasticsearch, full: str) -> None:
    point = client.open_point_in_time(index=full, keep_alive="1m")["id"]
    create(client, full, range(100, 200))
    seen: list[str] = []
    after = None
    while True:
        page = client.search(
            size=30,
            pit={"id": point, "keep_alive": "1m"},
            sort=[{"@timestamp": "desc"}, {"_shard_doc": "asc"}],
            search_after=after,
        )["hits"]["hits"]
        if not page:
            break
        seen += [hit["_id"] for hit in page]
        after = page[-1]["sort"]
    client.close_point_in_time(id=point)
    assert sorted(seen, key=int) == [str(number) for number in range(100)]


def test_a_document_changes_only_where_nobody_was_faster(client: Elasticsearch, full: str) -> None:
    (hit,) = client.search(index=full, query={"ids": {"values": ["7"]}}, seq_no_primary_term=True)["hits"]["hits"]
    place = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
    client.update(index=hit["_index"], id="7", doc={"count": 8}, **place)
    with pytest.raises(ApiError, match="version_conflict"):
        client.update(index=hit["_index"], id="7", doc={"count": 9}, **place)


def test_an_alias_stands_for_a_data_stream(client: Elasticsearch, full: str) -> None:
    client.indices.put_alias(index=full, name=f"{full}-alias")
    assert client.count(index=f"{full}-alias")["count"] == 100


def test_the_request_cache_answers_the_second_time(client: Elasticsearch, full: str) -> None:
    def hits() -> int:
        stats = client.indices.stats(index=full, metric="request_cache")
        return int(stats["_all"]["total"]["request_cache"]["hit_count"])

    def ask() -> None:
        client.search(index=full, size=0, request_cache=True, aggs={"it": {"terms": {"field": "trail"}}})

    ask()
    before = hits()
    ask()
    assert hits() == before + 1


def test_retention_in_a_template_is_taken(client: Elasticsearch, elasticsearch_namespace: str) -> None:
    name = f"{elasticsearch_namespace}-kept"
    client.indices.put_index_template(
        name=name, index_patterns=[name], data_stream={}, template={"lifecycle": {"data_retention": "30d"}}
    )
    (found,) = client.indices.get_index_template(name=name)["index_templates"]
    assert found["index_template"]["template"]["lifecycle"]["data_retention"] == "30d"


def lacks(client: Elasticsearch) -> dict[str, Callable[[], object]]:
    """Name what a full server can do and this one cannot."""

    def field_type(kind: str) -> Callable[[], object]:
        template = {"mappings": {"properties": {"it": {"type": kind}}}}
        return lambda: client.indices.simulate_template(index_patterns=["lacking"], template=template)

    lifecycle = {"settings": {"index.lifecycle.name": "policy"}}
    return {
        "info": client.info,
        "data streams over REST": lambda: client.indices.get_data_stream(name="*"),
        "ILM": client.ilm.get_lifecycle,
        "the setting of ILM": lambda: client.indices.simulate_template(index_patterns=["lacking"], template=lifecycle),
        "painless": lambda: client.put_script(id="lacking", script={"lang": "painless", "source": "1"}),
        "delete by query": lambda: client.delete_by_query(index="lacking*", query={"match_all": {}}),
        "reindex": lambda: client.reindex(source={"index": "lacking*"}, dest={"index": "lacking"}),
        "ES|QL": lambda: client.esql.query(query="ROW it = 1"),
        "async search": lambda: client.async_search.submit(index="lacking*"),
        "ingest processors": lambda: client.ingest.simulate(
            docs=[{"_source": {}}], pipeline={"processors": [{"set": {"field": "it", "value": 1}}]}
        ),
        "wildcard": field_type("wildcard"),
        "constant_keyword": field_type("constant_keyword"),
        "match_only_text": field_type("match_only_text"),
    }


def test_what_it_lacks_is_what_the_docs_say(client: Elasticsearch) -> None:
    if os.environ.get(URL_VARIABLE):
        pytest.skip(f"the server that {URL_VARIABLE} names may be a full one")
    present = []
    for name, ask in lacks(client).items():
        try:
            ask()
        except ApiError as error:
            lacking = error.status_code in (400, 404, 405)
        else:
            lacking = False
        if not lacking:
            present.append(name)
    assert present == []


def test_cleaning_leaves_nothing_of_one_test_and_all_of_another(
    client: Elasticsearch, full: str, elasticsearch_url: str
) -> None:
    namespace = full.partition("-")[0]
    client.index(index=f"{namespace}-plain", document=document(1), refresh=True)
    client.indices.put_index_template(name=f"{namespace}-unused", index_patterns=[f"{namespace}-unused"])
    clean(elasticsearch_url, "another")
    assert client.count(index=f"{namespace}-*")["count"] == 101
    clean(elasticsearch_url, namespace)
    assert client.count(index=f"{namespace}-*")["count"] == 0
    assert not client.indices.exists(index=f"{namespace}-plain")
    assert not client.indices.exists_index_template(name=f"{namespace}-unused")


def test_it_keeps_what_it_acknowledged_over_a_stop_a_kill_and_a_hang(own_elasticsearch: ElasticsearchServer) -> None:
    server = own_elasticsearch
    with Elasticsearch(server.url, request_timeout=60) as client:
        for number, trouble in enumerate((server.stop, server.kill, server.pause)):
            client.index(index="kept", id=str(number), document=document(number))
            trouble()
            assert not server.healthy()
            server.resume()
            server.start()
            server.wait()
        client.indices.refresh(index="kept")
        assert client.count(index="kept")["count"] == 3


def test_one_that_does_not_start_shows_what_it_said_and_leaves_nothing(own_elasticsearch: ElasticsearchServer) -> None:
    server = ElasticsearchServer()
    with (server.folder / "config" / "elasticsearch.yml").open("a") as settings:
        settings.write("no_such_setting: 1\n")
    with pytest.raises(AssertionError, match=r"(?s)ended; it said:.*no_such_setting"), server:
        pytest.fail("it started")
    assert not server.running
    assert not server.folder.exists()
    assert [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(server.folder) in _text(path)] == []


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""  # It ended while we looked.
