"""Texts that make readers of patterns work for ages: every answer comes soon, however long the text may be."""

from time import process_time

import pytest

from stores.contract import Store
from stores.search.parse import MAX_LENGTH
from tests.api.client import AppClient

PATTERNS = [
    "*a",
    "a*?",
    '"\\',
    '\\"',
    "(",
    ")",
    "-(",
    "NOT ",
    "a,",
    "a:",
    'a:"',
    '"a",',
    "src:1.",
    "sev:>",
    " OR ",
    "||",
]
SECONDS = 1.5


@pytest.mark.parametrize("unit", PATTERNS)
@pytest.mark.parametrize("ending", ["", "!", '"', "x)"])
def test_no_search_takes_long_to_read(client: AppClient, filled: Store, unit: str, ending: str) -> None:
    text = (unit * MAX_LENGTH)[: MAX_LENGTH - len(ending)] + ending
    begin = process_time()
    assert client.get("/api/v1/events", {"search": text}).status_code in (200, 422)
    assert process_time() - begin < SECONDS


@pytest.mark.parametrize("name", ["since", "source", "cursor", "q", "trail"])
@pytest.mark.parametrize("unit", ["0", "1.", ":", "%", "a.", "é", "/a?", "-"])
def test_no_parameter_takes_long_to_read(client: AppClient, filled: Store, name: str, unit: str) -> None:
    begin = process_time()
    assert client.get("/api/v1/events", {name: (unit * 4000)[:4000]}).status_code in (200, 400, 422)
    assert process_time() - begin < SECONDS
