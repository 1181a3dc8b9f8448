"""Every operation, called with what the OpenAPI document allows and with what it does not, answers as it says.

That is: no answer of 500 or more, only statuses, media types, bodies and headers that are declared, nothing taken that
does not fit, no method that is not declared, and nothing without credentials.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from api.access.guarding import operations
from api.access.principal import Scope
from tests.api.described import Asked, ask, hold, key_of, make_app

EXAMPLES = {"short": 8, "full": 400}
WALKS = {"short": 25, "full": 500}


@pytest.fixture
def described_app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return make_app(tmp_path_factory.mktemp("described"))


@pytest.fixture
def length(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--torture"))


def held(app: FastAPI, found: Iterator[Asked]) -> list[Asked]:
    """Hold every answer to the document, and see that every operation was asked."""
    every = list(found)
    for one in every:
        hold(one)
    count = Counter(one.operation["operationId"] for one in every)
    assert count.keys() == {one["operationId"] for one in operations(app.openapi())}
    return every


def test_at_every_edge_an_admin_is_answered_as_declared(described_app: FastAPI) -> None:
    """An edge is what lies on either side of a bound, what is missing or doubled, and what has another type."""
    found = held(described_app, ask(described_app, key_of(described_app), "examples", "coverage"))
    taken = {one.operation["operationId"] for one in found if one.answer.status_code < 300}
    assert len(taken) > 50, "nearly every operation has to succeed for its answer to be looked at"


@pytest.mark.torture
def test_whatever_a_stranger_sends_is_turned_away_as_declared(described_app: FastAPI, length: str) -> None:
    for one in held(described_app, ask(described_app, {}, "fuzzing", examples=EXAMPLES[length])):
        assert one.answer.status_code >= 400 or one.operation["security"] == [], str(one)


@pytest.mark.torture
def test_whatever_an_admin_sends_is_answered_as_declared(described_app: FastAPI, length: str) -> None:
    held(described_app, ask(described_app, key_of(described_app), "fuzzing", examples=EXAMPLES[length]))


@pytest.mark.torture
def test_whatever_a_reader_sends_changes_nothing(described_app: FastAPI, length: str) -> None:
    reader = key_of(described_app, Scope.READ)
    for one in held(described_app, ask(described_app, reader, "fuzzing", examples=EXAMPLES[length])):
        if one.operation.get("x-scope", "read") != "read":
            assert one.answer.status_code >= 400, str(one)


@pytest.mark.torture
def test_what_was_made_is_read_changed_and_removed_as_declared(described_app: FastAPI, length: str) -> None:
    for one in ask(described_app, key_of(described_app), "stateful", examples=WALKS[length]):
        hold(one)
