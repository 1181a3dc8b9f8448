"""The outbox: what waits for targets, what they did not take, and how far the store was followed. One SQLite file.

What is queued and how far the store was read are written in one transaction, so that after a kill nothing is missing
and nothing stands there twice. An event leaves the outbox when its target has taken it: it is delivered at least once.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock

import orjson
import zstandard

from api.sending.database import connect
from api.sending.letters import Asked, DeadLetter, Letter, Limits, New, Progress, Shown, TargetStatus
from stores.embedded.connections import explained
from trailhound.errors import StoreDamaged, StoreUnavailable
from trailhound.settings import Settings

MAX_DEAD = 10_000
_MAX_REASON = 500
_MAX_BODY = 16 * 1024 * 1024
_STATUS = """
SELECT t.name, (SELECT count(*) FROM waiting w WHERE w.target = t.name),
    (SELECT count(*) FROM dead d WHERE d.target = t.name),
    (SELECT min(made) FROM waiting w WHERE w.target = t.name),
    delivered, skipped, quiet, dropped, buried, failures, last_delivery, problem, problem_at, resume
FROM targets t ORDER BY t.name
"""


def outbox_path(settings: Settings) -> Path:
    return settings.state_dir / "outbox.sqlite"


class Outbox:
    """The file, for any number of threads and processes; only the sender changes more than dead letters."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def name_targets(self, names: Iterable[str]) -> Mapping[str, int]:
        """Know these targets, and forget others, which are no longer in the settings; say how much waited for each."""
        wanted = orjson.dumps(list(names)).decode()
        with self._change() as connection:
            gone = dict(
                connection.execute(
                    "SELECT name, (SELECT count(*) FROM waiting WHERE target = name) FROM targets"
                    " WHERE name NOT IN (SELECT value FROM json_each(?))",
                    (wanted,),
                ).fetchall()
            )
            connection.execute(
                "INSERT INTO targets (name) SELECT value FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING", (wanted,)
            )
            for table, column in (("targets", "name"), ("waiting", "target"), ("dead", "target"), ("told", "target")):
                connection.execute(
                    f"DELETE FROM {table} WHERE {column} NOT IN (SELECT value FROM json_each(?))",  # noqa: S608
                    (wanted,),
                )
        return gone

    def unfollow(self) -> None:
        """Forget how far the store was followed: whoever follows it later begins with what arrives then."""
        with self._change() as connection:
            connection.execute("DELETE FROM progress")

    def progress(self) -> Progress | None:
        """Tell how far the store was followed; None when it never was."""
        with self._open() as connection:
            found = connection.execute("SELECT cursor, event, ingested, begun FROM progress").fetchone()
        return Progress(*found) if found is not None else None

    def take(
        self,
        progress: Progress,
        new: Sequence[New],
        limits: Mapping[str, Limits],
        now: int,
        shown: Sequence[Shown] = (),
        max_shown: int = 0,
    ) -> None:
        """Queue events and go on to `progress`, both or neither."""
        with self._change() as connection:
            room = {name: limits[name].max_waiting - _waiting(connection, name) for name in {one.target for one in new}}
            for one in new:
                quiet = limits[one.target].quiet
                if quiet and not _is_news(connection, one, now, quiet):
                    _count(connection, one.target, "quiet")
                elif room[one.target] <= 0:
                    _count(connection, one.target, "dropped")
                else:
                    room[one.target] -= _queue(connection, one, now)
            _show(connection, shown, now, max_shown)
            connection.execute("DELETE FROM progress")
            reached = (progress.cursor, progress.event, progress.ingested, progress.begun)
            connection.execute("INSERT INTO progress VALUES (?, ?, ?, ?)", reached)

    def due(self, target: str, now: int, limit: int) -> Sequence[Letter]:
        """Give what is to be sent now, the oldest first."""
        with self._open() as connection:
            found = connection.execute(
                "SELECT id, event, made, tries, body FROM waiting WHERE target = ? AND due <= ?"
                " ORDER BY due, id LIMIT ?",
                (target, now, limit),
            ).fetchall()
        return [Letter(id_, event, made, tries, self._unpacked(body)) for id_, event, made, tries, body in found]

    def delivered(self, target: str, letters: Sequence[Letter], now: int, *, skipped: int = 0) -> None:
        """Take out what the target has; `skipped` of it was of no use to it."""
        with self._change() as connection:
            _remove(connection, letters)
            connection.execute(
                "UPDATE targets SET delivered = delivered + ?, skipped = skipped + ?, failures = 0, last_delivery = ?,"
                " problem = '', problem_at = NULL, resume = 0 WHERE name = ?",
                (len(letters) - skipped, skipped, now, target),
            )

    def failed(self, target: str, problem: str, now: int, *, failures: int, resume: int) -> None:
        """Note that a target does not answer as it should, and until when it is left alone."""
        with self._change() as connection:
            connection.execute(
                "UPDATE targets SET failures = ?, problem = ?, problem_at = ?, resume = ? WHERE name = ?",
                (failures, problem[:_MAX_REASON], now, resume, target),
            )

    def put_off(self, target: str, letter: Letter, problem: str, now: int, due: int) -> None:
        """Try a letter again later, while others go on."""
        with self._change() as connection:
            connection.execute("UPDATE waiting SET tries = tries + 1, due = ? WHERE id = ?", (due, letter.id))
            connection.execute(
                "UPDATE targets SET problem = ?, problem_at = ? WHERE name = ?", (problem[:_MAX_REASON], now, target)
            )

    def bury(self, target: str, letter: Letter, reason: str, now: int) -> None:
        """Put a letter to the dead ones; of these the latest are kept."""
        with self._change() as connection:
            _bury(connection, target, "id = ?", letter.id, reason, now)

    def give_up(self, target: str, before: int, reason: str, now: int) -> int:
        """Bury what waits since before then; give how much that is."""
        with self._open() as connection:
            oldest = connection.execute("SELECT min(made) FROM waiting WHERE target = ?", (target,)).fetchone()[0]
        if oldest is None or oldest >= before:
            return 0
        with self._change() as connection:
            return _bury(connection, target, "made < ?", before, reason, now)

    def statuses(self) -> Sequence[TargetStatus]:
        with self._open() as connection:
            return [TargetStatus(*row) for row in connection.execute(_STATUS)]

    def dead(self, target: str, limit: int) -> Sequence[DeadLetter]:
        """Give dead letters, the latest first."""
        with self._open() as connection:
            found = connection.execute(
                "SELECT id, target, event, made, died, reason FROM dead WHERE target = ? ORDER BY id DESC LIMIT ?",
                (target, limit),
            )
            return [DeadLetter(*row) for row in found]

    def retry(self, target: str, now: int) -> int:
        """Have dead letters of a target sent once more; give how many."""
        with self._change() as connection:
            moved = connection.execute(
                "INSERT INTO waiting (target, event, made, due, tries, body)"
                " SELECT target, event, ?, ?, 0, body FROM dead WHERE target = ? ORDER BY id ON CONFLICT DO NOTHING",
                (now, now, target),
            ).rowcount
            connection.execute("DELETE FROM dead WHERE target = ?", (target,))
        return moved

    def shown(self, asked: Asked, limit: int) -> Sequence[Shown]:
        """Give objects for the TAXII server, in the order in which they were added."""
        conditions, values = ["collection = ?", "added > ?"], list[str | int]((asked.collection, asked.after))
        for column, wanted in (("id", asked.ids), ("type", asked.types), ("version", asked.versions)):
            if wanted:
                conditions.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - words of ours
                values.append(orjson.dumps(wanted).decode())
        if not asked.custom:
            conditions.append("NOT custom")
        with self._open() as connection:
            found = connection.execute(
                "SELECT collection, id, type, version, custom, body, added FROM shown"  # noqa: S608 - words of ours
                f" WHERE {' AND '.join(conditions)} ORDER BY added LIMIT ?",
                (*values, limit),
            )
            return [Shown(*row) for row in found]

    def sweep(self, quiet: Mapping[str, int], now: int) -> None:
        """Let go of which threats targets were told of when that no longer matters."""
        with self._change() as connection:
            for target, span in quiet.items():
                connection.execute("DELETE FROM told WHERE target = ? AND at <= ?", (target, now - span))

    def close(self) -> None:
        with self._turn:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _unpacked(self, body: bytes) -> Mapping[str, object]:
        try:
            found = orjson.loads(zstandard.ZstdDecompressor().decompress(body, max_output_size=_MAX_BODY))
        except (zstandard.ZstdError, ValueError) as error:
            raise StoreDamaged(f"{self._path}: an event in the outbox cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise StoreDamaged(f"{self._path}: an event in the outbox is none")
        return found

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._turn, explained(self._path):
            if self._closed:
                raise StoreUnavailable(f"{self._path}: the outbox is closed")
            if self._connection is None:
                self._connection = connect(self._path)
            yield self._connection

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise


def _waiting(connection: sqlite3.Connection, target: str) -> int:
    return int(connection.execute("SELECT count(*) FROM waiting WHERE target = ?", (target,)).fetchone()[0])


def _is_news(connection: sqlite3.Connection, one: New, now: int, quiet: int) -> bool:
    """Tell whether the target was not told of this threat lately, and note that it is now."""
    done = connection.execute(
        "INSERT INTO told VALUES (?, ?, ?) ON CONFLICT (target, threat) DO UPDATE SET at = excluded.at WHERE at <= ?",
        (one.target, one.threat, now, now - quiet),
    )
    return bool(done.rowcount)


def _queue(connection: sqlite3.Connection, one: New, now: int) -> int:
    body = zstandard.ZstdCompressor(level=3).compress(orjson.dumps(one.document))
    return connection.execute(
        "INSERT INTO waiting (target, event, made, due, tries, body) VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
        (one.target, one.event, now, now, body),
    ).rowcount


def _count(connection: sqlite3.Connection, target: str, what: str) -> None:
    connection.execute(f"UPDATE targets SET {what} = {what} + 1 WHERE name = ?", (target,))  # noqa: S608 - words of ours


def _remove(connection: sqlite3.Connection, letters: Sequence[Letter]) -> None:
    connection.executemany("DELETE FROM waiting WHERE id = ?", [(letter.id,) for letter in letters])


def _bury(connection: sqlite3.Connection, target: str, which: str, value: int, reason: str, now: int) -> int:
    buried = connection.execute(
        "INSERT INTO dead (target, event, made, died, reason, body)"  # noqa: S608 - words of ours
        f" SELECT target, event, made, ?, ?, body FROM waiting WHERE target = ? AND {which} ORDER BY id",
        (now, reason[:_MAX_REASON], target, value),
    ).rowcount
    connection.execute(f"DELETE FROM waiting WHERE target = ? AND {which}", (target, value))  # noqa: S608
    connection.execute("UPDATE targets SET buried = buried + ? WHERE name = ?", (buried, target))
    connection.execute(
        "DELETE FROM dead WHERE target = ? AND id <="
        " (SELECT id FROM dead WHERE target = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (target, target, MAX_DEAD),
    )
    return buried


def _show(connection: sqlite3.Connection, shown: Sequence[Shown], now: int, most: int) -> None:
    """Add objects for the TAXII server. Each is added at a moment of its own, by which others go on."""
    if not shown:
        return
    last = connection.execute("SELECT max(added) FROM shown").fetchone()[0] or 0
    for one in shown:
        last = max(last + 1, now)
        connection.execute(
            "INSERT INTO shown (collection, id, type, version, custom, added, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (one.collection, one.id, one.type, one.version, one.custom, last, one.body),
        )
    for collection in {one.collection for one in shown}:
        connection.execute(
            "DELETE FROM shown WHERE collection = ? AND added <="
            " (SELECT added FROM shown WHERE collection = ? ORDER BY added DESC LIMIT 1 OFFSET ?)",
            (collection, collection, most),
        )
