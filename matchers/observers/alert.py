"""EVE `alert`: the traffic that a signature of Suricata's fired on, for sites that log nothing but alerts.

The alert itself is Suricata's to report; what is looked at here are the values that it carries.
"""

from collections.abc import Iterator

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends, told_twice
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


ALERT = Observer(
    log="alert",
    suricata="alert",
    probes={
        **ENDS,
        "queries": Probe.NAME,
        "server_name": Probe.HOST,
        "host": Probe.HOST,
        "uri": Probe.PATH,
        "user_agent": Probe.AGENT,
    },
    observe=_observe,
    ecs={
        "rule.id": "signature_id",
        "rule.name": "signature",
        "rule.category": "category",
        "dns.question.name": "queries",
        "tls.client.server_name": "server_name",
        "url.domain": "host",
        "url.original": "uri",
        "user_agent.original": "user_agent",
    },
)
