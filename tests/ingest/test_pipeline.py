"""The way of a record, live, into the real embedded store."""

import shutil
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingest import pipeline as module
from ingest import remembered
from ingest.positions import load
from matchers.trailset import TrailSet
from stores.contract import SensorStatus
from tests.ingest.living import append, header, name, row, rows
from tests.ingest.place import Moody, Place, counts, eventually, once, status_of
from tests.limits import file_size_limit
from trailhound.errors import SettingsError, SourceError, StoreDamaged, StoreUnavailable
from trailhound.event import Event

pytestmark = pytest.mark.usefixtures("logging", "impatient")


def test_lines_that_are_there_and_lines_that_come_are_found(place: Place) -> None:
    append(place.log, header() + rows(range(3)))
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == once(range(3)))
        append(place.log, row(3))
        eventually(lambda: counts(store) == once(range(4)))
        append(place.logs / "late.log", header(1) + row(4))
        eventually(lambda: counts(store) == once(range(5)))


def test_positions_are_saved_as_pending_before_and_as_done_after_the_store_has_answered(place: Place) -> None:
    append(place.log, header() + row(0))
    seen: list[tuple[int, int | None]] = []
    with place.store() as real:
        store = Moody(real)

        def look(events: Sequence[Event]) -> None:
            assert counts(real) == {}
            seen.extend((p.offset, p.pending) for p in load(place.settings.positions_path))

        store.before = look
        with place.running(store):
            eventually(lambda: counts(real) == once([0]))
    size = place.log.stat().st_size
    assert seen == [(0, size)]
    assert [(p.offset, p.pending) for p in load(place.settings.positions_path)] == [(size, None)]


@pytest.mark.parametrize("mood", ["away", "mute"])
def test_when_the_store_does_not_answer_nothing_is_lost_and_nothing_is_there_twice(place: Place, mood: str) -> None:
    append(place.log, header() + rows(range(5)))
    with place.store() as real:
        store = Moody(real, [mood] * 4)
        with place.running(store):
            append(place.log, rows(range(5, 9)))
            eventually(lambda: counts(real) == once(range(9)) and not store.moods)


def test_a_run_that_ends_while_the_store_is_away_loses_nothing(place: Place) -> None:
    append(place.log, header() + rows(range(5)))
    with place.store() as real:
        store = Moody(real, ["away"] * 1_000_000)
        with place.running(store):
            eventually(lambda: len(store.moods) < 999_990)
        append(place.log, rows(range(5, 9)))
        with place.running(real):
            eventually(lambda: counts(real) == once(range(9)))


def test_a_run_that_ends_after_the_answer_was_lost_stores_nothing_twice(place: Place) -> None:
    queries = [1, 1, 2, 1, 2]
    append(place.log, header() + b"".join(row(n, name(q)) for n, q in enumerate(queries)))
    with place.store() as real:
        store = Moody(real, ["mute", *["away"] * 1_000_000])
        with place.running(store):
            eventually(lambda: counts(real) == {name(1): 3, name(2): 2})
        append(place.log, b"".join(row(n, name(q)) for n, q in enumerate(queries, 10)))
        with place.running(real):
            eventually(lambda: counts(real) == {name(1): 6, name(2): 4})


def test_a_stop_while_the_store_is_away_does_not_wait_for_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 3600.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 3600.0)
    append(place.log, header() + row(0))
    with place.store() as real:
        store = Moody(real, ["away"] * 10)
        with place.running(store):
            eventually(lambda: len(store.moods) == 9)


def test_a_damaged_store_ends_the_run_and_lets_go_of_all(place: Place) -> None:
    append(place.log, header() + row(0))
    with place.store() as real:
        pipeline = place.pipeline(Moody(real, ["broken"]))
        with pytest.raises(StoreDamaged):
            pipeline.run()
        assert not pipeline._follow.open
        with place.running(real):
            eventually(lambda: counts(real) == once([0]))


def test_lines_that_cannot_be_read_go_to_the_dead_letters_and_reading_goes_on(place: Place) -> None:
    append(place.log, header() + row(0) + b"nonsense\n" + row(1) + b"more\tnonsense\n")
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == once(range(2)))
        eventually(lambda: place.letters() == [10, 12])


def test_an_overlong_line_goes_to_the_dead_letters_and_reading_goes_on_behind_it(place: Place) -> None:
    place.more["max_line_bytes"] = 4096
    append(place.log, header() + row(0))
    with place.store() as store, place.running(store):
        for _ in range(5):
            append(place.log, b"x" * 3000)
            time.sleep(0.02)
        append(place.log, b"\n" + row(1) + b"y" * 5000 + b"\n" + row(2))
        eventually(lambda: counts(store) == once(range(3)))
        assert place.letters() == [10, 12]


def test_while_dead_letters_cannot_be_written_nothing_is_taken_for_done(place: Place) -> None:
    letters = place.settings.dead_letters_path
    letters.mkdir()
    append(place.log, header() + row(0) + b"nonsense\n")
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == once([0]))
        eventually(lambda: "dead letters" in (((status := status_of(store)) and status.problem) or ""))
        append(place.log, row(1))
        time.sleep(0.2)
        assert counts(store) == once([0])
        letters.rmdir()
        eventually(lambda: counts(store) == once(range(2)))
        eventually(lambda: (status := status_of(store)) is not None and status.problem is None)
        assert place.letters() == [10]


def test_while_positions_cannot_be_saved_nothing_goes_to_the_store(place: Place) -> None:
    unborn = place.settings.positions_path.with_name("positions.json.new")
    append(place.log, header() + row(0))
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == once([0]))
        eventually(lambda: not unborn.exists() and load(place.settings.positions_path)[0].pending is None)
        unborn.mkdir()
        append(place.log, row(1))
        eventually(lambda: "positions" in (((status := status_of(store)) and status.problem) or ""))
        assert counts(store) == once([0])
        unborn.rmdir()
        eventually(lambda: counts(store) == once(range(2)))


def test_a_full_disk_is_waited_for(place: Place) -> None:
    for number in range(40):
        append(place.logs / f"dns.{number}.log", header(number) + row(number))
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == once(range(40)))
        with file_size_limit(4096):  # Neither positions nor the store fit into that; the new log does.
            append(place.log, header(99) + row(200))
            time.sleep(0.5)
            assert name(200) not in counts(store)
        eventually(lambda: counts(store) == once([*range(40), 200]))


def test_the_heartbeat_tells_what_was_read(place: Place) -> None:
    append(place.log, header() + rows(range(3)) + row(3, "harmless.test") + b"nonsense\n" + row(4)[:10])
    with place.store() as store, place.running(store):
        eventually(lambda: (status := status_of(store)) is not None and status.records == 4)
        status = status_of(store)
    assert status is not None
    assert (status.sensor, status.log, status.path) == ("dmz", "dns", str(place.log))
    assert (status.matches, status.unreadable, status.lag_bytes, status.lost_bytes) == (3, 1, 10, 0)
    assert status.last_record == (1_700_000_000 + 3) * 1_000_000
    assert status.problem is None


def test_the_heartbeat_counts_what_was_cut_off_unread(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "GRACE", 0.1)
    append(place.log, header() + rows(range(3)) + row(3)[:10])
    with place.store() as store, place.running(store):
        eventually(lambda: (status := status_of(store)) is not None and status.lag_bytes == 10)
        place.log.write_bytes(b"")
        eventually(lambda: (status := status_of(store)) is not None and status.lost_bytes == 10)


def test_a_heartbeat_that_is_missed_is_no_problem_that_stays(place: Place) -> None:
    append(place.log, header() + row(0))

    class Deaf(Moody):
        missed = 0

        def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
            if self.missed < 3:
                self.missed += 1
                raise StoreUnavailable("busy")
            self._store.put_sensors(statuses)

    with place.store() as real, place.running(Deaf(real)):
        eventually(lambda: status_of(real) is not None)
        status = status_of(real)
        assert status is not None
        assert status.problem is None


def test_from_the_end_what_was_there_before_the_first_run_is_not_read(place: Place) -> None:
    place.more["start"] = "end"
    append(place.log, header() + row(0))
    with place.store() as store:
        with place.running(store):
            append(place.log, row(1))
            eventually(lambda: counts(store) == once([1]))
        append(place.log, row(2))
        append(place.logs / "late.log", header(1) + row(3))
        with place.running(store):
            eventually(lambda: counts(store) == once([1, 2, 3]))


def test_from_the_end_what_comes_while_a_first_run_without_news_is_down_is_read(place: Place) -> None:
    place.more["start"] = "end"
    append(place.log, header() + row(0))
    with place.store() as store:
        with place.running(store):
            pass
        append(place.log, row(1))
        append(place.logs / "late.log", header(1) + row(2))
        with place.running(store):
            eventually(lambda: counts(store) == once([1, 2]))


def test_a_missing_folder_is_refused_before_anything_is_done(place: Place) -> None:
    shutil.rmtree(place.logs)
    with place.store() as store, pytest.raises(SourceError, match="does not exist"):
        place.pipeline(store)


def test_damaged_positions_are_refused_before_anything_is_done(place: Place) -> None:
    place.settings.positions_path.write_bytes(b"nonsense")
    with place.store() as store, pytest.raises(SettingsError, match="move the file away"):
        place.pipeline(store)


def test_hostile_names_and_headers_do_not_end_the_run(place: Place) -> None:
    hostile = header().replace(b"#path\tdns", b"#path\td\xff\x1b[2J")
    append(place.logs / "\udcff\x1b[31m.log", hostile + row(0))
    with place.store() as store:
        for numbers in ([0], [0, 1]):
            with place.running(store):
                eventually(lambda numbers=numbers: counts(store) == once(numbers))  # type: ignore[misc]
            append(place.logs / "\udcff\x1b[31m.log", row(1))


@examples(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["line", "burst", "half", "rotate", "cycle", "restart", "crash"]), max_size=40),
    moods=st.lists(st.sampled_from(["well", "away", "mute", "partly"]), max_size=12),
)
def test_whatever_happens_every_line_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, trails: TrailSet, steps: list[str], moods: list[str]
) -> None:
    place = Place(tmp_path_factory.mktemp("place"), trails, {"polling": True})
    writer = _Writer(place)
    with place.store() as real:
        store = Moody(real, moods)
        pipeline = place.pipeline(store)
        for step in [*steps, "rest", "restart", "cycle"]:
            if step in ("restart", "crash"):
                # A crash saves nothing at its end; both must do with what was saved before.
                if step == "restart":
                    pipeline._attempt(pipeline._save, "", tries=1)
                pipeline.close()
                pipeline = place.pipeline(store)
            elif step == "cycle":
                pipeline._discover()
                while pipeline.cycle():
                    pipeline._discover()
            else:
                writer.do(step)
        pipeline.close()
        assert counts(real) == writer.written


class _Writer:
    """Logs names, some again and again, and rotates."""

    def __init__(self, place: Place) -> None:
        self._log = place.log
        self._half = b""
        self._number = 0
        self._rotations = 0
        self.written: dict[str, int] = {}
        append(self._log, header())

    def do(self, step: str) -> None:
        append(self._log, self._half)
        self._half = b""
        if step == "rotate":
            self._rotations += 1
            self._log.rename(self._log.with_name(f"dns.{self._rotations}.log"))
            append(self._log, header(self._rotations))
        elif step == "half":
            line = self._next()
            append(self._log, line[:30])
            self._half = line[30:]
        elif step != "rest":
            for _ in range(30 if step == "burst" else 1):
                append(self._log, self._next())

    def _next(self) -> bytes:
        self._number += 1
        query = name(self._number % 7)
        self.written[query] = self.written.get(query, 0) + 1
        return row(self._number, query)
