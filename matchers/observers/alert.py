"""EVE `alert`: the traffic that a signature of Suricata's fired on, for sites that log nothing but alerts.

What is looked at here are the values that it carries. The alert itself is an event only where the site wants that
(`matchers.detectors.suricata_alert`).
"""

from collections.abc import Iterator
from typing import Any

from matchers.observer import Observer, Probe, Sight, Sighting, ends, told_twice
from matchers.observers.http import HTTP
from matchers.observers.ssl import server_name
from trailhound.record import Record


def _observe(record: Record) -> Iterator[Sighting]:
    for query in record.texts("queries"):
        yield Sighting(
            Sight.NAME, query, "dns.question.name", *told_twice(record, f"{record.number('trans_id')} {query}")
        )
    yield from server_name(record)
    if record.text("uri"):
        yield from HTTP.observe(record)
    else:
        yield from ends(record)


def _derive(record: Record) -> dict[str, Any]:
    return {"dns.question.name": next(iter(record.texts("queries")), None)}


ALERT = Observer(
    log="alert",
    suricata="alert",
    probes={
        **HTTP.probes,
        "queries": Probe.NAME,
        "server_name": Probe.HOST,
    },
    observe=_observe,
    derive=_derive,
    # What Suricata dropped reached nobody.
    answered=lambda record: False if record.text("action") == "blocked" else None,
    ecs={
        "event.action": "action",
        "rule.id": "signature_id",
        "rule.name": "signature",
        "rule.category": "category",
        "rule.version": "rev",
        "tls.client.server_name": "server_name",
        "url.domain": "host",
        "url.original": "uri",
        "user_agent.original": "user_agent",
    },
)
