"""One pass of documents to Elasticsearch, and what became of each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError, helpers

from stores.elastic.failures import explained

MOST_DOCUMENTS = 2_500  # Of one request.
SERVER_PATIENCE = "10s"  # How long the server waits for a shard that is away before it says so.
# All that is read of an answer, a quarter of what would come.
_ANSWER = ("errors", "items.*.status", "items.*._index", "items.*.error", "items.*.failure_store")
# Refusals with status 400 that are no fault of the document: the cluster has too many shards, for one.
_NO_FAULT = frozenset({"validation_exception"})
_SAID = 1_000  # Characters of the server's own words.


class Fate(Enum):
    """What became of a document."""

    STORED = auto()
    KNOWN = auto()  # It was there.
    BUSY = auto()  # It was not taken, and may be soon.
    UNSURE = auto()  # Nobody knows whether it was taken.
    TOO_LARGE = auto()  # The request was, that is.
    REFUSED = auto()  # It will never be taken as it is.
    WAITS = auto()  # It will not be taken before a person has done something.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document, in which index, and why."""

    fate: Fate
    index: str = ""
    reason: str = ""


def create(
    client: Elasticsearch, stream: str, documents: Iterable[tuple[str, bytes]], *, most_bytes: int, refresh: bool
) -> Iterator[Outcome]:
    """Create documents, given as id and JSON, and give what became of each, in order.

    When the connection fails, the outcomes end with `UNSURE` for the first one that nobody knows of.
    """
    answers = helpers.streaming_bulk(
        # What is sent again is looked up first, and that is not the client's business.
        client.options(max_retries=0, retry_on_timeout=False, retry_on_status=()),
        ({"create": {"_id": id_}, "document": document} for id_, document in documents),
        chunk_size=MOST_DOCUMENTS,
        max_chunk_bytes=most_bytes,
        expand_action_callback=_expand,
        raise_on_error=False,
        raise_on_exception=False,
        index=stream,
        require_data_stream=True,
        refresh="true" if refresh else None,
        timeout=SERVER_PATIENCE,
        filter_path=_ANSWER,
    )
    try:
        for _, answer in answers:
            yield _outcome(answer["create"])
    except TransportError as error:
        yield Outcome(Fate.UNSURE, reason=explained(error))
    except (LookupError, TypeError, AttributeError):
        yield Outcome(Fate.UNSURE, reason="what came back is no answer to a bulk request: check what stands between")


def _expand(action: Any) -> tuple[dict[str, Any], bytes]:
    document: bytes = action.pop("document")
    return action, document


def _outcome(answer: Mapping[str, Any]) -> Outcome:
    error = answer.get("exception")
    if isinstance(error, ApiError):
        return _of_request(error)
    status, index = answer["status"], answer.get("_index", "")
    if status in (200, 201):
        if answer.get("failure_store") == "used":
            return Outcome(Fate.REFUSED, reason="the document went to the failure store of the data stream")
        return Outcome(Fate.STORED, index)
    if status == 409:
        return Outcome(Fate.KNOWN, index)
    return _of_item(status, answer.get("error") or {})


def _of_request(error: ApiError) -> Outcome:
    status, said = error.meta.status, explained(error)
    if status == 413:
        return Outcome(Fate.TOO_LARGE, reason=said)
    # It may be what stands before the cluster that speaks, while the cluster works on.
    return Outcome(Fate.UNSURE if status in (408, 429) or status >= 500 else Fate.WAITS, reason=said)


def _of_item(status: int, error: Mapping[str, Any]) -> Outcome:
    kind, said = str(error.get("type", "")), _reason(error)
    if kind == "cluster_block_exception":
        return Outcome(Fate.WAITS, reason=f"the index is read-only: {said}; make room, then take the block away")
    match status:
        case 429:
            return Outcome(Fate.BUSY, reason=f"the cluster has too much to do: {said}")
        case 400 if kind not in _NO_FAULT:
            return Outcome(Fate.REFUSED, reason=said)
        case 413:
            return Outcome(Fate.REFUSED, reason=said)
        case 401 | 403:
            sentence = f"we are not permitted to: {said}; docs/elasticsearch.md lists the privileges of each role"
            return Outcome(Fate.WAITS, reason=sentence)
        case 404:
            sentence = f"the data stream is missing: {said}; `trailhound es setup` makes what it needs"
            return Outcome(Fate.WAITS, reason=sentence)
    if status >= 500:
        return Outcome(Fate.UNSURE, reason=f"the cluster is not ready: {said}")
    return Outcome(Fate.WAITS, reason=f"the cluster refuses ({status}): {said}")


def _reason(error: Mapping[str, Any]) -> str:
    """Give what the server says of one document: the outer sentence tells the field, the inner one the fault."""
    said = [str(error.get("reason") or error.get("type") or "no reason given")]
    while isinstance(cause := error.get("caused_by"), Mapping):
        error = cause
        said.append(str(error.get("reason") or error.get("type")))
    return " ".join(": ".join(dict.fromkeys(said)).split())[:_SAID]
