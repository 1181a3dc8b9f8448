"""The stores that the contract is tried on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from stores.contract import Store
from stores.embedded import open_embedded, plan

MakeStore = Callable[[], AbstractContextManager[Store]]


@contextmanager
def _embedded() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = open_embedded(Path(folder) / "events.sqlite")
        try:
            yield store
        finally:
            store.close()


@pytest.fixture(params=["embedded", "embedded, never by index"])
def make_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
    """Give a function that makes an empty store, of every kind there is in turn."""
    if request.param == "embedded, never by index":
        # Stores of tests are so small that the embedded one would not turn to its rollups for most queries.
        monkeypatch.setattr(plan, "FEW", -1)
        monkeypatch.setattr(plan, "MANY", 1_000_000_000)
    return _embedded


@pytest.fixture
def store(make_store: MakeStore) -> Iterator[Store]:
    with make_store() as made:
        yield made
