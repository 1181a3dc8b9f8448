"""What heuristics find, and what they say of themselves."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from trailhound.severity import Severity
from trailhound.trail import TrailClass, TrailKind

SOURCE = "heuristics"  # What an event names as the source of the trail.


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique of MITRE ATT&CK, as of version 17: `id` is "T1046" or "T1071.004", `tactic` the name of a tactic."""

    id: str
    name: str
    tactic: str

    @property
    def reference(self) -> str:
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}/"


class Thresholds(BaseModel):
    """Thresholds of one heuristic: each field has a default, bounds, and a description with the reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One reason of a score: what was looked at, how many of the 100 points it gave, and what it was this time."""

    name: str
    points: float
    said: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a heuristic found, of which one row is the occasion.

    `said` is a clause that begins with a verb; its subject is the source of the record ("tried 12 TCP ports of
    192.0.2.1 in 9 s"). By default the trail is the heuristic itself (`TrailKind.RULE`), as fits what a host does; what
    it does to a name or a URL has that as its `value`, of another `kind`. `observed` is what was seen, `role` where it
    stood, as an ECS field name. `score` (0-100) says how sure it is. `count` counts the records that are meant. `title`
    stands in place of the heuristic's own where the find has a better one.

    With a `key`, finds with the same key whose time lies in the same `window` (microseconds) are one: what is found
    again after a crash is no second event. Without, the row itself is what is found.
    """

    said: str
    score: int
    severity: Severity
    title: str = ""
    value: str = ""
    kind: TrailKind = TrailKind.RULE
    observed: str = ""
    role: str = "rule.name"
    class_: TrailClass = TrailClass.HEURISTIC
    parts: tuple[Part, ...] = ()
    count: int = 1
    start: int | None = None
    end: int | None = None
    key: str = ""
    window: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a heuristic says of itself, and what people read of it.

    `name` is what settings, mutes and `rule.name` call it, `title` what analysts read ("potential port scanning").
    `false_positives` and `silence` say what is taken for it wrongly, and what to do then; `blind` what logs cannot show
    of it. One that is not `enabled` must be asked for.
    """

    name: str
    title: str
    about: str
    technique: Technique | None
    thresholds: type[Thresholds]
    false_positives: tuple[str, ...]
    silence: str
    blind: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and by which heuristic."""

    heuristic: Described
    found: Found
