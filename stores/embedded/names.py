"""From words to ids, for the writer: what is met often is remembered, what is new is written."""

import sqlite3
from collections.abc import Hashable
from hashlib import blake2b
from typing import NamedTuple

from stores.addresses import is_public
from stores.clean import clean
from stores.embedded.codes import CLASS_CODES, DIRECTION_CODES, KIND_CODES, folded, grams, protocol, span, wording_text
from stores.threat import threat_id
from trailhound.event import Event
from trailhound.severity import Direction

_REMEMBERED = 50_000
_FAR = 2**62


class Profile(NamedTuple):
    """The ids of all that is told from an event without its time, its destination and its words."""

    id: int
    facet: int
    threat: int
    severity: int
    source: int | None
    trail: int | None
    info: int | None


class Names:
    """The ids of texts, addresses, facets, threats and profiles. Belongs to the one writer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[Hashable, int] = {}
        self._profiles: dict[Hashable, Profile] = {}

    def forget(self) -> None:
        """Drop what is remembered: a rollback may have taken it out of the store."""
        self._known.clear()
        self._profiles.clear()

    def profile(self, event: Event) -> Profile:
        """Give the profile of an event."""
        trail = event.trail
        key = (
            event.source_ip,
            trail.kind,
            trail.value,
            trail.info,
            trail.class_,
            event.severity,
            event.direction,
            protocol(event),
            event.sensor,
            event.dataset,
            trail.custom,
        )
        found = self._profiles.get(key)
        if found is None:
            if len(self._profiles) >= _REMEMBERED:
                self._profiles.clear()
            found = self._profiles[key] = self._new_profile(event)
        return found

    def _new_profile(self, event: Event) -> Profile:
        trail = event.trail
        kind = KIND_CODES[trail.kind]
        facet = self._facet(
            (
                int(event.severity),
                kind,
                CLASS_CODES[trail.class_],
                DIRECTION_CODES[event.direction],
                self.text(protocol(event)),
                self.text(event.sensor),
                self.text(event.dataset),
                int(trail.custom),
            )
        )
        source, value, info = self.address(event.source_ip), self.text(trail.value), self.text(trail.info)
        threat = self._threat(threat_id(event.source_ip, trail.kind, trail.value), source, kind, value)
        # The plus signs keep SQLite to the index of threats: the others point to far more rows.
        row = self._connection.execute(
            "SELECT id FROM profiles WHERE threat = ? AND +facet = ? AND +info IS ?", (threat, facet, info)
        ).fetchone()
        attacker = event.direction is Direction.INBOUND and is_public(event.source_ip or "")
        values = (None, threat, facet, int(event.severity), info, source, value, attacker)
        profile = row[0] if row else self._insert("profiles", values)
        return Profile(profile, facet, threat, int(event.severity), source, value, info)

    def _facet(self, values: tuple[int | None, ...]) -> int:
        known = self._known.get(values)
        if known is not None:
            return known
        row = self._connection.execute(
            "SELECT id FROM facets WHERE severity = ? AND kind = ? AND class = ? AND direction = ? AND protocol IS ? "
            "AND sensor IS ? AND dataset IS ? AND custom = ?",
            values,
        ).fetchone()
        columns = "facets (severity, kind, class, direction, protocol, sensor, dataset, custom)"
        return self._remember(values, row[0] if row else self._insert(columns, values))

    def text(self, value: str | None) -> int | None:
        """Give the id of a text; an empty one counts as absent."""
        if not value:
            return None
        known = self._known.get(value)
        return self._remember(value, self._text(clean(value))) if known is None else known

    def _text(self, value: str) -> int:
        row = self._connection.execute("SELECT id FROM texts WHERE value = ?", (value,)).fetchone()
        return row[0] if row else self._insert("texts (value, folded)", (value, folded(value)))

    def address(self, value: str | None) -> int | None:
        if not value:
            return None
        key = (value,)
        known = self._known.get(key)
        return self._remember(key, self._address(clean(value))) if known is None else known

    def _address(self, value: str) -> int:
        row = self._connection.execute("SELECT id FROM addresses WHERE text = ?", (value,)).fetchone()
        if row:
            return int(row[0])
        packed = span(value) if "/" not in value else None
        facts = (value, packed[0] if packed else None)
        return self._insert("addresses (text, packed)", facts)

    def wording(self, observed: str, message: str) -> int:
        """Give the id of what an event says of itself. Not remembered: most are new, and the index is at hand."""
        observed, message = clean(observed), clean(message)
        facts = f"{observed}\0{message}".encode()
        digest = int.from_bytes(blake2b(facts, digest_size=8).digest(), "big", signed=True)
        row = self._connection.execute(
            "SELECT id FROM wordings WHERE digest = ? AND observed = ? AND message = ?", (digest, observed, message)
        ).fetchone()
        if row:
            return int(row[0])
        text = folded(observed, message)
        made = self._insert("wordings (digest, observed, message, folded)", (digest, observed, message, text))
        pieces = grams(text or wording_text(observed, message).lower())
        self._connection.execute("INSERT INTO wordings_grams (rowid, text) VALUES (?, ?)", (made, pieces))
        return made

    def _threat(self, name: str, source: int | None, kind: int, trail: int | None) -> int:
        known = self._known.get(("threat", name))
        if known is not None:
            return known
        row = self._connection.execute("SELECT id FROM threats WHERE name = ?", (name,)).fetchone()
        # Its numbers follow when the events of this batch are added up; until then nobody sees it.
        found = row[0] if row else self._insert("threats", (None, name, source, kind, trail, 0, 0, 0, _FAR, -_FAR))
        return self._remember(("threat", name), found)

    def _insert(self, into: str, values: tuple[object, ...]) -> int:
        marks = ", ".join("?" * len(values))
        cursor = self._connection.execute(f"INSERT INTO {into} VALUES ({marks})", values)  # noqa: S608 - names of ours
        return int(cursor.lastrowid or 0)

    def _remember(self, key: Hashable, found: int) -> int:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = found
        return found
