"""Clients that ask in vain for names whose letters look drawn by a machine: malware that looks for its master."""

from collections.abc import Iterator

from pydantic import Field

from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics import lookups
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.letters import letters
from matchers.heuristics.windows import Crossing, Distinct, Lately
from matchers.view import View
from trailhound.record import MICROSECONDS
from trailhound.severity import Severity

_MOST = 20_000  # Clients, and names of them.
_SHORTEST = 6  # Characters: shorter labels are abbreviations, and as random as they please.
_PUNYCODE = "xn--"


class GeneratedName(Thresholds):
    """From where on names are taken for generated."""

    letters: float = Field(
        default=-8,
        le=0,
        description="Labels whose letters weigh less look made by a machine: one in a hundred good names does, and"
        " three in four of twelve random letters.",
    )
    names: int = Field(
        default=4,
        ge=2,
        le=1000,
        description="So many distinct ones that do not exist: one may be a typing error or a dead tracker.",
    )
    seconds: int = Field(
        default=3600, ge=60, le=86_400, description="Within so many seconds: malware tries its names at leisure."
    )


class _Watcher:
    def __init__(self, thresholds: GeneratedName, surroundings: Surroundings) -> None:
        window = thresholds.seconds * MICROSECONDS
        self._window = window
        self._letters = thresholds.letters
        self._lately: Lately[tuple[str, str]] = Lately(window, capacity=20_000)
        self._names: Distinct[str, str] = Distinct(window, thresholds.names - 1, surroundings.slack, _MOST, _MOST)

    def held(self) -> int:
        return len(self._lately) + len(self._names)

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        for row, client, name in lookups.denied(view):
            zone = lookups.registered(name)
            if zone is None or not self._lately.new({(client, zone)}, view.time(row)):
                continue
            if not self._is_generated(zone.partition(".")[0]) or lookups.is_busy(name):
                continue
            crossing = self._names.add(client, zone, view.time(row))
            if crossing is not None:
                yield row, self._found(client, crossing)

    def _is_generated(self, label: str) -> bool:
        if len(label) < _SHORTEST or label.startswith(_PUNYCODE):
            return False
        return letters().score(label) < self._letters

    def _found(self, client: str, crossing: Crossing[str]) -> Found:
        named = ", ".join(crossing.items[-4:])
        return Found(
            said=f"asked in vain for {len(crossing.items)} names that look generated, of late {named}",
            score=70,
            severity=Severity.MEDIUM,
            observed=crossing.items[-1],
            role="dns.question.name",
            count=len(crossing.items),
            start=crossing.start,
            end=crossing.end,
            key=client,
            window=self._window,
        )


GENERATED_NAME = Heuristic(
    name="generated-name",
    title="generated names: no such domain",
    about="A client asks in vain for several names whose letters look drawn by a machine, as malware does that finds"
    " its master by the date.",
    reads={"dns": lookups.DENIED},
    technique=Technique("T1568.002", "Dynamic Resolution: Domain Generation Algorithms", "Command and Control"),
    thresholds=GeneratedName,
    start=_Watcher,
    false_positives=(
        "Names that abbreviate words of languages which the model does not know",
        "Resolvers, which ask for everybody",
    ),
    silence="Mute `generated-name` for the address of the client or resolver, or give `letters` a lower threshold.",
    blind="Names made of words or of syllables; of these `nxdomain-excess` sees how many there are. Names that exist.",
)
