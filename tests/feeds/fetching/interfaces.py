"""Servers that speak the interfaces of TAXII, OTX and MISP, as far as clients ask."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from feeds.entry import Refused
from feeds.feed import Feed
from feeds.reading import read_feed
from feeds.shelf import Shelf
from tests.feeds.fetching.server import Answer, Handler
from trailhound.trail import Trail

JSON = {"Content-Type": "application/json"}


def reply(handler: Handler, content: Any, code: int = 200) -> None:
    handler.reply(code, JSON, json.dumps(content).encode())


def asked(handler: Handler) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}


def taxii(objects: Sequence[Mapping[str, Any]], page: int = 2) -> Answer:
    """Serve a collection, some objects at a time, to whoever asks for TAXII 2.1."""

    def answer(handler: Handler) -> None:
        query = asked(handler)
        if handler.headers["Accept"] != "application/taxii+json;version=2.1":
            reply(handler, {"title": "not acceptable"}, 406)
            return
        start = int(query.get("next", "0"))
        found = [one for one in objects if one.get("added", "9") > query.get("added_after", "")]
        part = found[start : start + page]
        more = start + page < len(found)
        reply(handler, {"objects": part, "more": more, "next": str(start + page)} if part else {})

    return answer


def indicator(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-{number:012d}",
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "name": f"threat {number}",
        "indicator_types": ["malicious-activity"],
        "pattern": f"[domain-name:value = 'evil{number}.example']",
        "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
        **more,
    }


def otx(pulses: Sequence[Mapping[str, Any]], key: str, page: int = 2) -> Answer:
    """Serve the pulses of a subscriber; where the next page is said to be is not to be believed."""

    def answer(handler: Handler) -> None:
        if handler.headers["X-OTX-API-KEY"] != key:
            reply(handler, {"detail": "Authentication required"}, 403)
            return
        number = int(asked(handler)["page"])
        part = pulses[(number - 1) * page : number * page]
        more = number * page < len(pulses)
        reply(handler, {"results": part, "next": "https://elsewhere.test/?page=2" if more else None})

    return answer


def pulse(number: int) -> dict[str, Any]:
    item = {"indicator": f"evil{number}.example", "type": "domain", "is_active": 1}
    return {"id": f"{number}", "name": f"pulse {number}", "indicators": [item]}


@dataclass
class Misp:
    """An instance of MISP: attributes, the key of its one user, and what it was asked for."""

    key: str
    attributes: Sequence[Mapping[str, Any]] = ()
    questions: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def get(self, handler: Handler) -> None:
        if handler.headers["Authorization"] != self.key:
            reply(handler, {"name": "Authentication failed.", "url": "/"}, 403)
        elif "getPyMISPVersion" in handler.path:
            reply(handler, {"version": "2.5.0"})
        elif "getVersion" in handler.path:
            reply(handler, {"version": "2.5.10", "perm_sync": False})
        else:
            user = {"id": "1", "org_id": "1", "email": "trailhound@site.example", "role_id": "6"}
            role = {"id": "6", "name": "Read Only", "perm_auth": True}
            reply(handler, {"User": user, "Role": role, "UserSetting": {}})

    def post(self, handler: Handler) -> None:
        question = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.questions.append(question)
        if handler.headers["Authorization"] != self.key or self.refuses:
            reply(handler, {"message": "You do not have permission to use this functionality."}, 403)
            return
        found = [one for one in self.attributes if self._is_wanted(one, question)]
        first = (question["page"] - 1) * question["limit"]
        reply(handler, {"response": {"Attribute": found[first : first + question["limit"]]}})

    @staticmethod
    def _is_wanted(attribute: Mapping[str, Any], question: Mapping[str, Any]) -> bool:
        names = {tag["name"] for tag in attribute.get("Tag", ())}
        tags = question.get("tags") or ()
        wanted = {tag for tag in tags if not tag.startswith("!")}
        unwanted = {tag[1:] for tag in tags if tag.startswith("!")}
        return (
            (not question.get("to_ids") or attribute["to_ids"])
            and (not question.get("type") or attribute["type"] in question["type"])
            and (not wanted or bool(wanted & names))
            and not unwanted & names
            and str(attribute["Event"]["date"]) >= str(question.get("from") or "")
        )


def attribute(number: int, type_: str = "domain", *, tags: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    value = {"domain": f"evil{number}.example", "ip-dst": f"198.51.100.{number}"}[type_]
    return {
        "id": str(number),
        "event_id": str(number // 2),
        "type": type_,
        "category": "Network activity",
        "value": value,
        "to_ids": True,
        "timestamp": "1767225600",
        "Tag": [{"name": tag} for tag in tags],
        "Event": {
            "id": str(number // 2),
            "uuid": f"event-{number // 2}",
            "info": f"campaign {number // 2}",
            "date": "2026-01-01",
        },
        **more,
    }


def trails(feed: Feed, shelf: Shelf) -> dict[str, Trail]:
    """Read what is on the shelf as the feed is read, and refuse nothing silently."""
    copy = shelf.copy(feed.name)
    assert copy is not None
    found = list(read_feed(feed, copy.paths))
    assert [entry for entry in found if isinstance(entry, Refused)] == []
    return {entry.value: entry for entry in found if isinstance(entry, Trail)}
