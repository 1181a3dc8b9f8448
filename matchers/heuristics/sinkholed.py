"""Names that were answered with the address of a sinkhole or of a parking site, as trails know these addresses.

The answer meets a trail already; here the name becomes what is reported, since it says more than the address, which
thousands of names share. The event of the trail itself is not made then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matchers.findings import Found, Technique, Thresholds
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.rules import Meeting
from matchers.view import View
from trailhound import canonical
from trailhound.record import Record
from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

_READS: Mapping[str, tuple[str, ...]] = {"dns": ("query", "answers")}  # Which trails are met in anyway.


class Nothing(Thresholds):
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class _Watcher:
    class_: TrailClass
    severity: Severity
    score: int

    def held(self) -> int:
        return 0

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        del view  # What trails meet in a record is all that counts.
        return iter(())

    def turn(self, meeting: Meeting, record: Record) -> Found | None:
        if meeting.trail.class_ is not self.class_ or meeting.sighting.role != "dns.answers.data":
            return None
        name = canonical.name(record.text("query") or "")
        if name is None:
            return None
        return Found(
            said=f"asked for {name}, which is answered with {meeting.observed}",
            score=self.score,
            severity=self.severity,
            title=_sinkholed_by(meeting.trail.info) if self.class_ is TrailClass.SINKHOLE else "",
            value=name,
            kind=TrailKind.DOMAIN,
            observed=name,
            role="dns.question.name",
            class_=self.class_,
        )


def _sinkholed_by(info: str) -> str:
    """Write "sinkhole testsink (malware)" as "sinkholed by testsink"."""
    owner = info.partition("(")[0].strip().removeprefix("sinkhole").strip()
    return f"sinkholed by {owner}" if owner else ""


def _sinkhole(_: Nothing, __: Surroundings) -> _Watcher:
    return _Watcher(TrailClass.SINKHOLE, Severity.HIGH, 90)


def _parked(_: Nothing, __: Surroundings) -> _Watcher:
    return _Watcher(TrailClass.PARKED, Severity.LOW, 40)


SINKHOLED = Heuristic(
    name="sinkholed",
    title="sinkholed",
    about="A name is answered with the address of a sinkhole: it was malware's, and whoever asks for it is infected.",
    reads=_READS,
    technique=Technique("T1071", "Application Layer Protocol", "Command and Control"),
    thresholds=Nothing,
    start=_sinkhole,
    false_positives=("Analysts and scanners of the site that look names up", "Mail servers that look up senders"),
    silence="Mute `sinkholed` for the address of who looks names up, or with the name as its `value`.",
    blind="Sinkholes that no trail knows.",
)
PARKED = Heuristic(
    name="parked",
    title="parked site",
    about="A name is answered with the address of a parking site: it is for sale, was given up, or waits for its use.",
    reads=_READS,
    technique=None,
    thresholds=Nothing,
    start=_parked,
    false_positives=("Typing errors", "Old links"),
    silence="Mute `parked` as a whole, or with the name as its `value`.",
    blind="Parking sites that no trail knows.",
)
