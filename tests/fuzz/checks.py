"""What holds for any bytes: each line is accounted for, each event can be written, each match is a true one."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network

import msgspec
import orjson
import re2

from ingest.batch import BadLine
from ingest.eve_event import EVENTS
from ingest.formats import reader_of
from ingest.stretch import Stretch
from ingest.zeek_json import BYTE_ORDER_MARK
from matchers.engine import Engine
from matchers.memory import Occasions
from matchers.observers import OBSERVERS
from tests.matchers.build import engine, matched, trail
from trailhound.event import Event, to_ecs
from trailhound.trail import TrailKind

WANTED: Mapping[str, Sequence[str]] = {log: ("ts", *observer.probes) for log, observer in OBSERVERS.items()}
FORMATS = ("zeek-tsv", "zeek-json", "eve")
SHA1, SHA256, MD5 = "a1" * 20, "b2" * 32, "c3" * 16
TRAILS = tuple(
    trail(kind, value)
    for kind, value in (
        (TrailKind.DOMAIN, "evil.example"),
        (TrailKind.DOMAIN, "xn--bcher-kva.example"),
        (TrailKind.DOMAIN, "hidden.onion"),
        (TrailKind.TLD, "badtld"),
        (TrailKind.WILDCARD, r"dga[0-9]+\.bad\.example"),
        (TrailKind.IPV4, "203.0.113.5"),
        (TrailKind.IPV6, "2001:db8::5"),
        (TrailKind.CIDR, "198.51.100.0/24"),
        (TrailKind.CIDR, "2001:db8:1::/48"),
        (TrailKind.IP_PORT, "203.0.113.6:8443"),
        (TrailKind.URL, "url.example/bad/path"),
        (TrailKind.HTTP_HOST, "http://host.example/"),
        (TrailKind.PATH, "/gate.php"),
        (TrailKind.PATH, "/tasks?a=&b="),
        (TrailKind.USER_AGENT, "evilbot/1.0"),
        (TrailKind.USER_AGENT_REGEX, "^badagent"),
        (TrailKind.CERT_SHA1, SHA1),
        (TrailKind.CERT_SHA256, SHA256),
        (TrailKind.FILE_MD5, MD5),
        (TrailKind.FILE_SHA256, SHA256),
        (TrailKind.JA3, MD5),
    )
)


@cache
def machine() -> Engine:
    return engine(TRAILS)


def check(format_: str, data: bytes, name: str = "dns", cuts: Sequence[int] = ()) -> Stretch:
    """Read and match bytes; fail when anything that has to hold does not."""
    machine().occasions = Occasions()
    stretch = matched(machine(), format_, data, name, cuts)
    check_lines(format_, data, name)
    check_events(stretch.events)
    return stretch


def check_lines(format_: str, data: bytes, name: str) -> None:
    """See that each line is one row or one bad line, and that what is neither says nothing."""
    reader = reader_of(format_, WANTED, name)
    seen: list[int] = []
    for part in reader.feed(data):
        seen += [part.number] if isinstance(part, BadLine) else map(part.number, range(len(part)))
    assert len(seen) == len(set(seen)), "a line that is read twice"
    lines = (data if format_ == "zeek-tsv" else data.removeprefix(BYTE_ORDER_MARK)).split(b"\n")
    assert reader.lines == len(lines) - (not lines[-1])
    for number in set(range(1, reader.lines + 1)).difference(seen):
        assert says_nothing(format_, lines[number - 1]), (number, lines[number - 1][:200])
    assert reader_of(format_, WANTED, name, reader.state).state == reader.state, "a state that is not taken up again"


def says_nothing(format_: str, line: bytes) -> bool:
    if format_ == "zeek-tsv":
        return line.startswith(b"#") or not line.strip(b"\r")
    if not line.strip():
        return True
    if format_ == "eve":
        return msgspec.json.decode(line, type=_EventType).event_type not in EVENTS
    return isinstance(msgspec.json.decode(line), dict)


class _EventType(msgspec.Struct):
    event_type: str


def check_events(events: Iterable[Event]) -> None:
    for event in events:
        orjson.dumps(to_ecs(event))
        assert is_true(event), (event.trail.kind, event.trail.value, event.observed)


def is_true(event: Event) -> bool:
    """Judge a match anew by the simplest means, from the value that was seen."""
    value, seen = event.trail.value, event.observed
    match event.trail.kind:
        case TrailKind.DOMAIN | TrailKind.TLD:
            return is_below(seen, value)
        case TrailKind.WILDCARD | TrailKind.USER_AGENT_REGEX:
            return re2.search(value, seen.lower()) is not None
        case TrailKind.CIDR:
            return ip_address(seen) in ip_network(value)
        case TrailKind.IP_PORT:
            return value.rpartition(":")[0].strip("[]") == seen
        case TrailKind.URL:
            return seen.removeprefix("www.").startswith(value)
        case TrailKind.HTTP_HOST:
            return seen.removeprefix("www.").startswith(value)
        case TrailKind.PATH:
            return value.partition("?")[0] in seen
        case _:
            return seen.lower() == value


def is_below(name: str, trail: str) -> bool:
    """Tell by labels whether a name is the trail or below it, or the trail's hidden service behind a gateway."""
    labels, parents = name.lower().rstrip(".").split("."), trail.split(".")
    if labels[-len(parents) :] == parents:
        return True
    return parents[-1] == "onion" and f".{trail}." in f".{name.lower()}"
