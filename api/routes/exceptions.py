"""Exceptions: what must not become an event, and who must never be blocked."""

from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import Field

from api import acting
from api.access.guarding import needs
from api.access.principal import Scope
from api.acting import UNTIL
from api.answers_desk import ExceptionAnswer, ExceptionsAnswer
from api.deps import DeskDep, NowDep, SettingsDep
from api.problems import Problem, field_error
from api.writing import CHANGED, MADE, AuthorDep, Body, Made, MatchDep, OnceDep, tagged
from matchers import exceptions
from matchers.exceptions import LONGEST_REASON, Exemption, Level
from stores.desk import Desk
from stores.desk.contract import AuditEntry, Author
from trailhound.canonical import MAX_TEXT
from trailhound.errors import SettingsError, TrailError
from trailhound.record import MICROSECONDS

router = APIRouter(prefix="/exceptions", tags=["acting"])
# An exception names trails, and those of the site's own too.
_READ = [needs(Scope.READ, whole=True, own=True)]
_CHANGE = [needs(Scope.TRIAGE, whole=True, own=True)]
Number = Annotated[int, Path(ge=1, le=2**53, description="The number of the exception.")]


class NewException(Body):
    """What is to be excepted: a value with all below it, or a trail, perhaps for some sources only."""

    value: str = Field(default="", max_length=MAX_TEXT, description="A name, an address or a network.")
    trail: str = Field(default="", max_length=MAX_TEXT, description="The value of a trail.", examples=["evil.example"])
    source: str = Field(
        default="", max_length=64, description="Whom it holds for: an address or a network.", examples=["10.0.5.0/24"]
    )
    level: Level = Field(default=Level.HIDE, description="No event at all; or an event, but no place on a block list.")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, examples=["malware lab"])
    until: str | None = Field(default=None, max_length=40, description=UNTIL, examples=["30d"])


@router.get("", operation_id="listExceptions", summary="Exceptions of this host", dependencies=_READ)
def list_exceptions(settings: SettingsDep, now: NowDep) -> ExceptionsAnswer:
    """Give all exceptions, those that ran out too."""
    found = exceptions.load(_file(settings.state_dir))
    return ExceptionsAnswer(exceptions=tuple(acting.exception(one, now) for one in found))


@router.get(
    "/{number}",
    operation_id="getException",
    summary="One exception",
    response_model=ExceptionAnswer,
    responses={404: {"description": "There is no such exception.", "model": Problem}},
    dependencies=_READ,
)
def get_exception(settings: SettingsDep, now: NowDep, number: Number) -> Response:
    """Give one exception with its version as `ETag`."""
    found = _found(settings.state_dir, number)
    return tagged(acting.exception(found, now), acting.exception_version(found))


@router.post(
    "",
    operation_id="addException",
    summary="Add an exception",
    status_code=201,
    response_model=ExceptionAnswer,
    responses=MADE,
    dependencies=_CHANGE,
)
def add_exception(
    desk: DeskDep, settings: SettingsDep, author: AuthorDep, once: OnceDep, body: NewException
) -> Response:
    """Add an exception, which running processes of this host take up within seconds."""
    ends = acting.ending(body.until, author.at)
    wanted = Exemption(
        1,
        body.reason,
        author.who,
        _moment(author.at),
        body.value,
        body.trail,
        body.source,
        body.level,
        None if ends is None else _moment(ends),
    )
    try:
        wanted = exceptions.checked(wanted)
    except TrailError as error:
        field, _, said = str(error).partition(": ")
        raise field_error(field if said else "value", said or field) from error

    def make(_: str) -> Made:
        made = _add(desk, settings.state_dir, wanted, author)
        answer = acting.exception(made, author.at)
        return Made(answer, acting.exception_version(made), f"/api/v1/exceptions/{made.id}")

    return once.make(body, make)


@router.delete(
    "/{number}",
    operation_id="removeException",
    summary="Remove an exception",
    response_model=ExceptionAnswer,
    responses=CHANGED,
    dependencies=_CHANGE,
)
def remove_exception(
    desk: DeskDep, settings: SettingsDep, author: AuthorDep, match: MatchDep, number: Number
) -> Response:
    """Remove an exception, which running processes of this host forget within seconds."""
    found = _found(settings.state_dir, number)
    version = acting.exception_version(found)
    match.expect(version)
    before = acting.exception(found, author.at).model_dump(mode="json")
    # Noted first: what is not in the log must not have happened.
    desk.record(AuditEntry(author.who, author.address, author.at, "exception.remove", f"exception/{number}", before))
    try:
        exceptions.remove(_file(settings.state_dir), number)
    except SettingsError:
        _found(settings.state_dir, number)  # Somebody else may have been quicker.
        raise
    return tagged(acting.exception(found, author.at), version)


def _add(desk: Desk, state_dir: FilePath, wanted: Exemption, author: Author) -> Exemption:
    """Add an entry and note that; an entry that cannot be noted does not stay."""
    made = exceptions.add(_file(state_dir), wanted)
    after = acting.exception(made, author.at).model_dump(mode="json")
    try:
        desk.record(
            AuditEntry(author.who, author.address, author.at, "exception.add", f"exception/{made.id}", None, after)
        )
    except BaseException:
        exceptions.remove(_file(state_dir), made.id)
        raise
    return made


def _file(state_dir: FilePath) -> FilePath:
    return exceptions.path_in(state_dir)


def _found(state_dir: FilePath, number: int) -> Exemption:
    found = next((one for one in exceptions.load(_file(state_dir)) if one.id == number), None)
    if found is None:
        raise HTTPException(404, "There is no exception of this number.")
    return found


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // MICROSECONDS, UTC)
