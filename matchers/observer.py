"""What an observer says of a log type: where an indicator could stand, and what a record means in ECS.

Observing, matching and reacting are three things. An observer only observes: `probes` name the columns that are worth a
look in every row, `observe` lists all sightings of one record, in the order in which they count.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import blake2b
from typing import Any

from trailhound.record import Record


class Sight(Enum):
    """What kind of value is seen."""

    NAME = auto()
    ADDRESS = auto()
    URL = auto()
    AGENT = auto()
    CERTIFICATE = auto()
    JA3 = auto()
    JA3S = auto()
    JA4 = auto()
    FILE = auto()
    EMAIL = auto()
    # What another detector found; no trail is looked for.
    DETECTION = auto()


class Repeat(Enum):
    """How sightings of one occasion (a connection, a look-up) in several records count.

    `ALWAYS` counts. `PREVIEW` and `ONCE` count unless the occasion is known. `OPENS` counts unless a preview did.
    `CLOSES` counts unless another kind of record made it known. So a connection whose address was reported from
    http.log is not reported again when conn.log has it, an answer in EVE does not count the look-up that its query
    counted, and an alert does not count what the event beside it counts.
    """

    ALWAYS = auto()
    PREVIEW = auto()
    ONCE = auto()
    OPENS = auto()
    CLOSES = auto()


@dataclass(frozen=True, slots=True)
class Sighting:
    """One value seen in a record that could be an indicator.

    `value` is as the log has it (text). `role` says where it stood, as an ECS field name. For an address, `port` is the
    port on its side. For a URL, `value` is the authority and `path` the rest.
    """

    sight: Sight
    value: str
    role: str
    repeat: Repeat = Repeat.ALWAYS
    occasion: str = ""
    port: int | None = None
    path: str = ""


class Probe(Enum):
    """How the engine looks at a column, once for each distinct value: could this be an indicator."""

    ADDRESS = auto()
    # A name or an address, as DNS answers are.
    NAME = auto()
    # A name with, possibly, a port: it may also be the host of a URL.
    HOST = auto()
    PATH = auto()
    # A path without its query, which the engine asks about first: it repeats where whole URLs do not.
    BARE_PATH = auto()
    URL = auto()
    # A URL of which only the host is looked at.
    REFERRER = auto()
    AGENT = auto()
    HASH = auto()
    # The subject of a certificate, which holds a name.
    SUBJECT = auto()
    # Addresses that proxies add to a request.
    FORWARDED = auto()
    EMAIL = auto()


@dataclass(frozen=True, slots=True)
class Observer:
    """One log type.

    `ecs` maps ECS names to Zeek fields; `derive` adds what needs more than a copy. `answered` tells whether the other
    side replied, None when this log cannot say. `suricata` names the EVE event type that the log is translated from.
    """

    log: str
    probes: Mapping[str, Probe]
    observe: Callable[[Record], Iterator[Sighting]]
    ecs: Mapping[str, str] = field(default_factory=dict)
    derive: Callable[[Record], dict[str, Any]] = lambda _: {}
    answered: Callable[[Record], bool | None] = lambda _: None
    protocol: str | None = None
    suricata: str | None = None


# Characters of a value above which its hash is remembered in its place: URLs can be as long as a client likes.
_LONG = 200
# The two ends of a connection, which most logs have.
ENDS: Mapping[str, Probe] = {"id.orig_h": Probe.ADDRESS, "id.resp_h": Probe.ADDRESS}


def ends(record: Record, repeat: Repeat = Repeat.ONCE) -> Iterator[Sighting]:
    """See the two ends of a record's connection, the destination first."""
    occasion = record.text("uid") or ""
    if not occasion:
        repeat = Repeat.ALWAYS
    for side, role in (("resp", "destination.ip"), ("orig", "source.ip")):
        address = record.text(f"id.{side}_h")
        if address:
            yield Sighting(Sight.ADDRESS, address, role, repeat, occasion, record.number(f"id.{side}_p"))


def told_twice(record: Record, value: str) -> tuple[Repeat, str]:
    """Give `repeat` and `occasion` of a value that Suricata tells in an alert and in the event beside it."""
    if record.module != "suricata":
        return Repeat.ALWAYS, ""
    if len(value) > _LONG:
        value = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return (Repeat.PREVIEW if record.log == "alert" else Repeat.OPENS), f"{record.text('uid')} {value}"
