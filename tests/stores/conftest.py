"""The stores that the contract is tried on."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from stores.contract import Store
from stores.embedded import needles, open_embedded, plan
from tests.elasticsearch.cleaning import clean
from tests.stores.emptied import Emptied


@dataclass(frozen=True, slots=True)
class MakeStore:
    """Makes empty stores of one kind; `examples` is how many a property test should take."""

    make: Callable[[], AbstractContextManager[Store]]
    examples: int = 60

    def __call__(self) -> AbstractContextManager[Store]:
        return self.make()


@contextmanager
def _embedded() -> Iterator[Store]:
    with TemporaryDirectory() as folder:
        store = open_embedded(Path(folder) / "events.sqlite")
        try:
            yield store
        finally:
            store.close()


@pytest.fixture(scope="session")
def emptied(elasticsearch_url: str) -> Iterator[Emptied]:
    """Give a namespace of Elasticsearch, to be used again and again."""
    namespace = f"t{uuid.uuid4().hex[:12]}"
    made = Emptied(elasticsearch_url, namespace)
    yield made
    made.close()
    clean(elasticsearch_url, namespace)


@pytest.fixture(params=["embedded", "embedded, never by index", "elasticsearch"])
def make_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
    """Give a function that makes an empty store, of every kind there is in turn."""
    if request.param == "elasticsearch":
        emptied: Emptied = request.getfixturevalue("emptied")
        return MakeStore(emptied.store, examples=15)
    if request.param == "embedded, never by index":
        # Stores of tests are so small that the embedded one would not turn to its rollups for most queries.
        monkeypatch.setattr(plan, "FEW", -1)
        monkeypatch.setattr(plan, "MANY", 1_000_000_000)
        monkeypatch.setattr(needles, "GATHERED", 0)
    return MakeStore(_embedded)


@pytest.fixture
def store(make_store: MakeStore) -> Iterator[Store]:
    with make_store() as made:
        yield made
