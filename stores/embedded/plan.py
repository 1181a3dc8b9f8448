"""Which tables answer a query: totals and rollups where they can, the events themselves for the rest.

There are families of rollups, by hour, by day and over all time: `facet` (all that is coarse: severity, kind, class,
direction, protocol, sensor, dataset), `profile` (source, trail and info on top of that) and `destination` (destination
on top of the coarse). `source`, `trail`, `info` and `threat` are shorter ways for what is asked most; their hours are
those of `profile`. What needs more, or less than an hour, is read from the events.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stores.contract import Dimension, Query
from stores.embedded.conditions import Sql, conditions, join
from stores.embedded.schema import DAY, HOUR, LEVELS, UNITS
from stores.embedded.searching import narrowed

# What a dimension is called in a statement; group is told from kind.
COLUMNS = {
    Dimension.SEVERITY: "f.severity",
    Dimension.GROUP: "f.kind",
    Dimension.KIND: "f.kind",
    Dimension.CLASS: "f.class",
    Dimension.DIRECTION: "f.direction",
    Dimension.PROTOCOL: "f.protocol",
    Dimension.SENSOR: "f.sensor",
    Dimension.DATASET: "f.dataset",
    Dimension.SOURCE: "p.source",
    Dimension.TRAIL: "p.trail",
    Dimension.INFO: "p.info",
    Dimension.DESTINATION: "c.destination",
}
_OF_FACETS = re.compile(r"\bf\.")
# With so few events to a profile it is faster to read them than to go through a rollup.
FEW = 20_000
# Beyond this share of all events an index jumps about more than reading on from the newest costs.
MANY = 8
# The plus sign keeps SQLite from reading all events in the order of destinations only to group by them.
_EVENT_COLUMNS = {
    "c.destination": "+c.destination",
    "records": "c.count",
    "events": "1",
    "first": "c.start",
    "last": "c.start",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time [begin, end) in microseconds and what it is read from: events, hours, days or all."""

    level: str
    begin: int
    end: int


def stretches(begin: int, end: int, *, step: int) -> Iterator[Stretch]:
    """Cut [begin, end) so that whole hours and days come from rollups no coarser than `step` allows."""
    unit = "days" if step % DAY == 0 else "hours" if step % HOUR == 0 else "events"
    if unit == "events":
        yield from _some("events", begin, end)
        return
    length = UNITS[unit]
    inner_begin, inner_end = -(-begin // length) * length, end // length * length
    finer = HOUR if unit == "days" else 1
    if inner_begin >= inner_end:
        yield from stretches(begin, end, step=finer)
        return
    yield from stretches(begin, inner_begin, step=finer)
    yield from _some(unit, inner_begin, inner_end)
    yield from stretches(inner_end, end, step=finer)


def _some(level: str, begin: int, end: int) -> Iterator[Stretch]:
    if begin < end:
        yield Stretch(level, begin, end)


class Plan:
    """One query on one state of the store, ready to be read in several ways."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        query: Query,
        *,
        threats: Sequence[int] | None = None,
        only_attackers: bool = False,
    ) -> None:
        """Plan for `query`; only for these threats (their ids), only for public sources of inbound events."""
        self._connection = connection
        self._query = query
        self.conditions = narrowed(connection, conditions(query, threats), query)
        self._only_attackers = only_attackers
        self._matching: tuple[int, int] | None = None
        self.first: int | None
        self.last: int
        self.total: int
        self.first, self.last, self.total = connection.execute(
            "SELECT min(first), max(last), total(events) FROM facet_all"
        ).fetchone()

    @property
    def is_always(self) -> bool:
        """Tell whether the times of the query leave nothing out."""
        since, until = self._query.since, self._query.until
        return self.first is None or ((since is None or since <= self.first) and (until is None or until > self.last))

    @property
    def is_open(self) -> bool:
        """Tell whether the times of the query leave nothing out at the end."""
        return self.first is None or self._query.until is None or self._query.until > self.last

    def profiles(self, columns: Mapping[str, str]) -> Sql:
        """Give a SELECT of `columns` over the profiles that the query finds, if that is asked of nothing else."""
        tables = ["profiles p"]
        if self.conditions.facet and not self.conditions.profile:
            return select(columns, ["facets f", "profiles p ON p.facet = f.id"], self._where())
        return _select_with_facets(columns, tables, self._where(), "profile")

    def rows(self, columns: Mapping[str, str], *, step: int | None = None) -> Sql:
        """Give a SELECT of `columns` (name -> expression) for all that the query finds, in any number of parts.

        Expressions are columns of `COLUMNS`, of profiles (p), or one of the words facet, severity, records, events,
        first and last. With `step`, a column `bucket` holds the begin of the step.
        """
        family = self._family(tuple(columns.values()))
        if family == "events" or self._are_few(step):
            return self._from_events(columns, step)
        return join((self._part(columns, family, stretch, step) for stretch in self._stretches(step)), " UNION ALL ")

    def _are_few(self, step: int | None) -> bool:
        """Tell whether to read the events of what matches, by its index, rather than to go through a rollup."""
        if not (self.conditions.profile or self.conditions.destination):
            return False
        values, matching = self.matching()
        if matching <= FEW or matching * MANY > self.total:
            return matching <= FEW
        # Those of all time are looked up by profile; those of hours and days are too if they are few, or gone through.
        lengths = [one.end - one.begin for one in self._stretches(step) if one.level != "all"]
        unit = DAY if step is None or step % DAY == 0 else HOUR
        return bool(lengths) and matching * self._share() <= values * (sum(lengths) // unit + 1)

    def _family(self, expressions: Iterable[str]) -> str:
        wanted = self.conditions
        values = {expression for expression in expressions if expression.startswith("p.")}
        destination = bool(wanted.destination) or "c.destination" in expressions
        if wanted.of_events or (destination and (values or wanted.profile)):
            return "events"
        if wanted.profile or self._only_attackers or len(values) > 1:
            return "profile"
        if not values:
            return "destination" if destination else "facet"
        family = values.pop().removeprefix("p.")
        return family if family in LEVELS and not (family == "threat" and wanted.facet) else "profile"

    def _stretches(self, step: int | None) -> Sequence[Stretch]:
        if step is None and self.is_always:
            return [Stretch("all", 0, 0)]
        since, until, first, last = self._query.since, self._query.until, self.first, self.last
        if first is None:
            return [Stretch("events", 0, 0)]
        # Before the first and after the last event there is nothing, so the ends may lie on whole days.
        begin = first // DAY * DAY if since is None or since <= first else since
        end = (last // DAY + 1) * DAY if until is None or until > last else until
        return list(stretches(begin, end, step=DAY if step is None else step)) or [Stretch("events", 0, 0)]

    def _part(self, columns: Mapping[str, str], family: str, stretch: Stretch, step: int | None) -> Sql:
        if stretch.level == "events":
            return self._from_events(columns, step, stretch)
        family = family if stretch.level in LEVELS[family] else "profile"
        tables = [f"{family}_{stretch.level} c"]
        where = self._where()
        if family == "profile":
            tables = self._profile_tables(stretch)
        else:
            columns = {name: expression.replace("p.", "c.") for name, expression in columns.items()}
        if stretch.level != "all":
            unit = UNITS[stretch.level]
            where.append(Sql("c.period >= ? AND c.period < ?", (stretch.begin // unit, stretch.end // unit)))
            columns = _with_bucket(columns, f"c.period * {unit}", step)
        return _select_with_facets(columns, tables, where, family)

    def _profile_tables(self, stretch: Stretch) -> list[str]:
        level = stretch.level
        rollup = f"profile_{level} c"
        if level != "all" and self._is_selective():
            unit = UNITS[level]
            periods = range(stretch.begin // unit, stretch.end // unit)
            if self.matching()[0] * len(periods) * MANY <= self.total * len(periods) * unit / self._span():
                every = f"json_each('{list(periods)}') n"
                return ["profiles p", every, f"{rollup} ON c.period = n.value AND c.profile = p.id"]
        if level == "all" and (self._only_attackers or self._is_selective()):
            # Attackers stand in the order of their source in an index of their own: nothing has to be sorted.
            return ["profiles p", f"{rollup} ON c.profile = p.id"]
        return [rollup, "profiles p ON p.id = c.profile"]

    def _is_selective(self) -> bool:
        """Tell whether the conditions leave so few profiles that an index of theirs should be used."""
        if not self.conditions.profile:
            return False
        (profiles,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM profiles").fetchone()
        return self.matching()[0] * MANY <= int(profiles)

    def _from_events(self, columns: Mapping[str, str], step: int | None, stretch: Stretch | None = None) -> Sql:
        columns = {name: _EVENT_COLUMNS.get(expression, expression) for name, expression in columns.items()}
        return self.events(_with_bucket(columns, "c.start", step), stretch)

    def events(
        self,
        columns: Mapping[str, str],
        stretch: Stretch | None = None,
        *,
        wanted: int | None = None,
        extra: Sequence[Sql] = (),
    ) -> Sql:
        """Give a SELECT of `columns` of events (c) with their profiles (p).

        `stretch` is the time when it is not the query's; `wanted` how many events are read, from the newest or oldest
        on, when not all are; `extra` are further conditions.
        """
        since, until = (stretch.begin, stretch.end) if stretch else (self._query.since, self._query.until)
        # What is gathered names its events, and their times need no index.
        start = "+c.start" if self.conditions.gathered else "c.start"
        times = [Sql(f"{start} >= ?", (since,))] if since is not None else []
        times += [Sql(f"{start} < ?", (until,))] if until is not None else []
        where = [*times, *self._where(), *extra]
        narrow = self.conditions.facet or self.conditions.profile or self.conditions.destination
        # A stretch is an odd end of an hour: so short that going through it costs least.
        pays = stretch is None and not self.conditions.gathered and bool(narrow) and self._pays(wanted)
        tables = ["events c", "profiles p ON p.id = c.profile"]
        if self.conditions.destination and not pays:
            where = [Sql(part.text.replace("c.destination IN", "+c.destination IN", 1), part.values) for part in where]
        elif pays and not self.conditions.destination:
            tables = ["profiles p", "events c ON c.profile = p.id"]
        return _select_with_facets(columns, tables, where, "profile")

    def _pays(self, wanted: int | None) -> bool:
        """Tell whether to gather all that match by an index, rather than to go through time until enough are found."""
        values, matching = self.matching()
        share = self._share()
        by_time = self.total * share
        if wanted is not None:
            by_time = min(by_time, self.total * wanted / max(matching, 1))
        return (values + matching * share) * MANY <= by_time

    def _span(self) -> int:
        return max(self.last - (self.first or self.last), HOUR)

    def _share(self) -> float:
        """Estimate which part of all events lies in the time asked for."""
        if self.first is None:
            return 1.0
        begin = max(self._query.since or self.first, self.first)
        end = min(self._query.until or self.last, self.last)
        return max(end - begin, HOUR) / self._span()

    def matching(self) -> tuple[int, int]:
        """Count the values that meet the conditions on profiles or destinations, and their events of all time."""
        if self._matching is None:
            query = self._matching_query()
            values, events = self._connection.execute(query.text, query.values).fetchone()
            self._matching = values, events or 0
        return self._matching

    def _matching_query(self) -> Sql:
        wanted = self.conditions
        columns = {"n": "count(*)", "e": "sum(c.events)"}
        if wanted.destination:
            return select(columns, ["destination_all c"], wanted.destination)
        if wanted.profile:
            tables = ["profiles p", "profile_all c ON c.profile = p.id"]
            return _select_with_facets(columns, tables, [*wanted.profile, *wanted.facet], "profile")
        return _select_with_facets(columns, ["facet_all c"], wanted.facet, "facet")

    def _where(self) -> list[Sql]:
        wanted = self.conditions
        attackers = [Sql("p.attacker")] if self._only_attackers else []
        return [*attackers, *wanted.facet, *wanted.profile, *wanted.destination, *wanted.of_events]


def _select_with_facets(columns: Mapping[str, str], tables: Sequence[str], where: Sequence[Sql], family: str) -> Sql:
    """Write a SELECT that joins facets only if it asks for one."""
    holder = "p" if family == "profile" else "c"
    severity = {"profile": "p.severity", "threat": "c.severity"}.get(family, "f.severity")
    words = {"facet": f"{holder}.facet", "severity": severity}
    columns = {name: words.get(expression, expression) for name, expression in columns.items()}
    asked = (*columns.values(), *(part.text for part in where))
    if any(_OF_FACETS.search(expression) for expression in asked):
        tables = [*tables, f"facets f ON f.id = {holder}.facet"]
    return select(columns, tables, where)


def _with_bucket(columns: Mapping[str, str], time: str, step: int | None) -> Mapping[str, str]:
    if step is None:
        return columns
    # The remainder of SQL has the sign of the dividend; steps are counted from the epoch on both sides of it.
    return {**columns, "bucket": f"{time} - (({time}) % {step} + {step}) % {step}"}


def select(columns: Mapping[str, str], tables: Sequence[str], where: Sequence[Sql]) -> Sql:
    """Write a SELECT of `columns` (name -> expression) over tables that are joined in this order."""
    wanted = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    condition = join(where, " AND ")
    # A cross join keeps the order of its tables: the first is the one whose index is used.
    text = f"SELECT {wanted} FROM {' CROSS JOIN '.join(tables)}"  # noqa: S608 - names of ours, values are parameters
    return Sql(f"{text} WHERE {condition.text}" if condition.text else text, condition.values)
