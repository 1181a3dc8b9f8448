"""Sightings for MISP: it is told which of its attributes were seen, and when."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from api.sending.post import Answer, Post, Ways
from api.sending.targets.target import Document
from trailhound.sending import Misp

# What it says when no attribute has the value, which is no fault of anybody's.
_UNKNOWN = (b"No valid attributes found", b"no valid attributes found", b"No attributes found")
_REFUSALS = frozenset({400, 403, 404, 405})
_SEEN = "0"


class MispTarget:
    """One instance. A value that none of its attributes has is of no use to it."""

    def __init__(self, settings: Misp, ways: Ways) -> None:
        self.batch = 1
        self._source = settings.source
        self._key = ways.secret(settings.key)
        self._post = Post(f"{settings.url.rstrip('/')}/sightings/add", ways, private=(self._key,))

    def send(self, documents: Sequence[Document]) -> int:
        return sum(self._send(document) for document in documents)

    def close(self) -> None:
        self._post.close()

    def _send(self, document: Document) -> bool:
        """Send one sighting; tell whether it was of no use."""
        own = document.get("trailhound", {})
        values = _values(str(own.get("kind", "")), str(own.get("trail", "")))
        if not values:
            return True
        sensor = str(document.get("observer", {}).get("name", ""))
        sighting = {
            "values": values,
            "timestamp": _seconds(document.get("event", {}).get("start")),
            "source": f"{self._source} ({sensor})"[:255] if sensor else self._source,
            "type": _SEEN,
        }
        headers = {"Authorization": self._key, "Accept": "application/json", "Content-Type": "application/json"}
        answer = self._post(orjson.dumps(sighting), headers, is_well=_is_unknown)
        return _is_unknown(answer)


def _is_unknown(answer: Answer) -> bool:
    return answer.status in _REFUSALS and any(words in answer.body for words in _UNKNOWN)


def _values(kind: str, trail: str) -> list[str]:
    """Give a trail as attributes of MISP may have it."""
    match kind:
        case "rule" | "other" | "user-agent-regex" | "wildcard" | "":
            return []
        case "url" | "http-host":
            return [f"http://{trail}", f"https://{trail}", trail]
        case "ip:port":
            address, _, port = trail.rpartition(":")
            return [f"{address.strip('[]')}|{port}", trail]
        case _:
            return [trail]


def _seconds(text: object) -> int:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp())
    except ValueError:
        return 0
