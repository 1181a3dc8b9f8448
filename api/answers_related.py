"""What the API answers with about threats that are related to one."""

from pydantic import Field

from api.answer import Answer, example
from api.answers import Period, ThreatAnswer
from api.related import Relation

_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2026-02-02T12:00:00.000000Z"


class ReasonAnswer(Answer):
    """What two threats have in common."""

    relation: Relation
    value: str = Field(description="The trail, source, registered domain or network that both have.")


class RelatedThreat(Answer):
    """A threat, and why it is related."""

    threat: ThreatAnswer
    reasons: tuple[ReasonAnswer, ...] = Field(description="All of them; the more and the weightier, the further up.")


class RelatedAnswer(Answer):
    """Related threats, the most related first."""

    model_config = example(
        period={"since": _TIME, "until": _LATER},
        related=[
            {
                "threat": {
                    "id": "0f2a", "source": "192.168.1.11", "kind": "domain", "trail": "evil.example",
                    "info": "emotet", "class": "c2", "severity": "critical", "risk": 99001.0, "count": 20,
                    "events": 2, "first": _TIME, "last": _LATER, "direction": "outbound",
                    "destinations": ["192.168.1.1"], "ports": [53], "protocols": ["dns"], "sensors": ["sensor-1"],
                    "sources": ["urlhaus"], "reference": "",
                },
                "reasons": [{"relation": "trail", "value": "evil.example"}],
            }
        ],
    )  # fmt: skip

    period: Period
    related: tuple[RelatedThreat, ...]
