"""dns.log, and EVE `dns` of all versions: look-ups with their answers.

Zeek writes a look-up as one row. Suricata writes query and answer apart: the query counts, the answer only when no
query of the same look-up was seen.
"""

from collections.abc import Iterator
from typing import Any

from matchers.observer import ENDS, Observer, Probe, Repeat, Sight, Sighting, ends, told_twice
from trailhound.canonical import address
from trailhound.record import Record


def _observe(record: Record) -> Iterator[Sighting]:
    query = record.text("query")
    if query:
        repeat, occasion = told_twice(record, f"{record.number('trans_id')} {query}")
        if record.text("dns.type") == "answer":
            repeat = Repeat.ONCE
        yield Sighting(Sight.NAME, query, "dns.question.name", repeat, occasion)
    for answer in record.texts("answers"):
        sight = Sight.ADDRESS if address(answer) else Sight.NAME
        yield Sighting(sight, answer, "dns.answers.data")
    yield from ends(record)


def _answered(record: Record) -> bool | None:
    # When the answer says that there is no such name, nothing can have been reached by it.
    if record.texts("answers"):
        return True
    return False if record.text("rcode_name") == "NXDOMAIN" else None


def _derive(record: Record) -> dict[str, Any]:
    answers, number = record.texts("answers"), record.number("trans_id")
    return {
        "dns.id": str(number) if number is not None else None,
        "dns.resolved_ip": [answer for answer in answers if address(answer)],
        "dns.answers": [{"data": answer} for answer in answers],
        "dns.type": "answer" if answers or record.text("rcode_name") else "query",
    }


DNS = Observer(
    log="dns",
    suricata="dns",
    protocol="dns",
    probes={**ENDS, "query": Probe.NAME, "answers": Probe.NAME},
    observe=_observe,
    answered=_answered,
    derive=_derive,
    ecs={
        "dns.question.name": "query",
        "dns.question.type": "qtype_name",
        "dns.response_code": "rcode_name",
    },
)
