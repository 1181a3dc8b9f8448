"""Users, their sessions, and keys: `accounts.sqlite` in the state directory.

Of passwords, sessions and keys only hashes are kept. Sessions and keys are 256 random bits, so a plain SHA-256 of them
tells nothing; passwords go through argon2. Whether a session or key is good is asked of the file at every request, so
what is revoked in one process is refused by all at once.
"""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.access import passwords
from api.access.caller import Session
from api.access.file import AccountsFile
from api.access.people import Key, User, read_name, read_networks
from api.access.principal import Principal, Role, Scope
from trailhound.errors import AccessError

KEY_MARK = "th_"
MAX_TOKEN = 128
MAX_USERS = 10_000
MAX_KEYS = 10_000
MAX_SESSIONS = 50  # Of one user; the oldest end when there are more.
_TOUCH = 60  # Seconds; how exactly it is known when a session or key was last used.


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lasts, in seconds: from its beginning, and without being used."""

    whole: int = 12 * 3600
    idle: int = 3600


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner and admins see it."""

    id: str
    user: str
    created: int
    used: int
    address: str


def _token() -> str:
    return secrets.token_urlsafe(32)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


class Accounts:
    """Users, sessions and keys of one state directory."""

    def __init__(self, path: Path, *, lasting: Lasting | None = None, clock: Callable[[], float] = time.time) -> None:
        self._file = AccountsFile(path)
        self._lasting = lasting or Lasting()
        self._clock = clock

    def close(self) -> None:
        self._file.close()

    @property
    def path(self) -> Path:
        return self._file.path

    def _now(self) -> int:
        return int(self._clock())

    # Users

    def users(self) -> Sequence[User]:
        with self._file.reading() as connection:
            return [_user(row) for row in connection.execute("SELECT * FROM people ORDER BY name")]

    def user(self, name: str) -> User | None:
        with self._file.reading() as connection:
            row = connection.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
            return None if row is None else _user(row)

    def add_user(self, user: User, password: str) -> User:
        """Add a user. Raises `AccessError` when the name is taken, or name, networks or password cannot be used."""
        name, networks, now = read_name(user.name), read_networks(user.networks), self._now()
        _check_sight(user.role is Role.ADMIN, networks, name)
        kept = passwords.hashed(password)
        with self._file.changing() as connection:
            if connection.execute("SELECT count(*) FROM users").fetchone()[0] >= MAX_USERS:
                raise AccessError(f"there are {MAX_USERS:,} users, which is as many as there may be")
            done = connection.execute(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (name, kept, user.role, " ".join(networks), user.sees_custom, now, now),
            )
            if not done.rowcount:
                raise AccessError(f"there is a user {name} already")
        return User(name, user.role, networks, user.sees_custom, now, now)

    def first_admin(self, password: str) -> bool:
        """Make the user `admin`, where there is no user at all; tell whether it was made."""
        kept, now = passwords.hashed(password), self._now()
        with self._file.changing() as connection:
            done = connection.execute(
                "INSERT INTO users SELECT 'admin', ?, ?, '', 1, ?, ? WHERE NOT EXISTS (SELECT * FROM users)",
                (kept, Role.ADMIN, now, now),
            )
            return bool(done.rowcount)

    def has_users(self) -> bool:
        with self._file.reading() as connection:
            return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None

    def set_password(self, name: str, password: str) -> None:
        """Change a password; all sessions of the user end."""
        kept = passwords.hashed(password)
        with self._file.changing() as connection:
            done = connection.execute(
                "UPDATE users SET password = ?, changed = ? WHERE name = ?", (kept, self._now(), name)
            )
            if not done.rowcount:
                raise AccessError(f"there is no user {name[:64]}")
            connection.execute("DELETE FROM sessions WHERE user = ?", (name,))

    def change_user(self, name: str, change: Callable[[User], User]) -> tuple[User, User]:
        """Change role, networks or sight of a user; what they may holds from their next request on."""
        with self._file.changing() as connection:
            row = connection.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise AccessError(f"there is no user {name[:64]}")
            before = _user(row)
            wanted = change(before)
            if wanted.role is not Role.ADMIN:
                _keep_an_admin(connection, name)
            networks, now = read_networks(wanted.networks), self._now()
            _check_sight(wanted.role is Role.ADMIN, networks, name)
            connection.execute(
                "UPDATE users SET role = ?, networks = ?, sees_custom = ?, changed = ? WHERE name = ?",
                (wanted.role, " ".join(networks), wanted.sees_custom, now, name),
            )
        return before, User(name, wanted.role, networks, wanted.sees_custom, before.created, now)

    def remove_user(self, name: str) -> User:
        """Remove a user with all their sessions. Raises `AccessError` for the last admin."""
        with self._file.changing() as connection:
            row = connection.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
            if row is None:
                raise AccessError(f"there is no user {name[:64]}")
            _keep_an_admin(connection, name)
            connection.execute("DELETE FROM users WHERE name = ?", (name,))
        return _user(row)

    def is_password(self, name: str, password: str) -> bool:
        """Compare a password; takes as long for a name that nobody has."""
        with self._file.reading() as connection:
            row = connection.execute("SELECT password FROM users WHERE name = ?", (name,)).fetchone()
        return passwords.is_right(None if row is None else row[0], password)

    # Sessions

    def open_session(self, user: str, address: str) -> tuple[str, Session]:
        """Begin a session; the token is known to nobody else, and not kept."""
        token, session, now = _token(), Session(secrets.token_hex(8), user, _token()), self._now()
        with self._file.changing() as connection:
            connection.execute("DELETE FROM sessions WHERE created <= ? OR used <= ?", self._ended(now))
            connection.execute(
                "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE user = ?"
                " ORDER BY created DESC, id LIMIT -1 OFFSET ?)",
                (user, MAX_SESSIONS - 1),
            )
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (_digest(token), session.id, user, session.csrf, now, now, address),
            )
        return token, session

    def session(self, token: str) -> tuple[Session, Principal] | None:
        """Give session and user of a token; None when it is unknown, has ended, or was ended."""
        digest, now = _digest(token), self._now()
        created, used = self._ended(now)
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT id, user, csrf, used, name, role, networks, sees_custom, users.created, changed FROM sessions"
                " JOIN users ON name = user WHERE digest = ? AND sessions.created > ? AND used > ?",
                (digest, created, used),
            ).fetchone()
            if row is None:
                return None
            if now - row[3] >= _TOUCH:
                _touch(connection, "UPDATE sessions SET used = ? WHERE digest = ?", now, digest)
        return Session(row[0], row[1], row[2]), _user(row[4:]).principal

    def sessions(self, user: str | None = None) -> Sequence[OpenSession]:
        """Give the sessions of a user, or of all, the newest first."""
        created, used = self._ended(self._now())
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT id, user, created, used, address FROM sessions WHERE (? IS NULL OR user = ?)"
                " AND created > ? AND used > ? ORDER BY created DESC, id LIMIT 1000",
                (user, user, created, used),
            )
            return [OpenSession(*row) for row in rows]

    def end_session(self, session_id: str, user: str | None = None) -> bool:
        """End a session, of this user if one is named; tell whether there was one."""
        with self._file.changing() as connection:
            done = connection.execute(
                "DELETE FROM sessions WHERE id = ? AND (? IS NULL OR user = ?)", (session_id, user, user)
            )
            return bool(done.rowcount)

    def end_sessions(self, user: str) -> int:
        with self._file.changing() as connection:
            return connection.execute("DELETE FROM sessions WHERE user = ?", (user,)).rowcount

    def _ended(self, now: int) -> tuple[int, int]:
        """Give until when a session that has ended was begun, or last used."""
        return now - self._lasting.whole, now - self._lasting.idle

    # Keys

    def all_keys(self) -> Sequence[Key]:
        with self._file.reading() as connection:
            return [_key(row) for row in connection.execute("SELECT * FROM shown_keys ORDER BY name")]

    def add_key(self, key: Key) -> tuple[str, Key]:
        """Make a key; the secret is given this once. Raises `AccessError` when it cannot be."""
        name, networks, now = read_name(key.name), read_networks(key.networks), self._now()
        _check_sight(Scope.ADMIN in key.scopes, networks, name)
        if not key.scopes:
            raise AccessError(f"the key {name}: one scope of {', '.join(Scope)} at least was expected")
        if key.expires is not None and key.expires <= now:
            raise AccessError(f"the key {name}: a time in the future was expected for its end")
        key_id = secrets.token_hex(4)
        secret = f"{KEY_MARK}{key_id}_{_token()}"
        with self._file.changing() as connection:
            if connection.execute("SELECT count(*) FROM keys").fetchone()[0] >= MAX_KEYS:
                raise AccessError(f"there are {MAX_KEYS:,} keys, which is as many as there may be")
            scopes = " ".join(sorted(key.scopes))
            done = connection.execute(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING",
                (
                    *(key_id, name, _digest(secret), scopes, " ".join(networks), key.sees_custom, now, key.expires),
                    key.creator,
                ),
            )
            if not done.rowcount:
                raise AccessError(f"there is a key {name} already")
        return secret, Key(key_id, name, key.scopes, networks, key.sees_custom, now, key.expires, None, key.creator)

    def key(self, secret: str) -> Key | None:
        """Give the key of a secret, also one that has expired; None when there is none."""
        digest, now = _digest(secret), self._now()
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT shown_keys.* FROM shown_keys JOIN keys USING (id) WHERE digest = ?", (digest,)
            ).fetchone()
            if row is None:
                return None
            found = _key(row)
            if found.used is None or now - found.used >= _TOUCH:
                _touch(connection, "UPDATE keys SET used = ? WHERE digest = ?", now, digest)
        return found

    def is_expired(self, key: Key) -> bool:
        return key.expires is not None and key.expires <= self._now()

    def revoke(self, name: str) -> Key:
        """Remove a key, by its name or id."""
        with self._file.changing() as connection:
            row = connection.execute("SELECT * FROM shown_keys WHERE name = ? OR id = ?", (name, name)).fetchone()
            if row is None:
                raise AccessError(f"there is no key {name[:64]}")
            connection.execute("DELETE FROM keys WHERE id = ?", (row[0],))
        return _key(row)


def _touch(connection: sqlite3.Connection, statement: str, now: int, digest: bytes) -> None:
    # A full disk, or another process that holds the file, must not lock anybody out.
    with suppress(sqlite3.OperationalError):
        connection.execute(statement, (now, digest))


def _user(row: Sequence[Any]) -> User:
    name, role, networks, sees_custom, created, changed = row
    return User(name, Role(role), tuple(networks.split()), bool(sees_custom), created, changed)


def _key(row: Sequence[Any]) -> Key:
    key_id, name, scopes, networks, sees_custom, *times, creator = row
    created, expires, used = times
    return Key(
        *(key_id, name, _scopes(scopes.split()), tuple(networks.split()), bool(sees_custom)),
        created,
        expires,
        used,
        creator,
    )


def _scopes(words: Iterable[str]) -> frozenset[Scope]:
    return frozenset(Scope(word) for word in words)


def _check_sight(is_admin: bool, networks: Sequence[str], name: str) -> None:  # noqa: FBT001
    if is_admin and networks:
        raise AccessError(f"{name}: an admin could lift a restriction to some networks, so no admin can have one")


def _keep_an_admin(connection: sqlite3.Connection, name: str) -> None:
    rest = connection.execute("SELECT 1 FROM users WHERE role = ? AND name <> ? LIMIT 1", (Role.ADMIN, name)).fetchone()
    one = connection.execute("SELECT 1 FROM users WHERE role = ? AND name = ?", (Role.ADMIN, name)).fetchone()
    if one is not None and rest is None:
        raise AccessError(f"{name} is the last admin: make another one first")
