"""Users, sessions and keys, for admins; one's own password, for everybody who has one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, HTTPException, Path, Request, Response

from api.access.accounts import Accounts
from api.access.entry import Entry
from api.access.guarding import CallerDep, needs
from api.access.people import MAX_NAME, Key, User
from api.access.principal import Scope
from api.answer import Answer
from api.answers_accounts import (
    ChangedUser,
    KeysAnswer,
    MadeKeyAnswer,
    NewKey,
    NewUser,
    OwnPassword,
    SessionsAnswer,
    UserAnswer,
    UsersAnswer,
    key_answer,
    session_answer,
    user_answer,
)
from api.deps import DeskDep, NowDep
from api.moments import moment
from api.problems import Problem, field_error
from api.writing import AuthorDep
from stores.desk.contract import AuditEntry, Author
from trailhound.errors import AccessError
from trailhound.record import MICROSECONDS

admins = APIRouter(tags=["access"], dependencies=[needs(Scope.ADMIN)])
own = APIRouter(tags=["access"], dependencies=[needs(Scope.READ)])
Name = Annotated[str, Path(min_length=1, max_length=MAX_NAME, description="Its name.")]
_TAKEN: Mapping[int | str, dict[str, Any]] = {409: {"description": "It cannot be so.", "model": Problem}}
_NONE: Mapping[int | str, dict[str, Any]] = {
    404: {"description": "There is no such thing.", "model": Problem},
    **_TAKEN,
}


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


@admins.get("/users", operation_id="listUsers", summary="Everybody who may log in")
def list_users(request: Request) -> UsersAnswer:
    """Give all users, in the order of names."""
    return UsersAnswer(users=tuple(user_answer(one) for one in _accounts(request).users()))


@admins.post("/users", operation_id="addUser", summary="Add a user", status_code=201, responses=dict(_TAKEN))
def add_user(request: Request, body: NewUser, desk: DeskDep, author: AuthorDep) -> UserAnswer:
    """Add a user. A name is there once, so the same request sent again adds nothing (409)."""
    wanted = User(body.name, body.role, body.networks, body.sees_custom)
    added = user_answer(_done(lambda: _accounts(request).add_user(wanted, body.password)))
    desk.record(_entry(author, "user.add", f"user/{added.name}", None, added))
    return added


@admins.patch("/users/{name}", operation_id="changeUser", summary="Change a user", responses=dict(_NONE))
def change_user(request: Request, name: Name, body: ChangedUser, desk: DeskDep, author: AuthorDep) -> UserAnswer:
    """Change what a user may: it holds from their next request on. A new password ends their sessions."""
    accounts = _accounts(request)
    _known_user(accounts, name)
    given = body.model_dump(exclude_none=True, exclude={"password"})
    before, after = _done(lambda: accounts.change_user(name, lambda user: replace(user, **given)))
    if body.password is not None:
        accounts.set_password(name, body.password)
    action = "user.password" if body.password is not None and not given else "user.change"
    desk.record(_entry(author, action, f"user/{name}", user_answer(before), user_answer(after)))
    return user_answer(after)


@admins.delete(
    "/users/{name}", operation_id="removeUser", summary="Remove a user", status_code=204, responses=dict(_NONE)
)
def remove_user(request: Request, name: Name, desk: DeskDep, author: AuthorDep) -> Response:
    """Remove a user; their sessions end at once."""
    _known_user(_accounts(request), name)
    removed = user_answer(_done(lambda: _accounts(request).remove_user(name)))
    desk.record(_entry(author, "user.remove", f"user/{name}", removed, None))
    return Response(status_code=204)


@admins.get("/sessions", operation_id="listSessions", summary="Who is logged in")
def list_sessions(request: Request) -> SessionsAnswer:
    """Give the sessions of all users."""
    return SessionsAnswer(sessions=tuple(session_answer(one) for one in _accounts(request).sessions()))


@admins.delete(
    "/sessions/{session_id}",
    operation_id="endSession",
    summary="End a session",
    status_code=204,
    responses={404: {"description": "There is no such session.", "model": Problem}},
)
def end_session(
    request: Request,
    session_id: Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="Its id.")],
    desk: DeskDep,
    author: AuthorDep,
) -> Response:
    """Log somebody out."""
    if not _accounts(request).end_session(session_id):
        raise HTTPException(404, "There is no such session.")
    desk.record(AuditEntry(author.who, author.address, author.at, "session.end", f"session/{session_id}"))
    return Response(status_code=204)


@own.put(
    "/session/password",
    operation_id="changeOwnPassword",
    summary="Change one's own password",
    status_code=204,
    responses={409: {"description": "Who asks has no password.", "model": Problem}},
)
def change_own_password(
    request: Request, body: OwnPassword, caller: CallerDep, desk: DeskDep, author: AuthorDep
) -> Response:
    """Change the password; all sessions of the user end, this one too. A wrong old one counts as a failed log-in."""
    if caller.session is None:
        raise HTTPException(409, "Only who is logged in has a password to change.")
    entry: Entry = request.app.state.entry
    wait = entry.check(caller, caller.session.user, body.old)
    if wait is not None:
        raise HTTPException(403, "The old password is wrong.", {"Retry-After": str(wait)} if wait else None)
    _accounts(request).set_password(caller.session.user, body.new)
    object_ = f"user/{caller.session.user}"
    desk.record(AuditEntry(author.who, author.address, author.at, "user.password", object_))
    return Response(status_code=204)


@admins.get("/keys", operation_id="listKeys", summary="Keys of programs")
def list_keys(request: Request) -> KeysAnswer:
    """Give all keys, in the order of names, the expired ones too."""
    return KeysAnswer(keys=tuple(key_answer(one) for one in _accounts(request).all_keys()))


@admins.post("/keys", operation_id="addKey", summary="Make a key", status_code=201, responses=dict(_TAKEN))
def add_key(request: Request, body: NewKey, desk: DeskDep, author: AuthorDep, now: NowDep) -> MadeKeyAnswer:
    """Make a key. The secret is in this answer only, so the same request sent again makes nothing (409)."""
    expires = None
    if body.expires is not None:
        try:
            expires = moment(body.expires, now) // MICROSECONDS
        except ValueError as error:
            raise field_error("expires", str(error)) from error
    wanted = Key(
        *("", body.name, frozenset(body.scopes), body.networks, body.sees_custom), expires=expires, creator=author.who
    )
    secret, made = _done(lambda: _accounts(request).add_key(wanted))
    desk.record(_entry(author, "key.add", f"key/{made.name}", None, key_answer(made)))
    return MadeKeyAnswer(secret=secret, key=key_answer(made))


@admins.delete("/keys/{name}", operation_id="revokeKey", summary="Revoke a key", status_code=204, responses=dict(_NONE))
def revoke_key(request: Request, name: Name, desk: DeskDep, author: AuthorDep) -> Response:
    """Remove a key by its name or id; whoever shows it from now on is refused."""
    try:
        removed = key_answer(_accounts(request).revoke(name))
    except AccessError as error:
        raise HTTPException(404, "There is no such key.") from error
    desk.record(_entry(author, "key.revoke", f"key/{removed.name}", removed, None))
    return Response(status_code=204)


Done = TypeVar("Done")


def _done(change: Callable[[], Done]) -> Done:
    """Make a change; what is wrong with it is a conflict with what there is."""
    try:
        return change()
    except AccessError as error:
        raise HTTPException(409, f"{error}.") from error


def _known_user(accounts: Accounts, name: str) -> None:
    if accounts.user(name) is None:
        raise HTTPException(404, "There is no such user.")


def _entry(author: Author, action: str, what: str, before: Answer | None, after: Answer | None) -> AuditEntry:
    earlier, later = (None if one is None else one.model_dump(mode="json") for one in (before, after))
    return AuditEntry(author.who, author.address, author.at, action, what, earlier, later)
