"""Threats together with what people made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from api import acting
from api.access.principal import Principal
from api.access.sight import sees_all_of
from api.answers import ThreatAnswer
from api.assessment import Assessment
from stores.contract import Query, Store, ThreatPage
from stores.desk import Desk
from stores.desk.asking import is_reopened
from stores.desk.contract import Triage, TriageState

NOTHING = ThreatPage((), 0, None)
_SAID = tuple(state for state in TriageState if state is not TriageState.NEW)


def narrowed(query: Query, states: Sequence[TriageState], desk: Desk, store: Store) -> Query | None:
    """Narrow a query to threats in one of these states; None when there is no such threat at all."""
    wanted = set(states)
    if not wanted or wanted == set(TriageState):
        return query
    said = _states(desk.triaged(_SAID), store)
    if TriageState.NEW in wanted:
        return replace(query, not_threats=tuple(threat for threat, state in said.items() if state not in wanted))
    threats = tuple(threat for threat, state in said.items() if state in wanted)
    return replace(query, threats=threats) if threats else None


def _states(said: Sequence[Triage], store: Store) -> Mapping[str, TriageState]:
    """Give the states as they are now: what was resolved and has happened again is new."""
    lasts = _lasts(said, store)
    return {one.threat: TriageState.NEW if is_reopened(one, lasts.get(one.threat)) else one.state for one in said}


def _lasts(said: Sequence[Triage], store: Store) -> Mapping[str, int]:
    resolved = [one.threat for one in said if one.state is TriageState.RESOLVED]
    return store.lasts(resolved) if resolved else {}


def assessed(
    threats: Sequence[ThreatAnswer], desk: Desk, store: Store, principal: Principal
) -> tuple[ThreatAnswer, ...]:
    """Add to threats what people made of them, as far as this principal may read it."""
    said = desk.triages([one.id for one in threats])
    lasts = _lasts(list(said.values()), store)
    found = {name: acting.assessment(triage, lasts.get(name)) for name, triage in said.items()}
    return tuple(
        one.model_copy(update={"triage": legible(found[one.id], principal, one.source)}) if one.id in found else one
        for one in threats
    )


def legible(assessment: Assessment, principal: Principal, source: str | None) -> Assessment:
    """Leave the state alone to whoever may not see every event of a threat: words may be of other networks."""
    if sees_all_of(principal, source):
        return assessment
    return assessment.model_copy(update={"note": "", "tags": (), "assignee": "", "by": "", "at": None})


def assessment(triage: Triage, store: Store) -> Assessment:
    """Say what people made of one threat."""
    return acting.assessment(triage, _lasts([triage], store).get(triage.threat))
