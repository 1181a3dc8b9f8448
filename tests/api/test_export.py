import csv
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import export
from stores.contract import EventOrder, Query, Store
from tests.api.client import AppClient, refused
from tests.stores.factory import make_event


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_lines_hold_whole_events(client: AppClient, filled: Store) -> None:
    answer = client.get("/api/v1/events/export", {"order": "oldest"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    exported = [json.loads(line) for line in answer.text.splitlines()]
    assert exported == client.json("/api/v1/events", order="oldest")["events"]
    assert len(exported) == 6


def test_rows_hold_the_main_fields_of_what_was_asked_for(client: AppClient, filled: Store) -> None:
    answer = client.get("/api/v1/events/export", {"format": "csv", "severity": "high"})
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    [row] = _rows(answer.text)
    assert list(row) == list(export.COLUMNS)
    assert (row["source"], row["severity"], row["count"]) == ("80.94.92.10", "high", "1")


def test_no_more_than_asked_for(client: AppClient, filled: Store) -> None:
    assert len(client.get("/api/v1/events/export", {"limit": 2}).text.splitlines()) == 2
    refused(client.get("/api/v1/events/export", {"limit": 0}), 422)
    refused(client.get("/api/v1/events/export", {"format": "xml"}), 422)


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    written = export.cell(text)
    assert not written.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert "\0" not in written


def test_a_hostile_log_makes_no_formula_and_no_row(client: AppClient, store: Store) -> None:
    store.append([make_event(identity="x", message="=cmd|' /C calc'!A0\",\r\n\"second")])
    [row] = _rows(client.get("/api/v1/events/export", {"format": "csv"}).text)
    assert row["message"].startswith("'=cmd")


@pytest.fixture
def many(store: Store) -> Store:
    for begin in range(0, 20_000, 1_000):
        store.append([make_event(identity=str(begin + number), message="m" * 500) for number in range(1_000)])
    return store


def test_memory_does_not_grow_with_the_number_of_events(many: Store) -> None:
    tracemalloc.start()
    try:
        lines = export.lines(many, Query(), "ndjson", order=EventOrder.NEWEST, limit=None)
        size = sum(len(chunk) for chunk in lines)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 20_000_000
    assert peak < size / 3
