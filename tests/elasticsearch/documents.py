"""Documents that tests put into a data stream."""

from typing import Any

from elasticsearch import Elasticsearch


def document(number: int) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-01-0{1 + number % 3}T00:00:00Z",
        "trail": f"trail {number % 4}",
        "count": number,
        "ip": f"10.0.0.{number % 7}",
        "labels": {"kind": f"kind {number % 2}"},
    }


def operations(stream: str, numbers: range) -> list[dict[str, Any]]:
    """Give the lines of a bulk that creates these documents, each with its number as its id."""
    found: list[dict[str, Any]] = []
    for number in numbers:
        found += [{"create": {"_index": stream, "_id": str(number)}}, document(number)]
    return found


def create(client: Elasticsearch, stream: str, numbers: range) -> list[int]:
    """Create documents, and give the status of each."""
    answer = client.bulk(operations=operations(stream, numbers), refresh=True)
    return [item["create"]["status"] for item in answer["items"]]
