"""Names with a part that is long and looks made by a machine, in DNS and in TLS: data may travel in them."""

from collections.abc import Collection, Iterator, Sequence

from pydantic import Field

from matchers.asked import Asked
from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import lookups
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.letters import is_mostly_digits, letters
from matchers.heuristics.windows import Lately
from matchers.view import View, rows_of
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_DAY = 24 * 3600 * MICROSECONDS
_ROLES = {"query": "dns.question.name", "server_name": "tls.client.server_name"}
_HEX = frozenset("0123456789abcdef")
_DIGESTS = frozenset({32, 40, 64})  # Digits of an MD5, a SHA-1, a SHA-256: content networks name things by them.


class LongName(Thresholds):
    """From where on a name is long, and made by a machine."""

    label: int = Field(
        default=30,
        ge=16,
        le=63,
        description="Longest label, in characters, that people choose: of a million popular names none in a thousand"
        " has a longer one.",
    )
    name: int = Field(
        default=110,
        ge=40,
        le=250,
        description="Longest name before its zone, in characters: longer ones leave room for little but data.",
    )
    letters: float = Field(
        default=-8,
        le=0,
        description="Labels whose letters weigh less look made by a machine; one in a hundred good names does.",
    )


class _Watcher:
    def __init__(self, thresholds: LongName, surroundings: Surroundings) -> None:
        del surroundings
        self._thresholds = thresholds
        self._asked = Asked(self._long, capacity=16_384)
        self._told: Lately[tuple[str, str]] = Lately(_DAY, capacity=10_000)

    def held(self) -> int:
        return len(self._told)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        name = "query" if view.log == "dns" else "server_name"
        column = view.column(name)
        if column is None:
            return
        for row in rows_of(self._asked.hot(view, name, view.distinct(name)), column):
            found = self._found(view, row, lookups.name(view.text(name, column[row]) or "") or "")
            if found is not None:
                yield row, found

    def _found(self, view: View, row: int, name: str) -> Found | None:
        zone = lookups.zone(name)
        source = lookups.asker(view, row) if view.log == "dns" else view.text("id.orig_h", _end(view, row))
        if zone is None or source is None or not self._told.new({(source, zone)}, view.time(row)):
            return None
        role = _ROLES["query" if view.log == "dns" else "server_name"]
        verb = "asked for" if view.log == "dns" else "opened TLS to"
        return Found(
            said=f"{verb} {name}, in which {len(name) - len(zone) - 1} characters stand before {zone}",
            score=35,
            severity=Severity.LOW,
            value=zone,
            kind=TrailKind.DOMAIN,
            observed=name,
            role=role,
            key=f"{source} {zone}",
            window=_DAY,
        )

    def _long(self, texts: Sequence[str]) -> Collection[str]:
        label, name = self._thresholds.label, self._thresholds.name
        return {text for text in texts if (lookups.longest(text) > label or len(text) > name) and self._is_long(text)}

    def _is_long(self, text: str) -> bool:
        name = lookups.name(text)
        if name is None or lookups.is_local(name) or lookups.is_busy(name):
            return False
        zone = lookups.zone(name)
        if zone is None or zone == name or lookups.is_black_list_question(name):
            return False
        before = name[: -len(zone) - 1]
        if len(before) > self._thresholds.name:
            return True
        label = max(before.split("."), key=len)
        return len(label) > self._thresholds.label and "-" not in label and self._is_made(label)

    def _is_made(self, label: str) -> bool:
        if len(label) in _DIGESTS and _HEX.issuperset(label):
            return False
        return is_mostly_digits(label) or letters().score(label) < self._thresholds.letters


def _end(view: View, row: int) -> object:
    column = view.column("id.orig_h")
    return column[row] if column is not None else None


LONG_NAME = Heuristic(
    name="long-name",
    title="long domain",
    about="A name has a part that is long and looks made by a machine: data may leave, or orders come, by names.",
    reads={
        "dns": (*lookups.ENDS, "query"),
        "ssl": ("id.orig_h", "server_name"),
        "quic": ("id.orig_h", "server_name"),
    },
    technique=Technique("T1071.004", "Application Layer Protocol: DNS", "Command and Control"),
    thresholds=LongName,
    start=_Watcher,
    false_positives=("Content networks and telemetry that give each client a name of its own",),
    silence="Whitelist the zone, or mute `long-name` with the zone as its `value`.",
    blind="Names in DNS over TLS or HTTPS; in TLS with encrypted client hello.",
)
