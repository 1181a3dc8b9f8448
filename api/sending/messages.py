"""What webhooks post: the event as JSON, or as chats and TheHive want it.

Values of events come from whoever attacks. In a message for people they are no markup: nobody is mentioned, nothing is
a link.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

_COLOURS = {"low": "#6b7280", "medium": "#ca8a04", "high": "#ea580c", "critical": "#dc2626"}
_STYLES = {"low": "Default", "medium": "Warning", "high": "Attention", "critical": "Attention"}
_HIVE_SEVERITIES = {"low": 1, "medium": 2, "high": 3, "critical": 4}
_HIVE_TYPES = {
    "domain": "domain",
    "tld": "domain",
    "url": "url",
    "http-host": "url",
    "path": "uri_path",
    "user-agent": "user-agent",
    "email": "mail",
    "file-md5": "hash",
    "file-sha1": "hash",
    "file-sha256": "hash",
    "cert-sha1": "hash",
    "cert-sha256": "hash",
    "ja3": "hash",
    "ja3s": "hash",
    "file-name": "filename",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~@:/])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONGEST = 300


def generic(document: Mapping[str, Any], link: str) -> dict[str, Any]:
    return {"type": "trailhound.event", "event": document, **({"link": link} if link else {})}


def slack(document: Mapping[str, Any], link: str) -> dict[str, Any]:
    title = f"{_word(document, 'severity').upper()}: {_word(document, 'info')}"
    fields = [{"type": "mrkdwn", "text": f"*{name}*\n{_slack_text(value)}"} for name, value in _facts(document)]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "fields": fields[:10]},
    ]
    if link:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{link}|Trailhound>"}]})
    colour = _COLOURS.get(_word(document, "severity"), _COLOURS["low"])
    return {"text": _slack_text(title), "attachments": [{"color": colour, "blocks": blocks}]}


def teams(document: Mapping[str, Any], link: str) -> dict[str, Any]:
    severity = _word(document, "severity")
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "size": "Medium",
                "weight": "Bolder",
                "wrap": True,
                "color": _STYLES.get(severity, "Default"),
                "text": _markdown(f"{severity.upper()}: {_word(document, 'info')}"),
            },
            {
                "type": "FactSet",
                "facts": [{"title": name, "value": _markdown(value)} for name, value in _facts(document)],
            },
        ],
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Trailhound", "url": link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def thehive(document: Mapping[str, Any], link: str) -> dict[str, Any]:
    """Make an alert. TheHive knows one again by its type, source and reference."""
    own = document.get("trailhound", {})
    rows = "\n".join(f"| {name} | {_markdown(value)} |" for name, value in _facts(document))
    alert: dict[str, Any] = {
        "type": "trailhound",
        "source": "Trailhound",
        "sourceRef": str(document.get("event", {}).get("id", "")),
        "title": f"{_word(document, 'info')}: {_plain(own.get('trail'))}"[:512],
        "description": f"| | |\n|---|---|\n{rows}\n",
        "severity": _HIVE_SEVERITIES.get(_word(document, "severity"), 2),
        "date": _millis(document.get("event", {}).get("start")),
        "tags": [f"trailhound:class={_word(document, 'class')}", *map(_plain, own.get("sources") or ())][:50],
        "tlp": 2,
        "pap": 2,
        "observables": list(_observables(document)),
    }
    return alert | ({"externalLink": link} if link else {})


TEMPLATES: Mapping[str, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {
    "generic": generic,
    "slack": slack,
    "teams": teams,
    "thehive": thehive,
}


def message(template: str, document: Mapping[str, Any], link: str) -> bytes:
    """Write an event for a webhook. `link` is the address of the console, or empty."""
    return orjson.dumps(TEMPLATES[template](document, link))


def _facts(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    own, network = document.get("trailhound", {}), document.get("network", {})
    way = " ".join(str(network[name]) for name in ("direction", "transport", "protocol") if network.get(name))
    found = (
        ("Source", _end(document.get("source", {}))),
        ("Destination", _end(document.get("destination", {}))),
        ("Trail", f"{own.get('trail', '')} ({own.get('class', '')})"),
        ("Seen as", own.get("observed")),
        ("Traffic", way),
        ("Count", own.get("count")),
        ("Sensor", document.get("observer", {}).get("name")),
        ("Listed by", ", ".join(map(str, own.get("sources") or ()))),
        ("Time", document.get("event", {}).get("start")),
    )
    return [(name, _plain(value)) for name, value in found if value]


def _observables(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give each value once: TheHive refuses an alert that has one twice."""
    own = document.get("trailhound", {})
    found = [("ip", document.get(end, {}).get("ip")) for end in ("source", "destination")]
    kind = str(own.get("kind"))
    if kind in ("ipv4", "ipv6"):
        found.append(("ip", own.get("trail")))
    elif kind in _HIVE_TYPES:
        found.append((_HIVE_TYPES[kind], own.get("trail")))
    if isinstance(name := document.get("dns", {}).get("question", {}).get("name"), str):
        found.append(("domain", name))
    for type_, value in dict.fromkeys((type_, str(value)) for type_, value in found if value):
        yield {"dataType": type_, "data": value}


def _word(document: Mapping[str, Any], name: str) -> str:
    return _plain(document.get("trailhound", {}).get(name) or "unknown")


def _end(end: Mapping[str, Any]) -> str:
    address, port = str(end.get("ip", "")), end.get("port")
    if not address or port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _plain(value: object) -> str:
    text = _CONTROL.sub(" ", str(value or ""))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _slack_text(text: str) -> str:
    """Write a text so that Slack shows it as it is: in code, where only three characters have a meaning."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = escaped.replace("`", "'")
    return f"`{shown}`"


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _millis(text: object) -> int:
    try:
        return int(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except ValueError:
        return 0
