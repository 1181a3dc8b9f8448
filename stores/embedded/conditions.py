"""From a query to conditions in SQL. Values travel as parameters, lists as one JSON parameter, never in the text."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stores.clean import clean
from stores.contract import Query
from stores.embedded.codes import CLASS_CODES, DIRECTION_CODES, KIND_CODES, KINDS, span

Parameter = str | int | None


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement and the values of its question marks."""

    text: str
    values: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """A query, sorted by what can answer it. An empty tuple: nothing was asked of that sort.

    `facet` compare columns of `facets f`, `profile` of `profiles p`, `destination` of `events c`; what only the events
    themselves can answer, `gathered`, `text` and `event`, may compare all of these. `gathered` name few events.
    """

    facet: tuple[Sql, ...]
    profile: tuple[Sql, ...]
    destination: tuple[Sql, ...]
    text: tuple[Sql, ...]
    event: tuple[Sql, ...] = ()
    gathered: tuple[Sql, ...] = ()

    @property
    def nothing(self) -> bool:
        """Tell whether all events meet them."""
        return not (self.facet or self.profile or self.destination or self.of_events)

    @property
    def of_events(self) -> tuple[Sql, ...]:
        """Give what no rollup can answer."""
        return (*self.gathered, *self.text, *self.event)


def conditions(query: Query, threats: Sequence[int] | None = None) -> Conditions:
    """Sort the conditions of a query but those of text; `threats` narrows it to these threats, by their ids."""
    return Conditions(
        facet=tuple(_facet(query)),
        profile=(*_profile(query), *([] if threats is None else [in_codes("p.threat", threats)])),
        destination=(_addresses("c.destination", query.destinations),) if query.destinations else (),
        text=(_within(query.within),) if query.within else (),
    )


def join(parts: Iterable[Sql], glue: str) -> Sql:
    """Write pieces one after the other."""
    parts = tuple(parts)
    return Sql(glue.join(part.text for part in parts), tuple(value for part in parts for value in part.values))


def _facet(query: Query) -> Iterable[Sql]:
    if not query.custom:
        yield Sql("f.custom = 0")
    if query.severities:
        yield in_codes("f.severity", [int(severity) for severity in query.severities])
    if query.groups:
        yield in_codes("f.kind", [code for code, kind in enumerate(KINDS) if kind.group in query.groups])
    if query.kinds:
        yield in_codes("f.kind", [KIND_CODES[kind] for kind in query.kinds])
    if query.classes:
        yield in_codes("f.class", [CLASS_CODES[class_] for class_ in query.classes])
    if query.directions:
        yield in_codes("f.direction", [DIRECTION_CODES[direction] for direction in query.directions])
    for column, values in (
        ("f.protocol", query.protocols),
        ("f.sensor", query.sensors),
        ("f.dataset", query.datasets),
    ):
        if values:
            yield _texts(column, values)


def _profile(query: Query) -> Iterable[Sql]:
    if query.sources:
        yield _addresses("p.source", query.sources)
    if query.trails:
        yield _texts("p.trail", query.trails)
    if query.infos:
        yield _texts("p.info", query.infos)
    if query.threats:
        yield in_threats("IN", query.threats)
    if query.not_threats:
        yield in_threats("NOT IN", query.not_threats)


def in_threats(how: str, names: Sequence[str]) -> Sql:
    query = "SELECT t.id FROM json_each(?) j CROSS JOIN threats t ON t.name = j.value"
    return Sql(f"p.threat {how} ({query})", (json.dumps([clean(name) for name in names]),))


def in_codes(column: str, codes: Sequence[int]) -> Sql:
    return Sql(f"{column} IN (SELECT value FROM json_each(?))", (json.dumps(codes),))  # noqa: S608 - names of ours


def _texts(column: str, values: Sequence[str]) -> Sql:
    query = "SELECT t.id FROM json_each(?) j CROSS JOIN texts t ON t.value = j.value"
    return Sql(f"{column} IN ({query})", (json.dumps([clean(value) for value in values]),))


def _addresses(column: str, values: Sequence[str]) -> Sql:
    """Compare with addresses and networks; what is neither can only be equal to what was logged."""
    spans, words = [], []
    for value in values:
        found = span(value)
        if found:
            spans.append(found)
        else:
            words.append(clean(value))
    query = (
        "SELECT a.id FROM json_each(?) j CROSS JOIN addresses a ON a.packed BETWEEN j.value->>0 AND j.value->>1 "
        "UNION ALL SELECT a.id FROM json_each(?) j CROSS JOIN addresses a ON a.text = j.value"
    )
    return Sql(f"{column} IN ({query})", (json.dumps(spans), json.dumps(words)))


def _within(networks: Sequence[str]) -> Sql:
    """Compare both ends of an event; a network that cannot be read holds nothing."""
    ends = (_addresses("source", networks), _addresses("+c.destination", networks))
    sources = Sql(f"+c.profile IN (SELECT id FROM profiles WHERE {ends[0].text})", ends[0].values)  # noqa: S608
    return Sql(f"({sources.text} OR {ends[1].text})", (*sources.values, *ends[1].values))
