"""Questions to a resolver, as the logs of both programs have them, and what heuristics find in them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from matchers.engine import Engine
from matchers.findings import SOURCE
from matchers.heuristics import chosen, registry
from matchers.heuristics.heuristic import Muted, Surroundings
from matchers.heuristics.running import Heuristics
from matchers.networks import HomeNetworks
from tests.matchers.build import engine, matched, tsv
from trailhound.event import Event
from trailhound.settings import HOME_NETWORKS
from trailhound.trail import Trail

START = 1_767_600_000
SLACK = 300_000_000  # Microseconds.
RESOLVER = "192.0.2.53"
FORMATS = ("zeek-tsv", "zeek-json", "eve", "eve-3")
_TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr"} | {
    "id.resp_p": "port",
    "proto": "enum",
    "trans_id": "count",
    "query": "string",
    "qtype_name": "string",
    "rcode_name": "string",
    "answers": "vector[string]",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A look-up with its answer. `time` is seconds after `START`; without `code` nothing answered."""

    name: str
    time: float = 0
    client: str = "10.0.0.7"
    code: str = "NOERROR"
    type: str = "A"
    answers: Sequence[str] = ()
    port: int = 53


def denied(names: Iterable[str], client: str = "10.0.0.7", step: float = 1, start: float = 0) -> list[Question]:
    return [Question(name, start + place * step, client, "NXDOMAIN") for place, name in enumerate(names)]


def log(format_: str, questions: Sequence[Question]) -> bytes:
    if format_ == "zeek-tsv":
        return tsv("dns", _TYPES, [_row(question, number) for number, question in enumerate(questions)])
    if format_ == "zeek-json":
        made: Iterable[object] = (_object(question, number) for number, question in enumerate(questions))
    else:
        one = _version_3 if format_ == "eve-3" else _version_2
        made = (event for number, question in enumerate(questions) for event in one(question, number))
    return b"".join(json.dumps(each).encode() + b"\n" for each in made)


def watched(*names: str, trails: Iterable[Trail] = (), allowed: str = "", muted: Muted | None = None) -> Engine:
    """Make an engine with some heuristics."""
    return watched_by({name: {} for name in names}, trails=trails, allowed=allowed, muted=muted)


def watched_by(
    thresholds: Mapping[str, Mapping[str, float]],
    *,
    trails: Iterable[Trail] = (),
    allowed: str = "",
    muted: Muted | None = None,
) -> Engine:
    machine = engine(trails, allowed)
    off = [name for name in registry() if name not in thresholds]
    surroundings = Surroundings(HomeNetworks(HOME_NETWORKS), machine.rules, SLACK)
    made = chosen(off, [], thresholds)
    machine.use(Heuristics(made, surroundings, muted) if muted is not None else Heuristics(made, surroundings))
    return machine


def found(machine: Engine, format_: str, questions: Sequence[Question]) -> list[Event]:
    """Give what heuristics found, and look that none failed."""
    kind = "eve" if format_ == "eve-3" else format_
    events = matched(machine, kind, log(format_, questions), "dns").events
    assert machine.heuristics is not None
    assert machine.heuristics.failures == {}
    return [event for event in events if event.ecs.get("rule.category") == SOURCE]


def _row(question: Question, number: int) -> Sequence[str]:
    told = {name: value for name, value in _object(question, number).items() if value is not None}
    told["answers"] = ",".join(question.answers) or "-"
    return [str(told.get(name, "-")) for name in _TYPES]


def _object(question: Question, number: int) -> dict[str, object]:
    return {
        "ts": START + question.time,
        "uid": f"C{number}",
        "id.orig_h": question.client,
        "id.orig_p": 40_000 + number % 20_000,
        "id.resp_h": RESOLVER,
        "id.resp_p": question.port,
        "proto": "udp",
        "trans_id": number % 65_536,
        "query": question.name,
        "qtype_name": question.type,
        "rcode_name": question.code or None,
        "answers": list(question.answers) or None,
    }


def _event(question: Question, number: int, *, is_swapped: bool = False) -> dict[str, object]:
    near, far = (question.client, 40_000 + number % 20_000), (RESOLVER, question.port)
    source, destination = (far, near) if is_swapped else (near, far)
    return {
        "timestamp": datetime.fromtimestamp(START + question.time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+0000"),
        "flow_id": number,
        "event_type": "dns",
        "src_ip": source[0],
        "src_port": source[1],
        "dest_ip": destination[0],
        "dest_port": destination[1],
        "proto": "UDP",
    }


def _answers(question: Question) -> list[object]:
    return [{"rrname": question.name, "rrtype": question.type, "rdata": answer} for answer in question.answers]


def _version_2(question: Question, number: int) -> list[dict[str, object]]:
    asked = {"version": 2, "id": number % 65_536, "rrname": question.name, "rrtype": question.type}
    events = [{**_event(question, number), "dns": {**asked, "type": "query"}}]
    if question.code:
        said = {**asked, "type": "answer", "rcode": question.code, "answers": _answers(question)}
        events.append({**_event(question, number), "dns": said})
    return events


def _version_3(question: Question, number: int) -> list[dict[str, object]]:
    asked = {"version": 3, "id": number % 65_536, "queries": [{"rrname": question.name, "rrtype": question.type}]}
    events = [{**_event(question, number), "dns": {**asked, "type": "request"}}]
    if question.code:
        said = {**asked, "type": "response", "rcode": question.code, "answers": _answers(question)}
        events.append({**_event(question, number, is_swapped=True), "dns": said})
    return events
