import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.observables import Extent, ObservableMemory, Place, Sightings
from trailhound.errors import StoreDamaged, StoreUnavailable

Fact = tuple[str, str, int]
FACTS = st.lists(
    st.tuples(st.sampled_from(["evil.example", "192.0.2.1"]), st.sampled_from(["dmz", "lan"]), st.integers(0, 9)),
    max_size=12,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observables.sqlite"


def facts(told: Iterable[Fact]) -> dict[Place, set[str]]:
    found: dict[Place, set[str]] = {}
    for value, sensor, hour in told:
        found.setdefault((hour, sensor), set()).add(value)
    return found


def open_memory(path: Path, max_rows: int = 1000) -> ObservableMemory:
    return ObservableMemory(path, max_rows)


def test_what_was_seen_is_known_to_others_by_value_and_sensor(path: Path) -> None:
    writer, reader = open_memory(path), open_memory(path)
    writer.keep(facts({("evil.example", "dmz", 7), ("evil.example", "dmz", 9), ("evil.example", "lan", 8)}))
    assert reader.seen(["evil.example", "good.example"]) == {
        "evil.example": [Sightings("dmz", 7, 9, 2), Sightings("lan", 8, 8, 1)]
    }


def test_nothing_is_known_and_no_file_made_where_nothing_was_remembered(path: Path) -> None:
    memory = open_memory(path)
    assert memory.seen(["evil.example"]) == {}
    assert memory.extent() == Extent()
    assert not path.exists()


def test_the_file_is_for_its_owner_and_group_alone(path: Path) -> None:
    open_memory(path).keep(facts({("evil.example", "dmz", 1)}))
    assert path.stat().st_mode & 0o007 == 0


@given(pieces=st.lists(FACTS, max_size=5), again=st.lists(FACTS, max_size=3))
def test_facts_that_are_told_again_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[list[Fact]], again: list[list[Fact]]
) -> None:
    memory = open_memory(tmp_path_factory.mktemp("memory") / "observables.sqlite")
    for piece in pieces:
        memory.keep(facts(piece))
    told = {fact for piece in pieces for fact in piece}
    before = memory.seen(["evil.example", "192.0.2.1"])
    for piece in [*pieces, *([fact for fact in piece if fact in told] for piece in again)]:
        memory.keep(facts(piece))
    assert memory.seen(["evil.example", "192.0.2.1"]) == before
    hours: dict[tuple[str, str], set[int]] = defaultdict(set)
    for value, sensor, hour in told:
        hours[value, sensor].add(hour)
    found = {(value, one.sensor): one for value, by in before.items() for one in by}
    assert found.keys() == hours.keys()
    for key, one in found.items():
        assert (one.first, one.last) == (min(hours[key]), max(hours[key]))
        assert 1 <= one.hours <= len(hours[key])
    memory.close()


def test_hours_that_come_in_order_are_all_counted(path: Path) -> None:
    memory = open_memory(path)
    memory.keep(facts({("evil.example", "dmz", hour) for hour in range(5, 25)}))
    for hour in range(25, 30):
        memory.keep(facts({("evil.example", "dmz", hour)}))
    assert memory.seen(["evil.example"])["evil.example"] == [Sightings("dmz", 5, 29, 25)]


def test_of_too_many_those_go_that_were_not_seen_for_longest(path: Path) -> None:
    memory = open_memory(path, max_rows=1000)
    memory.keep(facts({(f"old-{number}.example", "dmz", number) for number in range(1000)}))
    assert memory.extent().forgotten == 0
    memory.keep(facts({("new.example", "dmz", 2000), ("old-0.example", "dmz", 2000)}))
    extent = memory.extent()
    assert extent.forgotten == 51
    assert extent.forgotten_until == 51
    asked = ["new.example", "old-0.example", "old-1.example", "old-51.example", "old-52.example"]
    assert set(memory.seen(asked)) == {"new.example", "old-0.example", "old-52.example"}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (950,)


def test_how_many_there_are_is_known_after_a_restart(path: Path) -> None:
    memory = open_memory(path, max_rows=1000)
    memory.keep(facts({(f"old-{number}.example", "dmz", number) for number in range(1000)}))
    memory.close()
    memory = open_memory(path, max_rows=1000)
    memory.keep(facts({("new.example", "dmz", 2000)}))
    assert memory.extent().forgotten == 51


def test_a_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    for ask in (
        lambda: open_memory(path).keep(facts({("a.example", "dmz", 1)})),
        lambda: open_memory(path).seen(["a"]),
    ):
        with pytest.raises(StoreDamaged, match="a database of another program"):
            ask()
    path.write_bytes(b"no database at all, and longer than a header of one would be" * 4)
    with pytest.raises(StoreDamaged, match="the file is damaged"):
        open_memory(path).seen(["a.example"])
    assert before.startswith(b"SQLite")


def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        open_memory(tmp_path / "none" / "observables.sqlite").keep(facts({("a.example", "dmz", 1)}))
