"""conn.log, and EVE `flow`: who spoke with whom."""

from collections.abc import Iterator
from typing import Any

from matchers.observer import ENDS, Observer, Repeat, Sighting, ends
from trailhound.record import Record

# Zeek's words for the state of a connection: nobody replied, or only to refuse; or both sides spoke.
_UNANSWERED = frozenset({"S0", "REJ", "SH", "RSTOS0"})
_ANSWERED = frozenset({"S1", "SF", "S2", "S3", "RSTO", "RSTR"})
_NANOSECONDS = 1_000_000_000
_CENTURY = 100 * 366 * 86400


def _observe(record: Record) -> Iterator[Sighting]:
    return ends(record, Repeat.CLOSES)


def _answered(record: Record) -> bool | None:
    state = record.text("conn_state")
    if state in _ANSWERED:
        return True
    if state in _UNANSWERED:
        return False
    packets = record.number("resp_pkts")
    return packets > 0 if packets is not None else None


def _derive(record: Record) -> dict[str, Any]:
    duration = record.fields.get("duration")
    # No connection outlives its sensor; what claims to (or is no number) is damage.
    if not isinstance(duration, float | int) or not 0 <= duration < _CENTURY:
        return {}
    return {"event.duration": int(duration * _NANOSECONDS)}


CONN = Observer(
    log="conn",
    suricata="flow",
    probes=ENDS,
    observe=_observe,
    answered=_answered,
    derive=_derive,
    ecs={
        "source.bytes": "orig_bytes",
        "source.packets": "orig_pkts",
        "destination.bytes": "resp_bytes",
        "destination.packets": "resp_pkts",
        "zeek.connection.state": "conn_state",
        "zeek.connection.history": "history",
    },
)
