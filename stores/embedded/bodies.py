"""What an event says beyond the columns of its row: packed JSON, squeezed with what events have in common.

The ECS document is written when it is read. Writing it at append would cost three times as much as all the rest.
"""

import sqlite3
from threading import Lock
from typing import Any

import orjson
import zstandard

from stores.clean import clean_json
from trailhound.errors import StoreDamaged
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

_LEVEL = 3
_SAMPLE = 2_000
_DICTIONARY_BYTES = 32_768
# A dictionary from fewer events would know too little of what is to come.
ENOUGH_TO_LEARN = 1_000


def pack(event: Event) -> bytes:
    """Write what the columns of the row do not hold."""
    trail = event.trail
    facts = (
        (event.sensor, event.module, event.dataset, event.role, int(event.severity), event.direction, event.answered),
        (event.source_ip, event.source_port, event.destination_ip, event.destination_port),
        (event.transport, event.protocol, event.ingested, event.tags),
        (trail.kind, trail.value, trail.info, trail.class_, trail.sources),
        (trail.reference, trail.confidence, trail.first_seen, trail.expires, trail.custom),
        event.ecs,
    )
    try:
        return orjson.dumps(facts)
    except TypeError:
        return orjson.dumps([*clean_json(facts[:5]), clean_json(dict(event.ecs))])


def unpack(body: bytes, columns: tuple[str, int, int, int, str, str]) -> Event:
    """Read an event from its body and from (id, start, end, count, observed, message)."""
    event_id, start, end, count, observed, message = columns
    place, ends, traffic, trail, rating, ecs = orjson.loads(body)
    sensor, module, dataset, role, severity, direction, answered = place
    transport, protocol, ingested, tags = traffic
    kind, value, info, class_, sources = trail
    source_ip, source_port, destination_ip, destination_port = ends
    return Event(
        id=event_id,
        start=start,
        end=end,
        count=count,
        sensor=sensor,
        module=module,
        dataset=dataset,
        trail=Trail(TrailKind(kind), value, info, TrailClass(class_), tuple(sources), *rating),
        observed=observed,
        role=role,
        severity=Severity(severity),
        direction=Direction(direction),
        answered=answered,
        source_ip=source_ip,
        source_port=source_port,
        destination_ip=destination_ip,
        destination_port=destination_port,
        transport=transport,
        protocol=protocol,
        message=message,
        ingested=ingested,
        tags=tuple(tags),
        ecs=ecs,
    )


class Squeezer:
    """Compress bodies with the dictionary that the store has learnt, once there are events enough to learn from."""

    def __init__(self) -> None:
        self._compressor: zstandard.ZstdCompressor | None = None
        self._learnt = False

    def forget(self) -> None:
        """Look at the store again: what was learnt may have been rolled back."""
        self._compressor, self._learnt = None, False

    def squeeze(self, connection: sqlite3.Connection, bodies: list[bytes], already: int) -> list[bytes]:
        """Compress bodies; `already` events stand in the store. Writes the dictionary when it is first made."""
        if self._compressor is None:
            self._compressor = self._prepare(connection)
        if not self._learnt and already + len(bodies) >= ENOUGH_TO_LEARN:
            self._compressor = self._learn(connection, bodies)
        return [self._compressor.compress(body) for body in bodies]

    def _prepare(self, connection: sqlite3.Connection) -> zstandard.ZstdCompressor:
        row = connection.execute("SELECT body FROM compressions ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            return zstandard.ZstdCompressor(level=_LEVEL)
        self._learnt = True
        return _compressor(zstandard.ZstdCompressionDict(row[0]))

    def _learn(self, connection: sqlite3.Connection, bodies: list[bytes]) -> zstandard.ZstdCompressor:
        rows = connection.execute("SELECT body FROM events ORDER BY seq DESC LIMIT ?", (_SAMPLE,))
        plain = zstandard.ZstdDecompressor()
        sample: list[bytes | bytearray | memoryview] = [
            *bodies[:_SAMPLE],
            *(plain.decompress(body) for (body,) in rows),
        ]
        self._learnt = True
        try:
            dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, sample)
        except zstandard.ZstdError:
            # Nothing to learn from these (too short, too few that differ); the next start tries again.
            return zstandard.ZstdCompressor(level=_LEVEL)
        connection.execute("INSERT INTO compressions VALUES (?, ?)", (dictionary.dict_id(), dictionary.as_bytes()))
        return _compressor(dictionary)


def _compressor(dictionary: zstandard.ZstdCompressionDict) -> zstandard.ZstdCompressor:
    dictionary.precompute_compress(level=_LEVEL)
    return zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary)


class Unsqueezer:
    """Read compressed bodies; for any thread."""

    def __init__(self) -> None:
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._lock = Lock()

    def unsqueeze(self, connection: sqlite3.Connection, body: bytes) -> bytes:
        try:
            key = zstandard.get_frame_parameters(body).dict_id
            return zstandard.ZstdDecompressor(dict_data=self._dictionary(connection, key)).decompress(body)
        except zstandard.ZstdError as error:
            raise StoreDamaged(
                f"the store holds an event that cannot be read ({error}): restore it from a backup"
            ) from error

    def _dictionary(self, connection: sqlite3.Connection, key: int) -> Any:
        with self._lock:
            if key not in self._dictionaries:
                row = connection.execute("SELECT body FROM compressions WHERE id = ?", (key,)).fetchone()
                self._dictionaries[key] = zstandard.ZstdCompressionDict(row[0] if row else b"")
            return self._dictionaries[key]
