"""Errors as RFC 9457 problem details. An answer says what is wrong and never how the inside looks."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException

from api.answer import Answer, example
from api.headers import SECURITY_HEADERS
from trailhound.errors import (
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
    TrailhoundError,
    TrailSetError,
)

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_NO_PAGE = "There is no such page."


class ParameterProblem(Answer):
    """One parameter that cannot be used."""

    parameter: str
    message: str


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    model_config = example(
        type="about:blank",
        title="Unprocessable Content",
        status=422,
        detail="severty: there is no such parameter; the nearest is severity",
        errors=[{"parameter": "severty", "message": "there is no such parameter; the nearest is severity"}],
    )

    type: str = "about:blank"
    title: str = Field(description="The same for every problem of this status.")
    status: int
    detail: str = Field(description="One sentence about this very request.")
    errors: tuple[ParameterProblem, ...] = Field(default=(), description="The parameters that cannot be used.")


# What `HTTPStatus` says in 3.11 is the older wording of RFC 7231.
_TITLES = {422: "Unprocessable Content"}


def problem(
    status: int, detail: str, *, errors: Sequence[ParameterProblem] = (), headers: Mapping[str, str] | None = None
) -> Response:
    """Make the answer for one problem, with the headers that every answer has."""
    body = Problem(
        title=_TITLES.get(status) or HTTPStatus(status).phrase, status=status, detail=detail, errors=tuple(errors)
    )
    content = body.model_dump(exclude_defaults=not errors) | {"type": body.type}
    return Response(
        json.dumps(content, ensure_ascii=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={**SECURITY_HEADERS, "Cache-Control": "no-store", **(headers or {})},
    )


def parameter_error(parameter: str, message: str) -> RequestValidationError:
    """Make the error for one query parameter, as FastAPI makes its own."""
    return RequestValidationError([{"type": "value_error", "loc": ("query", parameter), "msg": message}])


def field_error(field: str, message: str) -> RequestValidationError:
    """Make the error for one field of a body, as FastAPI makes its own."""
    return RequestValidationError([{"type": "value_error", "loc": ("body", field), "msg": message}])


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TrailhoundError, _refused)
    app.add_exception_handler(Exception, _unexpected)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - tells the type; Starlette chose by it
    plain = error.detail == HTTPStatus(error.status_code).phrase
    detail = _NO_PAGE if error.status_code == HTTPStatus.NOT_FOUND and plain else error.detail
    headers = dict(error.headers or {})
    if "GET" in headers.get("Allow", "").split(", "):
        headers["Allow"] += ", HEAD"  # Which is GET without the body (`api.guard`).
    return problem(error.status_code, detail, headers=headers)


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = [
        ParameterProblem(parameter=_named(one["loc"]), message=_sentence(one["msg"])) for one in error.errors()[:20]
    ]
    first = errors[0]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{first.parameter}: {first.message}", errors=errors)


def _named(location: Sequence[int | str]) -> str:
    """Name what is wrong by its place: a parameter, a field of the body with those around it, or the body."""
    parts = location[1:] if location[0] == "body" else location[1:2]
    return ".".join(str(part)[:64] for part in parts or location)


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "expected")


def _refused(request: Request, error: Exception) -> Response:
    """Tell what a caller can do about it; what a person at the machine has to know goes to the log."""
    match error:
        case StoreUnavailable():
            logger.warning("The store does not answer: %s", error)
            return problem(503, "The store does not answer; try again.", headers={"Retry-After": str(RETRY_SECONDS)})
        case StoreDamaged():
            logger.error("The store is damaged: %s", error)
            return problem(500, "The store is damaged; the log of Trailhound says more.")
        case StoreConflict():
            return problem(412, "Somebody else has changed this: get it again, and see what it is like now.")
        case StoreFull():
            return problem(409, f"{str(error).capitalize()}.")
        case StoreError() if "cursor" in request.query_params:
            message = "this store gave no such cursor for this order and these conditions; start again without it"
            return problem(400, f"cursor: {message}", errors=[ParameterProblem(parameter="cursor", message=message)])
        case TrailSetError():
            logger.error("The trail set cannot be used: %s", error)
            return problem(503, "The trail set cannot be read.", headers={"Retry-After": str(RETRY_SECONDS)})
        case _:
            logger.error("A request failed: %s", error)
            return problem(500, "The request failed; the log of Trailhound says more.")


def _unexpected(_request: Request, _error: Exception) -> Response:
    return problem(500, "The request failed; the log of Trailhound says more.")
