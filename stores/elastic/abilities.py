"""What a server has: found out by trying, since neither its version nor its licence says what was built into it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import ApiError, Elasticsearch

from stores.elastic.failures import explained
from trailhound.errors import StoreError

TYPES = ("wildcard", "match_only_text", "constant_keyword")
_JSON = {"accept": "application/json", "content-type": "application/json"}
_ABSENT = (400, 405, 410, 501)
_FORBIDDEN = (401, 403)
_PROBE = "trailhound-probe-of-abilities"


@dataclass(frozen=True, slots=True)
class Abilities:
    """Field types beside the ordinary ones, and what there is to let old events go."""

    types: frozenset[str] = frozenset()
    ilm: bool = False
    data_stream_lifecycle: bool = False
    data_stream_api: bool = False

    @property
    def lifecycle(self) -> str | None:
        """How old events go: `ilm`, `data stream lifecycle`, or not at all."""
        if self.ilm:
            return "ilm"
        return "data stream lifecycle" if self.data_stream_lifecycle else None


def probe(client: Elasticsearch) -> Abilities:
    """Try what there is. Nothing is changed by it. Raises `StoreError` where we may not even try."""
    has_streams = _answers(client, "GET", f"/_data_stream/{_PROBE}*")
    return Abilities(
        types=frozenset(_types(client)),
        ilm=_answers(client, "GET", "/_ilm/policy"),
        data_stream_lifecycle=has_streams and _answers(client, "GET", f"/_data_stream/{_PROBE}*/_lifecycle"),
        data_stream_api=has_streams,
    )


def _types(client: Elasticsearch) -> Iterator[str]:
    for name in TYPES:
        mapping = {"properties": {"field": {"type": name}}}
        body = {"index_patterns": [f"{_PROBE}-{name}"], "template": {"mappings": mapping}}
        if _answers(client, "POST", "/_index_template/_simulate", body):
            yield name


def _answers(client: Elasticsearch, method: str, path: str, body: Mapping[str, Any] | None = None) -> bool:
    """Tell whether the server has what a request asks for; what it has but does not find counts."""
    try:
        client.perform_request(method, path, body=body, headers=_JSON)
    except ApiError as error:
        if error.meta.status in _FORBIDDEN:
            raise StoreError(f"{method} {path} is refused: {explained(error)}") from error
        if error.meta.status in _ABSENT:
            return False
        if error.meta.status == 404:
            return True
        raise
    return True
