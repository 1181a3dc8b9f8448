"""The conditions of a query, from typed and bounded parameters."""

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BeforeValidator, Field

from api.answers import SeverityWord
from api.moments import MOMENT_FORM, moment
from api.problems import parameter_error
from stores import contract
from stores.search.parse import MAX_LENGTH, parse
from trailhound import canonical
from trailhound.errors import SearchError, TrailError
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailGroup, TrailKind

MAX_VALUES = 50


def _moment(text: str) -> str:
    moment(text, now=0)
    return text


def _network(text: str) -> str:
    try:
        return canonical.network(text.strip()).value
    except TrailError as error:
        raise ValueError(f"{text!r} is not an address or network such as 192.0.2.1 or 192.0.2.0/24") from error


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Moment = Annotated[str, Field(max_length=40), AfterValidator(_moment)]
Network = Annotated[str, Field(max_length=64), AfterValidator(_network)]
Group = Annotated[TrailGroup, BeforeValidator(_upper)]
Word = Annotated[str, Field(min_length=1, max_length=255)]
Value = Annotated[str, Field(min_length=1, max_length=canonical.MAX_TEXT)]


def _many(description: str, example: str, alias: str | None = None) -> object:
    """Describe a parameter that can be repeated; its values are alternatives."""
    return Query(
        max_length=MAX_VALUES,
        alias=alias,
        description=description,
        openapi_examples={example: {"value": [example]}},
    )


Text = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=256,
        description="Text in trail, info, observed value, message, addresses or sensor, in upper or lower case.",
    ),
]


def _search(text: str) -> str:
    try:
        parse(text)
    except SearchError as error:
        raise ValueError(str(error)) from error
    return text


Search = Annotated[
    str | None,
    Query(
        max_length=MAX_LENGTH,
        description="A search as in the console, such as `sev:>=high (src:10.0.0.0/8 OR class:c2) -info:tor*`.",
        openapi_examples={"search": {"value": "sev:>=high (src:10.0.0.0/8 OR class:c2) -info:tor*"}},
    ),
    AfterValidator(lambda text: None if text is None else _search(text)),
]


async def period(
    request: Request,
    since: Annotated[Moment | None, Query(description=f"Events from then on: {MOMENT_FORM}.")] = None,
    until: Annotated[Moment | None, Query(description="Events before then, in the same forms as `since`.")] = None,
) -> tuple[int | None, int | None]:
    """Read both ends. Raises the error of a parameter when `since` is not before `until`."""
    now = int(request.app.state.clock())
    start, end = (None if text is None else moment(text, now) for text in (since, until))
    if start is not None and end is not None and start >= end:
        raise parameter_error("since", f"{since} is not before until ({until})")
    return start, end


async def condition(
    ends: Annotated[tuple[int | None, int | None], Depends(period)],
    severity: Annotated[tuple[SeverityWord, ...], _many("Severity of the event.", "critical")] = (),
    group: Annotated[tuple[Group, ...], _many("Coarse type of the trail.", "DNS")] = (),
    kind: Annotated[tuple[TrailKind, ...], _many("Kind of the trail.", "domain")] = (),
    class_: Annotated[tuple[TrailClass, ...], _many("What the trail means.", "c2", alias="class")] = (),
    direction: Annotated[tuple[Direction, ...], _many("Seen from the home networks.", "outbound")] = (),
    source: Annotated[tuple[Network, ...], _many("Address or network (CIDR).", "192.0.2.0/24")] = (),
    destination: Annotated[tuple[Network, ...], _many("Address or network (CIDR).", "192.0.2.1")] = (),
    trail: Annotated[tuple[Value, ...], _many("Trail, in any spelling.", "evil.example")] = (),
    info: Annotated[tuple[Word, ...], _many("Name of the threat, as events have it.", "emotet")] = (),
    sensor: Annotated[tuple[Word, ...], _many("Name of the sensor.", "sensor-1")] = (),
    dataset: Annotated[tuple[Word, ...], _many("Log that the record stood in.", "zeek.dns")] = (),
    protocol: Annotated[tuple[Word, ...], _many("Protocol of the record.", "dns")] = (),
    q: Text = None,
    search: Search = None,
) -> contract.Query:
    """Build the query."""
    return contract.Query(
        since=ends[0],
        until=ends[1],
        severities=tuple(Severity[word.upper()] for word in dict.fromkeys(severity)),
        groups=group,
        kinds=kind,
        classes=class_,
        directions=direction,
        sources=source,
        destinations=destination,
        trails=_spellings(trail),
        infos=info,
        sensors=sensor,
        datasets=dataset,
        protocols=protocol,
        text=q,
        where=None if search is None else parse(search),
    )


def _spellings(values: tuple[str, ...]) -> tuple[str, ...]:
    """Add the canonical forms: an analyst pastes `HTTP://Evil.example/`, an event holds `evil.example/`."""
    spelled = [spelling for value in values for spelling in (value, *(r.value for r in canonical.readings(value)))]
    return tuple(dict.fromkeys(spelled))
