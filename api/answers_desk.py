"""What the API answers with about what people make of events, and do about them."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from api.answer import Answer, Time, example
from api.assessment import Assessment
from stores.desk.contract import DecisionScope, Verdict
from trailhound.trail import TrailClass, TrailKind

_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2026-02-02T12:00:00.000000Z"
_NEXT = "WyJhdWRpdCIsIjAwMDY0OSJd"


class HistoryEntry(Answer):
    """One step of the triage of a threat."""

    at: Time
    by: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


_ASSESSMENT = {
    "state": "investigating", "reopened": False, "note": "asked the owner of the host", "tags": ["phishing-2026-02"],
    "assignee": "alice", "by": "alice", "at": _TIME, "version": 2,
}  # fmt: skip


class TriageAnswer(Answer):
    """What people made of a threat, and how they came to it, the latest first."""

    model_config = example(
        threat="0f2a5b6c7d8e9f01",
        triage=_ASSESSMENT,
        history=[
            {
                "at": _TIME, "by": "alice", "before": {"threat": "0f2a5b6c7d8e9f01", "state": "new", "by": "bob"},
                "after": {"threat": "0f2a5b6c7d8e9f01", "state": "investigating", "by": "alice"},
            }
        ],
    )  # fmt: skip

    threat: str
    triage: Assessment
    history: tuple[HistoryEntry, ...]


_DECISION = {
    "id": "5f0c1d2e3f405162", "verdict": "block", "scope": "address", "value": "45.155.205.233",
    "reason": "brute force on ssh",
    "by": "key playbook", "made": _TIME, "until": _LATER, "lifted_by": "bob", "in_force": False, "version": 2,
}  # fmt: skip


class DecisionAnswer(Answer):
    """Block or allow a value, because of a reason."""

    model_config = example(**_DECISION)

    id: str
    verdict: Verdict
    scope: DecisionScope
    value: str = Field(description="Canonical: an address, a network, a name.")
    reason: str
    by: str
    made: Time
    until: Time | None = Field(description="When it ends, or was lifted; null: it stays until somebody lifts it.")
    lifted_by: str | None = Field(description="Who lifted it; null when nobody has.")
    in_force: bool
    version: int


class DecisionsAnswer(Answer):
    """Decisions, the oldest first, and the cursor for those that follow (null at the end)."""

    model_config = example(decisions=[_DECISION], next=_NEXT)

    decisions: tuple[DecisionAnswer, ...]
    next: str | None


class ClearedAnswer(Answer):
    """A host that was found clean: only what it does after that puts it on a block list again."""

    model_config = example(address="45.155.205.233", reason="reinstalled", by="alice", at=_TIME, version=1)

    address: str
    reason: str
    by: str
    at: Time
    version: int


class ClearedHostsAnswer(Answer):
    """The hosts that were cleared, by address."""

    model_config = example(
        cleared=[{"address": "45.155.205.233", "reason": "reinstalled", "by": "alice", "at": _TIME, "version": 1}],
        next=_NEXT,
    )

    cleared: tuple[ClearedAnswer, ...]
    next: str | None


_TRAIL = {
    "id": "5f0c1d2e3f405162", "kind": "domain", "trail": "evil.example", "info": "phishing at our suppliers",
    "confidence": 90, "reference": "https://tracker.example/1", "reason": "told by CERT", "by": "alice", "made": _TIME,
    "until": _LATER, "removed_by": "bob", "in_force": False, "version": 2, "class": "phishing",
}  # fmt: skip


class CustomTrailAnswer(Answer):
    """A trail that somebody added."""

    model_config = example(**_TRAIL)

    id: str
    kind: TrailKind
    trail: str = Field(description="Canonical.")
    info: str = Field(description="Name of the threat.")
    class_: TrailClass = Field(alias="class")
    confidence: int
    reference: str
    reason: str
    by: str
    made: Time
    until: Time | None = Field(description="What happens later than that does not meet it; null: it stays.")
    removed_by: str | None = Field(description="Who removed it; null when nobody has.")
    in_force: bool
    version: int


class CustomTrailsAnswer(Answer):
    """Trails that people added, the oldest first, and the cursor for those that follow (null at the end)."""

    model_config = example(trails=[_TRAIL], next=_NEXT)

    trails: tuple[CustomTrailAnswer, ...]
    next: str | None


_EXCEPTION = {
    "id": 3, "trail": "evil.example", "source": "10.0.5.0/24", "level": "hide",
    "reason": "malware lab", "by": "alice",
    "added": _TIME, "until": _LATER, "in_force": True, "version": "9f86d081884c7d65",
}  # fmt: skip


class ExceptionAnswer(Answer):
    """What must not become an event, or must never be blocked."""

    model_config = example(**_EXCEPTION)

    id: int
    value: str | None = Field(default=None, description="A name, an address or a network, with all below it.")
    trail: str | None = Field(default=None, description="One trail, by its value.")
    source: str | None = Field(default=None, description="Whom it holds for, an address or a network; null: for all.")
    level: Literal["hide", "never-block"] = Field(description="No event at all; or an event, but no place on a list.")
    reason: str
    by: str
    added: Time
    until: Time | None
    in_force: bool
    version: str


class ExceptionsAnswer(Answer):
    """The exceptions of this host, those that ran out too."""

    model_config = example(exceptions=[_EXCEPTION])

    exceptions: tuple[ExceptionAnswer, ...]


class AuditAnswer(Answer):
    """One change: who, from where, when, what, of which object."""

    id: str
    at: Time
    who: str
    address: str = Field(description="Where the request came from; empty: the command line of this host.")
    action: str
    object: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class AuditLogAnswer(Answer):
    """Changes, the latest first, and the cursor for those that follow (null at the end)."""

    model_config = example(
        entries=[
            {
                "id": "0006490a1b2c3d4e5f60718293a4b5c6", "at": _TIME, "who": "key playbook", "address": "192.0.2.10",
                "action": "decision.change", "object": "decision/5f0c1d2e3f405162",
                "before": {"verdict": "block", "value": "45.155.205.233", "reason": "noise"},
                "after": {"verdict": "block", "value": "45.155.205.233", "reason": "brute force on ssh"},
            }
        ],
        next=_NEXT,
    )  # fmt: skip

    entries: tuple[AuditAnswer, ...]
    next: str | None
