"""What the API answers about hosts of the site."""

from pydantic import Field

from api.answer import Answer, Time, example
from api.answers import Period, SeverityWord
from trailhound.trail import TrailKind

_TACTIC = "Tactic of MITRE ATT&CK; null for what says nothing of how far an attack has come."
_RISK = "0 to 100: see `docs/hosts.md`."


class HostAnswer(Answer):
    """A host of the site, with what its threats add up to."""

    address: str
    risk: float = Field(ge=0, le=100, description=_RISK)
    severity: SeverityWord | None = Field(description="The highest of its threats; null when it has none.")
    threats: int
    count: int = Field(description="True count of records.")
    first: Time | None
    last: Time | None
    tactics: tuple[str, ...] = Field(description="Tactics of MITRE ATT&CK that its threats stand for, as they came.")
    steps: int = Field(description="How many of them followed each other in the order of the kill chain.")


class HostsAnswer(Answer):
    """Hosts, the one at the highest risk first, and the cursor for those that follow (null at the end)."""

    model_config = example(
        period={"since": "2026-01-01T00:00:00.000000Z", "until": "2026-02-01T13:00:00.000000Z"},
        at="2026-02-01T12:00:00.000000Z",
        hosts=[
            {
                "address": "192.168.1.10", "risk": 62.0, "severity": "critical", "threats": 2, "count": 25,
                "first": "2026-02-01T08:00:00.000000Z", "last": "2026-02-01T12:00:00.000000Z",
                "tactics": ["Command and Control", "Discovery"], "steps": 2,
            }
        ],
        total=1,
        approximate=False,
        next="WyJob3N0IHJpc2siLDEsMSwiMSJd",
    )  # fmt: skip

    period: Period
    at: Time = Field(description="As of when risks were worked out.")
    hosts: tuple[HostAnswer, ...]
    total: int
    approximate: bool = Field(description="There are so many threats that the mildest were left out.")
    next: str | None


class HostThreatAnswer(Answer):
    """A threat with what it gives to the risk."""

    id: str
    kind: TrailKind
    trail: str
    info: str
    severity: SeverityWord
    points: float = Field(description="What it adds: its points today, and half of them after each heavier one.")
    count: int
    first: Time
    last: Time


class HostPartAnswer(Answer):
    """The threats of one tactic."""

    tactic: str | None = Field(description=_TACTIC)
    points: float
    threats: int
    count: int
    first: Time
    last: Time
    heaviest: tuple[HostThreatAnswer, ...] = Field(description="At most 50.")


class HostStepAnswer(Answer):
    """A step of the kill chain."""

    tactic: str
    at: Time
    threat: str = Field(description="Id of the threat by which the tactic is known.")


class HostRiskAnswer(HostAnswer):
    """A host with the parts of its risk; they and `chain_points` add up to it, at most 100."""

    model_config = example(
        address="192.168.1.10", risk=62.0, severity="critical", threats=1, count=20,
        first="2026-02-01T08:00:00.000000Z", last="2026-02-01T12:00:00.000000Z", tactics=["Command and Control"],
        steps=1, at="2026-02-01T12:00:00.000000Z", half_life_hours=72.0,
        parts=[
            {
                "tactic": "Command and Control", "points": 50.0, "threats": 1, "count": 20,
                "first": "2026-02-01T08:00:00.000000Z", "last": "2026-02-01T12:00:00.000000Z",
                "heaviest": [
                    {
                        "id": "0f2a", "kind": "domain", "trail": "evil.example", "info": "emotet",
                        "severity": "critical", "points": 50.0, "count": 20,
                        "first": "2026-02-01T08:00:00.000000Z", "last": "2026-02-01T12:00:00.000000Z",
                    }
                ],
            }
        ],
        chain=[{"tactic": "Command and Control", "at": "2026-02-01T08:00:00.000000Z", "threat": "0f2a"}],
        chain_points=0.0,
    )  # fmt: skip

    at: Time = Field(description="As of when it was worked out.")
    half_life_hours: float
    parts: tuple[HostPartAnswer, ...] = Field(description="By tactic, as they came.")
    chain: tuple[HostStepAnswer, ...]
    chain_points: float
