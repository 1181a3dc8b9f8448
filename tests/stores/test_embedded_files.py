"""Which files the embedded store opens, and which it refuses."""

import sqlite3
from pathlib import Path

import pytest

from stores.contract import Query
from stores.embedded import open_embedded
from tests.stores.factory import make_event
from trailhound.errors import StoreDamaged, StoreUnavailable
from trailhound.event import Event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


def _some(number: int) -> list[Event]:
    return [make_event(identity=str(n)) for n in range(number)]


def test_a_reader_before_there_is_a_store_is_told_so(path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no store yet") as raised:
        open_embedded(path, read_only=True)
    assert str(path) in str(raised.value)
    assert not path.exists()


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    path = tmp_path / "state" / "deep # ?%20" / "events.sqlite"
    store = open_embedded(path)
    store.append(_some(1))
    assert store.count(Query()) == 1
    store.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreUnavailable, match="no store yet"):
        open_embedded(path, read_only=True)
    store = open_embedded(path)
    assert store.append(_some(1)).stored == 1
    store.close()


def _foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events (id)")
    connection.execute("PRAGMA application_id = 1234")
    connection.close()


def _newer(path: Path) -> None:
    open_embedded(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _text(path: Path) -> None:
    path.write_text("These are no events.\n" * 100)


def _cut(path: Path) -> None:
    store = open_embedded(path)
    store.append(_some(300))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192])


def _overwritten(path: Path) -> None:
    store = open_embedded(path)
    store.append(_some(300))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_foreign, "another program"),
        (_newer, "version 99"),
        (_text, "some other file"),
        (_cut, "damaged"),
        (_overwritten, "damaged"),
    ],
)
def test_a_file_that_is_no_sound_store_is_refused_and_left_alone(
    path: Path, spoil: object, says: str, *, read_only: bool
) -> None:
    assert callable(spoil)
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match=says) as raised:
        open_embedded(path, read_only=read_only)
    assert str(path) in str(raised.value)
    assert path.read_bytes() == before


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        open_embedded(tmp_path)
