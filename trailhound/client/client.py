"""The client: one method for each thing that a playbook or a notebook asks for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from trailhound import canonical
from trailhound.client import answers
from trailhound.client.conditions import Conditions, Moment, Words, text
from trailhound.client.connection import Connection
from trailhound.errors import TrailError

AT_ONCE = 1000  # Values that the server takes in one request.
LATEST = "*"


class Client:
    """A Trailhound, by its address and a key (`trailhound keys add`). A context manager.

    What changes something takes `version`: that which was seen, else whatever is there by then. A server that is busy
    is asked again; so is one that could not say whether it made something, and then it makes it once.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8338",
        key: str = "",
        *,
        ca_file: Path | None = None,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Make a client; nothing is sent yet. `ca_file` holds certificates to trust, `timeout` is in seconds."""
        self._server = Connection(url, key, ca_file=ca_file, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._server.close()

    def summary(self, *, compare: bool = True, **conditions: Unpack[Conditions]) -> answers.Summary:
        return self._server.ask("getSummary", answers.Summary, query={"compare": compare, **conditions})

    def timeline(
        self, by: str = "severity", *, interval: str | None = None, **conditions: Unpack[Conditions]
    ) -> answers.Timeline:
        query = {"by": by, "interval": interval, **conditions}
        return self._server.ask("getTimeline", answers.Timeline, query=query)

    def events(
        self, *, order: str = "newest", limit: int | None = None, **conditions: Unpack[Conditions]
    ) -> Iterator[Mapping[str, Any]]:
        """Give events as ECS documents, page by page; without a limit all of them."""
        return self._server.pages("listEvents", dict[str, Any], "events", limit, {"order": order, **conditions})

    def events_page(
        self, *, order: str, limit: int, cursor: str | None = None, conditions: Mapping[str, Any] | None = None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        """Give one page of events, and the cursor of what follows: in the order `ingested` also of what is to come."""
        query = {"order": order, "limit": limit, "cursor": cursor, **(conditions or {})}
        page = self._server.ask("listEvents", answers.Events, query=query)
        return page.events, page.next

    def event(self, event_id: str) -> Mapping[str, Any]:
        return self._server.ask("getEvent", dict[str, Any], event_id=event_id)

    def threats(
        self,
        *,
        order: str = "risk",
        limit: int | None = None,
        state: Words | None = None,
        **conditions: Unpack[Conditions],
    ) -> Iterator[answers.Threat]:
        """Give threats, the strongest first; `state` is that of their triage."""
        query = {"order": order, "state": state, **conditions}
        return self._server.pages("listThreats", answers.Threat, "threats", limit, query)

    def related(self, threat_id: str, *, hours: int = 24, limit: int = 50) -> list[answers.RelatedThreat]:
        """Give threats of about that time that have something in common with one, the most related first."""
        query = {"hours": hours, "limit": limit}
        return self._server.listed("listRelatedThreats", answers.RelatedThreat, "related", query, threat_id=threat_id)

    def triage(self, threat_id: str) -> answers.Triage:
        return self._server.ask("getTriage", answers.Triage, threat_id=threat_id)

    def set_triage(
        self,
        threat_id: str,
        *,
        state: str | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
        assignee: str | None = None,
        version: int | None = None,
    ) -> answers.Triage:
        """Say what to make of a threat; what is None stays as it is."""
        body = {"state": state, "note": note, "tags": None if tags is None else list(tags), "assignee": assignee}
        return self._server.ask("setTriage", answers.Triage, body=body, match=_match(version), threat_id=threat_id)

    def hosts(self, *, limit: int | None = None, **conditions: Unpack[Conditions]) -> Iterator[answers.Host]:
        """Give hosts of the home networks, the one at the highest risk first."""
        return self._server.pages("listHosts", answers.Host, "hosts", limit, conditions)

    def host(self, address: str, **conditions: Unpack[Conditions]) -> answers.HostRisk:
        """Give the risk of one host with what it is made of; 0 for one without threats."""
        return self._server.ask("getHost", answers.HostRisk, query=conditions, address=address)

    def sources(self, *, limit: int = 100, **conditions: Unpack[Conditions]) -> list[answers.Source]:
        return self._server.listed("listSources", answers.Source, "sources", {"limit": limit, **conditions})

    def countries(self, *, limit: int = 20, **conditions: Unpack[Conditions]) -> list[answers.Country]:
        """Count by the country of the outside end; empty where the server has no database of countries."""
        return self._server.listed("listCountries", answers.Country, "countries", {"limit": limit, **conditions})

    def seen_trails(self, *, limit: int = 100, **conditions: Unpack[Conditions]) -> list[answers.SeenTrail]:
        return self._server.listed("listSeenTrails", answers.SeenTrail, "trails", {"limit": limit, **conditions})

    def lookup(self, *values: str) -> list[answers.LookedUp]:
        """Tell of each value what the trails say of it, and what events have it."""
        found: list[answers.LookedUp] = []
        for start in range(0, len(values), AT_ONCE):
            body = {"values": list(values[start : start + AT_ONCE])}
            answer = self._server.ask("lookUpMany", dict[str, list[answers.LookedUp]], body=body)
            found += answer["results"]
        return found

    def observables(self, *values: str) -> answers.Observables:
        """Tell of up to 1,000 values whether they were ever seen in traffic, and how far that memory reaches."""
        return self._server.ask("findObservables", answers.Observables, body={"values": list(values)})

    def decisions(
        self, *, value: str | None = None, verdict: str | None = None, ended_since: Moment | None = None
    ) -> Iterator[answers.Decision]:
        """Give the decisions in force; with `value` those that cover it."""
        query = {"value": value, "verdict": verdict, "ended_since": ended_since}
        return self._server.pages("listDecisions", answers.Decision, "decisions", None, query)

    def decision(self, decision_id: str) -> answers.Decision:
        return self._server.ask("getDecision", answers.Decision, decision_id=decision_id)

    def block(self, value: str, reason: str, *, until: Moment | None = None) -> answers.Decision:
        """Have an address, a range or a domain on the block lists, until a time (or `4h`) or until it is lifted."""
        return self._decide("block", value, reason, until)

    def allow(self, value: str, reason: str, *, until: Moment | None = None) -> answers.Decision:
        """Keep an address, a range or a domain off the block lists, whatever it does."""
        return self._decide("allow", value, reason, until)

    def change_decision(
        self, decision_id: str, *, reason: str | None = None, until: Moment | None = None, version: int | None = None
    ) -> answers.Decision:
        """Give a decision that is in force another end or reason; what is None stays as it is."""
        body = {"reason": reason, "until": None if until is None else text(until)}
        match = _match(version)
        return self._server.ask("changeDecision", answers.Decision, body=body, match=match, decision_id=decision_id)

    def lift(self, decision_id: str, *, version: int | None = None) -> answers.Decision:
        match = _match(version)
        return self._server.ask("liftDecision", answers.Decision, match=match, decision_id=decision_id)

    def unblock(self, value: str) -> list[answers.Decision]:
        """Lift the decisions to block this very value, and give them; blocks of a range that covers it stay."""
        found = [one for one in self.decisions(value=value, verdict="block") if one.value == _canonical(value)]
        return [self.lift(one.id, version=one.version) for one in found]

    def cleared(self) -> Iterator[answers.Cleared]:
        return self._server.pages("listCleared", answers.Cleared, "cleared", None, {})

    def clear(self, address: str, reason: str) -> answers.Cleared:
        """Take a host off the block lists that was found clean; only what it does from now on brings it back."""
        return self._server.ask("clearHost", answers.Cleared, body={"address": address, "reason": reason})

    def forget_cleared(self, address: str, *, version: int | None = None) -> answers.Cleared:
        return self._server.ask("forgetCleared", answers.Cleared, match=_match(version), address=address)

    def custom_trails(self, *, expired_since: Moment | None = None) -> Iterator[answers.CustomTrail]:
        query = {"expired_since": expired_since}
        return self._server.pages("listCustomTrails", answers.CustomTrail, "trails", None, query)

    def add_trail(
        self,
        trail: str,
        info: str,
        reason: str,
        *,
        kind: str | None = None,
        class_: str | None = None,
        confidence: int | None = None,
        reference: str | None = None,
        until: Moment | None = None,
    ) -> answers.CustomTrail:
        """Have a value looked for from now on."""
        body = {
            "trail": trail,
            "kind": kind,
            "info": info,
            "class": class_,
            "confidence": confidence,
            "reference": reference,
            "reason": reason,
            "until": None if until is None else text(until),
        }
        return self._server.ask("addCustomTrail", answers.CustomTrail, body=body)

    def remove_trail(self, trail_id: str, *, version: int | None = None) -> answers.CustomTrail:
        match = _match(version)
        return self._server.ask("removeCustomTrail", answers.CustomTrail, match=match, trail_id=trail_id)

    def exceptions(self) -> list[answers.ExceptionEntry]:
        return self._server.listed("listExceptions", answers.ExceptionEntry, "exceptions", {})

    def add_exception(
        self,
        reason: str,
        *,
        value: str | None = None,
        trail: str | None = None,
        source: str | None = None,
        level: str | None = None,
        until: Moment | None = None,
    ) -> answers.ExceptionEntry:
        """Keep a value, or a trail (of one source), from being an event, or with `never-block` from being blocked."""
        body = {
            "value": value,
            "trail": trail,
            "source": source,
            "level": level,
            "reason": reason,
            "until": None if until is None else text(until),
        }
        return self._server.ask("addException", answers.ExceptionEntry, body=body)

    def remove_exception(self, number: int, *, version: str | None = None) -> answers.ExceptionEntry:
        match = LATEST if version is None else version
        return self._server.ask("removeException", answers.ExceptionEntry, match=match, number=number)

    def audit(self, *, limit: int | None = None, **conditions: Moment) -> Iterator[answers.AuditEntry]:
        """Give changes, the latest first; conditions are `since`, `until`, `who`, `action`, `object`."""
        return self._server.pages("listAudit", answers.AuditEntry, "entries", limit, conditions)

    def sensors(self) -> list[answers.Sensor]:
        return self._server.listed("listSensors", answers.Sensor, "sensors", {})

    def health(self) -> answers.Health:
        return self._server.ask("getApiHealth", answers.Health)

    def fail2ban(self) -> list[str]:
        """Give the addresses of the classic block list, the strongest first."""
        return self._server.send("getFail2banList").text.split()

    def block_list(self, name: str, form: str = "txt") -> str:
        """Give a list of the settings in one of its forms, as firewalls get it."""
        return self._server.send("getList", name=name, form=form).text

    def _decide(self, verdict: str, value: str, reason: str, until: Moment | None) -> answers.Decision:
        ends = None if until is None else text(until)
        body = {"verdict": verdict, "value": value, "reason": reason, "until": ends}
        return self._server.ask("addDecision", answers.Decision, body=body)


def _match(version: int | None) -> str:
    return LATEST if version is None else str(version)


def _canonical(value: str) -> str:
    """Spell a value as decisions do."""
    try:
        return canonical.network(value.strip()).value
    except TrailError:
        return canonical.name(value) or value
