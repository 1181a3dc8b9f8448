"""Tunnels in DNS: one host asks in one zone for many names, each another, that carry data in long labels.

Names that could carry data are few, so only their rows are looked at; each name is asked about once.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from matchers.asked import Asked
from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics import lookups
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.letters import is_mostly_digits, letters
from matchers.heuristics.windows import ANOTHER_CAPTURE
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_MOST = 2000  # Pairs of client and zone, of which each remembers as many names as the threshold says.
_DIRECT = "dnscat"  # Stands first in the names of dnscat2 when it asks its server itself, without a zone.
_SHARE = 0.95
_ROOM = frozenset({"TXT", "NULL", "CNAME", "MX", "SRV", "KEY", "DNSKEY", "PRIVATE"})  # Types of answers with room.


class DnsTunnel(Thresholds):
    """From where on names are a tunnel."""

    names: int = Field(
        default=150,
        ge=20,
        le=1000,
        description="So many distinct names: a page with all it loads asks for fewer in one zone.",
    )
    label: int = Field(
        default=20, ge=10, le=63, description="Characters of the label that carries data; shorter ones carry little."
    )
    entropy: float = Field(
        default=3, ge=0, le=6, description="Bits a character of that label: base 16 has up to 4, base 32 up to 5."
    )
    bytes: int = Field(default=6144, ge=0, description="Characters in all names before their zone.")
    at_once: int = Field(
        default=65_536, ge=0, description="Characters that need no time to be a tunnel: no page has so many in names."
    )
    span: int = Field(default=120, ge=0, le=3600, description="Seconds from first to last: a page is loaded by then.")
    seconds: int = Field(default=900, ge=60, le=86_400, description="Within so many seconds.")


@dataclass(slots=True)
class _Talk:
    """What one client asked for in one zone, as `sensor` and others saw it.

    The first names are kept, as their hashes: `queries` says how many questions they took. `more` counts those after.
    """

    start: int
    end: int
    sensor: str
    names: set[int] = field(default_factory=set)
    queries: int = 0
    more: int = 0
    characters: int = 0
    with_room: int = 0
    is_told: bool = False


class _Watcher:
    def __init__(self, thresholds: DnsTunnel, surroundings: Surroundings) -> None:
        self._thresholds = thresholds
        self._window = thresholds.seconds * MICROSECONDS
        self._slack = surroundings.slack
        self._asked = Asked(self._carrying, capacity=16_384)
        self._talks: dict[tuple[str, str], _Talk] = {}

    def held(self) -> int:
        return len(self._talks)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        column = view.column("query")
        if column is None:
            return
        cells = self._asked.hot(view, "query", view.distinct("query"))
        if not cells:
            return
        kinds, types = view.column("dns.type"), view.column("qtype_name")
        for row in rows_of(cells, column):
            if kinds is not None and kinds[row] == "answer":
                continue  # Suricata tells of the question before.
            name, client = _name(view.text("query", column[row]) or ""), lookups.asker(view, row)
            zone = _zone(name) if name is not None else None
            if name is None or zone is None or client is None:
                continue
            talk = self._talk((client, zone), view.time(row), view.sensor)
            if talk is None or talk.is_told:
                continue
            with_room = types is not None and (view.text("qtype_name", types[row]) or "").upper() in _ROOM
            if self._is_known(talk, name, view.sensor):
                continue
            talk.characters += max(len(name) - len(zone) - 1, 0)
            talk.with_room += with_room
            if self._is_tunnel(talk):
                talk.is_told = True
                yield row, self._found(talk, client, zone, name)

    def _talk(self, key: tuple[str, str], time: int, sensor: str) -> _Talk | None:
        """Give what was asked lately under a key, begun anew when it is over; None for what comes too late."""
        talk = self._talks.pop(key, None)
        if talk is None or time - talk.start >= self._window or talk.end - time >= ANOTHER_CAPTURE:
            if len(self._talks) >= _MOST:
                del self._talks[next(iter(self._talks))]
            talk = _Talk(time, time, sensor)
        self._talks[key] = talk
        if time < talk.end - self._window - self._slack:
            return None
        talk.start, talk.end = min(talk.start, time), max(talk.end, time)
        return talk

    def _is_known(self, talk: _Talk, name: str, sensor: str) -> bool:
        """Note a question; tell whether its name was there before."""
        if len(talk.names) >= self._thresholds.names:
            talk.more += sensor == talk.sensor
            return sensor != talk.sensor
        mark = hash(name)
        is_known = mark in talk.names
        talk.queries += not is_known or sensor == talk.sensor  # What another sensor saw too is no repeat.
        talk.names.add(mark)
        return is_known

    def _is_tunnel(self, talk: _Talk) -> bool:
        asked = self._thresholds
        names = len(talk.names)
        if names < asked.names or names < _SHARE * talk.queries or talk.characters < asked.bytes:
            return False
        return talk.end - talk.start >= asked.span * MICROSECONDS or talk.characters >= asked.at_once

    def _found(self, talk: _Talk, client: str, zone: str, name: str) -> Found:
        seconds = max(1, round((talk.end - talk.start) / MICROSECONDS))
        names = len(talk.names) + talk.more
        room = talk.with_room / names
        parts = (
            Part("names", 45, f"{names} distinct names"),
            Part("bytes", round(min(20.0, 20 * talk.characters / self._thresholds.at_once), 1), f"{talk.characters:,}"),
            Part("types", round(25 * room, 1), f"{room:.0%} for types with room for data"),
        )
        return Found(
            said=f"asked for {names} distinct names under {zone} that could carry {talk.characters:,} bytes in"
            f" {seconds} s",
            score=round(sum(part.points for part in parts)) + 10,
            severity=Severity.HIGH,
            value=zone,
            kind=TrailKind.DOMAIN,
            observed=name,
            role="dns.question.name",
            parts=(*parts, Part("span", 10, f"{seconds} s")),
            count=talk.queries + talk.more,
            start=talk.start,
            end=talk.end,
            key=f"{client} {zone}",
            window=self._window,
        )

    def _carrying(self, texts: Sequence[str]) -> Collection[str]:
        shortest = self._thresholds.label
        return {text for text in texts if lookups.longest(text) >= shortest and self._carries(text)}

    def _carries(self, text: str) -> bool:
        name = _name(text)
        if name is None or lookups.is_local(name) or lookups.is_busy(name) or lookups.is_black_list_question(name):
            return False
        zone = _zone(name)
        if zone is None or zone == name:
            return False
        label = max(name.removesuffix(zone).split("."), key=len)
        if len(label) < self._thresholds.label or entropy(label) < self._thresholds.entropy:
            return False
        return is_mostly_digits(label) or letters().score(label) < 0


def _zone(name: str) -> str | None:
    """Give the zone in which a name carries data; where nobody delegates it, its last two labels."""
    if name.startswith(f"{_DIRECT}."):
        return _DIRECT
    return lookups.name(lookups.zone(name) or ".".join(name.rsplit(".", 2)[-2:]))


def _name(text: str) -> str | None:
    """Give a name in its canonical form, or, if it is none, as it is: tunnels use what characters they like."""
    return lookups.name(text) or (text.lower().strip(".") if len(text) <= lookups.LONGEST else None)


def entropy(text: str) -> float:
    """Give the entropy of a text in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


DNS_TUNNEL = Heuristic(
    name="dns-tunnel",
    title="potential dns tunneling",
    about="One host asks in one zone for many names that are never asked for twice and carry data in long labels.",
    reads={"dns": (*lookups.ENDS, "query", "qtype_name", "dns.type")},
    technique=Technique("T1071.004", "Application Layer Protocol: DNS", "Command and Control"),
    thresholds=DnsTunnel,
    start=_Watcher,
    false_positives=("Reputation services and telemetry that ask by name", "A VPN over DNS that the site wants"),
    silence="Whitelist the zone, or mute `dns-tunnel` with the zone as its `value`.",
    blind="Tunnels slower than the window allows, of which the analyses over hours know more; DNS over TLS or HTTPS.",
)
