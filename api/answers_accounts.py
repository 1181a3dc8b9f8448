"""Users, sessions and keys, as requests and answers have them."""

from typing import Annotated

from pydantic import Field, StrictBool

from api.access import passwords
from api.access.accounts import OpenSession
from api.access.people import MAX_NAME, MAX_NETWORKS, Key, User
from api.access.principal import Role, Scope
from api.answer import Answer, example
from api.translate import iso_seconds
from api.writing import Body

Networks = Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=MAX_NETWORKS)]
Password = Annotated[str, Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)]
_TIME = "2026-02-01T12:00:00.000000Z"
_LATER = "2027-02-01T12:00:00.000000Z"


class UserAnswer(Answer):
    """Somebody who logs in."""

    model_config = example(
        name="alice", role="analyst", networks=["192.0.2.0/24"], sees_custom=True, created=_TIME, changed=_TIME
    )

    name: str
    role: Role
    networks: tuple[str, ...] = Field(description="Only events of these networks are answered; empty: all are.")
    sees_custom: bool = Field(description="Whether trails of the site's own are shown as they are.")
    created: str | None
    changed: str | None


class UsersAnswer(Answer):
    """All users."""

    model_config = example(users=[])

    users: tuple[UserAnswer, ...]


class NewUser(Body):
    """Whom to add."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    password: Password
    role: Role = Role.VIEWER
    networks: Networks = ()
    sees_custom: StrictBool = True


class ChangedUser(Body):
    """What to change; what is missing or null stays."""

    role: Role | None = None
    networks: Networks | None = None
    sees_custom: StrictBool | None = None
    password: Password | None = None


class OwnPassword(Body):
    """A new password of one's own; all sessions end."""

    old: str = Field(max_length=passwords.MAX_LENGTH)
    new: Password


class KeyAnswer(Answer):
    """What a program shows instead of logging in."""

    model_config = example(
        id="9f86d081", name="soar", scopes=["read", "triage"], networks=[], sees_custom=True, created=_TIME,
        expires=_LATER, used=_TIME, creator="admin",
    )  # fmt: skip

    id: str
    name: str
    scopes: tuple[Scope, ...]
    networks: tuple[str, ...] = Field(description="Only events of these networks are answered; empty: all are.")
    sees_custom: bool
    created: str | None
    expires: str | None
    used: str | None = Field(description="When it was last used, to the minute.")
    creator: str


class KeysAnswer(Answer):
    """All keys, without their secrets, which are not kept."""

    model_config = example(keys=[])

    keys: tuple[KeyAnswer, ...]


class NewKey(Body):
    """Which key to make."""

    name: str = Field(min_length=1, max_length=MAX_NAME)
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))
    networks: Networks = ()
    sees_custom: StrictBool = True
    expires: str | None = Field(default=None, max_length=40, description="When it ends: ISO 8601; null for never.")


class MadeKeyAnswer(Answer):
    """A new key, with its secret, which is shown this once."""

    model_config = example(
        secret="th_9f86d081_c2VjcmV0",  # noqa: S106 - made up
        key={"id": "9f86d081", "name": "soar", "scopes": ["read"], "networks": [], "sees_custom": True,
             "created": _TIME, "expires": _LATER, "used": _TIME, "creator": "admin"},
    )  # fmt: skip

    secret: str
    key: KeyAnswer


class OpenSessionAnswer(Answer):
    """One log-in."""

    id: str
    user: str
    created: str | None
    used: str | None = Field(description="When it was last used, to the minute.")
    address: str


class SessionsAnswer(Answer):
    """Log-ins that have not ended, the newest first."""

    model_config = example(sessions=[])

    sessions: tuple[OpenSessionAnswer, ...]


def user_answer(user: User) -> UserAnswer:
    return UserAnswer(
        name=user.name,
        role=user.role,
        networks=user.networks,
        sees_custom=user.sees_custom,
        created=iso_seconds(user.created),
        changed=iso_seconds(user.changed),
    )


def key_answer(key: Key) -> KeyAnswer:
    return KeyAnswer(
        id=key.id,
        name=key.name,
        scopes=tuple(sorted(key.scopes)),
        networks=key.networks,
        sees_custom=key.sees_custom,
        created=iso_seconds(key.created),
        expires=iso_seconds(key.expires),
        used=iso_seconds(key.used),
        creator=key.creator,
    )


def session_answer(session: OpenSession) -> OpenSessionAnswer:
    return OpenSessionAnswer(
        id=session.id,
        user=session.user,
        created=iso_seconds(session.created),
        used=iso_seconds(session.used),
        address=session.address,
    )
