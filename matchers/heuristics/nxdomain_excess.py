"""Clients that ask for many names that do not exist: under one zone, or in many as malware seeks its master."""

from collections.abc import Iterator

from pydantic import Field

from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import lookups
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.windows import Crossing, Distinct, Lately
from matchers.view import View
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_MOST = 20_000  # Zones of clients.
_MOST_CLIENTS = 50_000
_MOST_ITEMS = 40_000


class NxdomainExcess(Thresholds):
    """From where on names that do not exist are too many."""

    names: int = Field(
        default=20,
        ge=3,
        le=10_000,
        description="More distinct names than these under one zone; who mistypes a name tries it two or three times.",
    )
    zones: int = Field(
        default=25,
        ge=3,
        le=10_000,
        description="Names in more distinct zones than these; dead links of an hour's browsing are under ten.",
    )
    seconds: int = Field(
        default=3600, ge=60, le=86_400, description="Within so many seconds: malware tries its names at leisure."
    )


class _Watcher:
    def __init__(self, thresholds: NxdomainExcess, surroundings: Surroundings) -> None:
        window = thresholds.seconds * MICROSECONDS
        self._window = window
        self._lately: Lately[tuple[str, str]] = Lately(window, capacity=20_000)
        self._names: Distinct[tuple[str, str], str] = Distinct(
            window, thresholds.names, surroundings.slack, _MOST, _MOST_ITEMS
        )
        self._zones: Distinct[str, str] = Distinct(
            window, thresholds.zones, surroundings.slack, _MOST_CLIENTS, _MOST_ITEMS
        )

    def held(self) -> int:
        return len(self._lately) + len(self._names) + len(self._zones)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for row, client, name in lookups.denied(view):
            time = view.time(row)
            zone = lookups.registered(name)
            if zone is None or not self._lately.new({(client, name)}, time):
                continue
            before = name[: -len(zone) - 1]
            if lookups.is_busy(name) or lookups.is_black_list_question(name) or lookups.holds_whole_name(before):
                continue
            crossing = self._names.add((client, zone), name, time)
            if crossing is not None:
                yield row, self._under(client, zone, crossing)
            crossing = self._zones.add(client, zone, time)
            if crossing is not None:
                yield row, self._across(client, crossing)

    def _under(self, client: str, zone: str, crossing: Crossing[str]) -> Found:
        return Found(
            said=f"asked for {len(crossing.items)} names under {zone} that do not exist",
            score=40,
            severity=Severity.LOW,
            value=zone,
            kind=TrailKind.DOMAIN,
            observed=crossing.items[-1],
            role="dns.question.name",
            count=len(crossing.items),
            start=crossing.start,
            end=crossing.end,
            key=f"{client} {zone}",
            window=self._window,
        )

    def _across(self, client: str, crossing: Crossing[str]) -> Found:
        named = ", ".join(crossing.items[-3:])
        return Found(
            said=f"asked for names in {len(crossing.items)} zones that do not exist, of late {named}",
            score=55,
            severity=Severity.MEDIUM,
            count=len(crossing.items),
            start=crossing.start,
            end=crossing.end,
            key=client,
            window=self._window,
        )


NXDOMAIN_EXCESS = Heuristic(
    name="nxdomain-excess",
    title="excessive no such domain",
    about="A client asks for many names that do not exist, under one zone or in many: malware that looks for its master"
    " by generated names does, and who enumerates a zone.",
    reads={"dns": lookups.DENIED},
    technique=Technique("T1568.002", "Dynamic Resolution: Domain Generation Algorithms", "Command and Control"),
    thresholds=NxdomainExcess,
    start=_Watcher,
    false_positives=(
        "Resolvers and mail servers, which ask for everybody",
        "Crawlers and link checkers",
        "Programs with a list of servers that are gone",
    ),
    silence="Mute `nxdomain-excess` for the address of the resolver or mail server, or whitelist the zone.",
    blind="Where the sensor sees only a resolver ask, its clients cannot be told apart. Answers without a question, of"
    " which Zeek does not log the name.",
)
