"""The connection of a client: requests by operation, errors of ours, and patience with a server that is busy."""

import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from trailhound.client.conditions import parameters
from trailhound.client.operations import OPERATIONS
from trailhound.errors import RequestError

TRIES = 4
_BUSY = frozenset({429, 503})
_LONGEST_PAUSE = 60.0
_PAUSE = 1.0
_PAGE = 1000
_SHOWN = 500  # Characters of an answer that is no problem document.
Answer = TypeVar("Answer")


class Connection:
    """Asks one server. Answers of 429 and 503 are waited for, as long as they say, a few times."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        ca_file: Path | None,
        timeout: float,
        transport: httpx.BaseTransport | None,
    ) -> None:
        """Make it; nothing is sent yet. Raises `RequestError` for an address or a file that cannot be used."""
        try:
            self._http = httpx.Client(
                base_url=url,
                headers={"X-Api-Key": key} if key else {},
                verify=ssl.create_default_context(cafile=ca_file) if ca_file is not None else True,
                timeout=timeout,
                transport=transport,
            )
        except (OSError, httpx.InvalidURL) as error:
            raise RequestError(f"{url} with ca_file = {ca_file}: {error}") from error
        if self._http.base_url.scheme not in ("http", "https") or not self._http.base_url.host:
            raise RequestError(f"{url!r}: an address such as https://trailhound.example:8338 was expected")

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        operation: str,
        type_: type[Answer],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        match: str | None = None,
        **path: object,
    ) -> Answer:
        """Do an operation and give its answer. `match` is the version that was seen, or `*`."""
        said = self.send(operation, query=query, body=body, match=match, **path)
        try:
            return msgspec.json.decode(said.content, type=type_)
        except msgspec.MsgspecError as error:
            raise RequestError(f"{said.request.url}: this is no answer of Trailhound: {error}") from error

    def send(
        self,
        operation: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        match: str | None = None,
        **path: object,
    ) -> httpx.Response:
        """Do an operation; give the answer as it came."""
        method, template = OPERATIONS[operation]
        headers = {"If-Match": match if match == "*" else f'"{match}"'} if match is not None else {}
        if method == "POST":
            # The same for all tries, so that what was made and could not be told is not made twice.
            headers["Idempotency-Key"] = str(uuid.uuid4())
        place = template.format_map({name: quote(str(value), safe="") for name, value in path.items()})
        request = self._http.build_request(
            method,
            place,
            params=parameters(query or {}),
            headers=headers,
            json={name: value for name, value in body.items() if value is not None} if body is not None else None,
        )
        return self._answer(request)

    def pages(
        self, operation: str, type_: type[Answer], what: str, limit: int | None, query: Mapping[str, Any]
    ) -> Iterator[Answer]:
        """Give the members of a list page by page, at most `limit` of them."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = self.ask(operation, dict[str, Any], query={**query, "limit": size, "cursor": cursor})
            found = _members(operation, type_, page.get(what))
            yield from found
            left = None if left is None else left - len(found)
            cursor = page.get("next")
            if cursor is None or not found:
                return

    def listed(
        self, operation: str, type_: type[Answer], what: str, query: Mapping[str, Any], **path: str
    ) -> list[Answer]:
        """Give the members of a list that has one page."""
        return _members(
            operation, type_, self.ask(operation, dict[str, Any], query=query, body=None, match=None, **path).get(what)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        for tried in range(1, TRIES + 1):
            try:
                answer = self._http.send(request)
            except httpx.HTTPError as error:
                raise RequestError(f"{request.url}: {error or type(error).__name__}") from error
            if answer.is_success:
                return answer
            if answer.status_code not in _BUSY or tried == TRIES:
                break
            time.sleep(_pause(answer, tried))
        raise RequestError(f"{request.method} {request.url}: {_said(answer)}", answer.status_code)


def _members(operation: str, type_: type[Answer], found: object) -> list[Answer]:
    try:
        return [msgspec.convert(one, type_) for one in msgspec.convert(found, list[Any])]
    except msgspec.ValidationError as error:
        raise RequestError(f"{operation}: this is no answer of Trailhound: {error}") from error


def _pause(answer: httpx.Response, tried: int) -> float:
    said = answer.headers.get("Retry-After", "")
    seconds = float(said) if said.isascii() and said.isdigit() and len(said) < 6 else _PAUSE * 2**tried
    return min(seconds, _LONGEST_PAUSE)


def _said(answer: httpx.Response) -> str:
    """Give what a server says of a request that it refuses."""
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        problem = {}
    detail = problem.get("detail")
    return f"{answer.status_code}: {detail if isinstance(detail, str) else answer.text[:_SHOWN]}"
