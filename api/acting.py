"""From what people ask for to what a desk keeps, and back."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import TypeVar

import msgspec

from api.answers_desk import (
    AuditAnswer,
    ClearedAnswer,
    CustomTrailAnswer,
    DecisionAnswer,
    ExceptionAnswer,
    HistoryEntry,
)
from api.assessment import Assessment
from api.moments import MOMENT_FORM, duration, moment
from api.problems import field_error
from api.translate import iso
from feeds.hygiene import refusal
from matchers.exceptions import Exemption, Level
from stores import cursors
from stores.desk.asking import is_reopened
from stores.desk.contract import (
    AuditEntry,
    Cleared,
    CustomTrail,
    Decision,
    DecisionScope,
    Triage,
    TriageState,
    Verdict,
)
from trailhound import canonical
from trailhound.canonical import Indicator
from trailhound.errors import TrailError
from trailhound.event import timestamp
from trailhound.record import MICROSECONDS
from trailhound.trail import DETECTED_KINDS, Trail, TrailClass, TrailKind

_Thing = TypeVar("_Thing", Decision, CustomTrail, Cleared)
_ADDRESSES = (TrailKind.IPV4, TrailKind.IPV6)
UNTIL = "When it ends: ISO 8601, or how long from now, such as 4h or 30d. Without it, it stays."


def ending(text: str | None, now: int) -> int | None:
    """Read when something is to end, in microseconds since the epoch. Raises `RequestValidationError`."""
    if text is None:
        return None
    try:
        end = now + duration(text)
    except ValueError:
        try:
            end = moment(text, now)
        except ValueError as error:
            raise field_error("until", str(error).replace("how long ago", "how long from now")) from error
    if not now < end < 253_402_300_800 * MICROSECONDS:
        raise field_error("until", f"a time that is still to come was expected: {MOMENT_FORM}")
    return end


def decided(verdict: Verdict, text: str, homes: Sequence[str]) -> tuple[DecisionScope, str]:
    """Read what is to be blocked or allowed. Raises `RequestValidationError` for what must not be."""
    kind, value = _target(text)
    if verdict is Verdict.BLOCK:
        reason = refusal(Trail(kind, value, "", TrailClass.SUSPICIOUS, ()))
        if reason is None and kind is not TrailKind.DOMAIN and _is_ours(value, homes):
            reason = "a part of the home networks"
        if reason is not None:
            raise field_error("value", f"{value} is not to be blocked: it is {reason}")
    if kind is TrailKind.DOMAIN:
        return DecisionScope.DOMAIN, value
    return (DecisionScope.ADDRESS if kind in _ADDRESSES else DecisionScope.RANGE), value


def _target(text: str) -> Indicator:
    try:
        found = canonical.network(text)
    except TrailError:
        name = canonical.name(text)
        if name is None or "." not in name:
            raise field_error("value", "an address, a network or a name with a dot was expected") from None
        return Indicator(TrailKind.DOMAIN, name)
    if found.value.endswith("/0"):
        raise field_error("value", "a network that is not everything was expected")
    return found


def _is_ours(value: str, homes: Sequence[str]) -> bool:
    asked = ipaddress.ip_network(value)
    networks = map(ipaddress.ip_network, homes)
    return any(home.version == asked.version and home.overlaps(asked) for home in networks)


def host(text: str) -> str:
    """Read the address of a host. Raises `RequestValidationError`."""
    found = canonical.address(text)
    if found is None:
        raise field_error("address", f"an address was expected, not {text[:80]!r}")
    return found


def covering(decisions: Iterable[Decision], text: str) -> list[Decision]:
    """Give those decisions that say something of a value: of itself, of a network around it, of a parent."""
    address = canonical.address(text)
    name = None if address else canonical.name(text)
    return [
        one
        for one in decisions
        if one.value == text.strip()
        or (address is not None and one.scope is not DecisionScope.DOMAIN and _holds(one.value, address))
        or (name is not None and one.scope is DecisionScope.DOMAIN and f".{name}".endswith(f".{one.value}"))
    ]


def _holds(network: str, address: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def custom_value(kind: TrailKind | None, text: str) -> Indicator:
    """Read the value of a trail. Raises `RequestValidationError` for one that would match half the world."""
    if kind in DETECTED_KINDS:
        raise field_error("kind", f"{kind} is what other detectors report, and no kind of trail")
    try:
        found = canonical.indicator(kind, text) if kind is not None else next(iter(canonical.readings(text)), None)
    except TrailError as error:
        raise field_error("trail", str(error)) from error
    if found is None:
        raise field_error("trail", "this can be no trail")
    reason = refusal(Trail(*found, "", TrailClass.SUSPICIOUS, ()))
    if reason is not None:
        raise field_error("trail", f"{found.value} is not to be a trail: it is {reason}")
    return found


def page(
    things: Sequence[_Thing], key: Callable[[_Thing], tuple[int | str, ...]], limit: int, cursor: str | None, order: str
) -> tuple[Sequence[_Thing], str | None]:
    """Cut a page out of things that are in the order of their keys, and say where the next one begins."""
    if cursor is not None:
        shape = tuple(type(part) for part in key(things[0])) if things else (int, str)
        after = cursors.read(cursor, order, shape)
        things = [one for one in things if key(one) > after]
    more = len(things) > limit
    return things[:limit], cursors.write(order, key(things[limit - 1])) if more else None


def assessment(triage: Triage, last: int | None) -> Assessment:
    """Say what people made of a threat whose last event was then."""
    reopened = is_reopened(triage, last)
    return Assessment(
        state=TriageState.NEW if reopened else triage.state,
        reopened=reopened,
        note=triage.note,
        tags=triage.tags,
        assignee=triage.assignee,
        by=triage.by,
        at=iso(triage.at) if triage.version else None,
        version=triage.version,
    )


def step(entry: AuditEntry) -> HistoryEntry:
    return HistoryEntry(at=timestamp(entry.at), by=entry.who, before=entry.before, after=entry.after)


def decision(one: Decision, now: int) -> DecisionAnswer:
    return DecisionAnswer(
        id=one.id,
        verdict=one.verdict,
        scope=one.scope,
        value=one.value,
        reason=one.reason,
        by=one.by,
        made=timestamp(one.made),
        until=iso(one.ends),
        lifted_by=one.lifted_by or None,
        in_force=one.in_force(now),
        version=one.version,
    )


def cleared(one: Cleared) -> ClearedAnswer:
    return ClearedAnswer(address=one.address, reason=one.reason, by=one.by, at=timestamp(one.at), version=one.version)


def custom_trail(one: CustomTrail, now: int) -> CustomTrailAnswer:
    return CustomTrailAnswer(
        id=one.id,
        kind=one.kind,
        trail=one.value,
        info=one.info,
        class_=one.class_,
        confidence=one.confidence,
        reference=one.reference,
        reason=one.reason,
        by=one.by,
        made=timestamp(one.made),
        until=iso(one.expires),
        removed_by=one.removed_by or None,
        in_force=one.in_force(now),
        version=one.version,
    )


def exception(entry: Exemption, now: int) -> ExceptionAnswer:
    until = None if entry.until is None else micros(entry.until.timestamp())
    return ExceptionAnswer(
        id=entry.id,
        value=entry.value or None,
        trail=entry.trail or None,
        source=entry.source or None,
        level="never-block" if entry.level is Level.NEVER_BLOCK else "hide",
        reason=entry.reason,
        by=entry.by,
        added=timestamp(micros(entry.added.timestamp())),
        until=iso(until),
        in_force=until is None or now < until,
        version=exception_version(entry),
    )


def exception_version(entry: Exemption) -> str:
    """Tell this content of an entry from every other: people may change the file by hand."""
    return blake2b(msgspec.json.encode(entry), digest_size=8).hexdigest()


def micros(seconds: float) -> int:
    return round(seconds * MICROSECONDS)


def audit(entry: AuditEntry) -> AuditAnswer:
    return AuditAnswer(
        id=entry.id,
        at=timestamp(entry.at),
        who=entry.who,
        address=entry.address,
        action=entry.action,
        object=entry.object,
        before=entry.before,
        after=entry.after,
    )
