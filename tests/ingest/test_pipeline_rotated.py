"""The way of a record when logs are renamed, copied and compressed on it, into the real embedded store."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ingest import pipeline as module
from ingest import remembered, rotated
from matchers.trailset import TrailSet
from tests.ingest.living import START, append, header, rows, trail_set
from tests.ingest.place import NAMES, Moody, Place, counts, eventually, once, status_of
from tests.ingest.rotating import Rotator, compress
from trailhound.event import Event

_OURS = ["line", "lines", "half", "cycle", "cycle", "restart", "crash"]


@pytest.fixture(scope="module")
def trails(tmp_path_factory: pytest.TempPathFactory) -> TrailSet:
    return trail_set(tmp_path_factory.mktemp("trails") / "trails.set", NAMES)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(rotated, "SETTLE", 0.0)


@pytest.fixture
def place(tmp_path: Path, trails: TrailSet) -> Place:
    return Place(tmp_path, trails)


class _CrashError(Exception):
    """Ends a run at once."""


@pytest.mark.parametrize("how", ["gz", "zst"])
@pytest.mark.parametrize("stored", [pytest.param(True, id="stored"), pytest.param(False, id="not-stored")])
def test_a_stretch_that_was_under_way_at_a_crash_is_read_again_from_what_was_compressed_meanwhile(
    place: Place, how: str, *, stored: bool
) -> None:
    append(place.log, header() + rows(range(50)))
    with place.store() as store:
        crashing = Moody(store)

        def crash(events: Sequence[Event]) -> None:
            if stored:
                store.append(events)
            raise _CrashError

        crashing.before = crash
        with pytest.raises(_CrashError):
            place.pipeline(crashing).run()
        append(place.log, rows(range(50, 60)))
        compress(place.log, how=how)
        append(place.log, header(1) + rows(range(60, 70)))
        with place.running(store):
            eventually(lambda: counts(store) == once(range(70)))


def test_what_is_deleted_unread_while_down_is_counted_as_lost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "GRACE", 0.1)
    monkeypatch.setattr(module, "BEAT_EVERY", 0.05)
    append(place.log, header() + rows(range(5)))
    with place.store() as store:
        with pytest.raises(_CrashError):
            place.pipeline(_crashing(store)).run()
        size = place.log.stat().st_size
        place.log.unlink()
        append(place.log, header(1) + rows(range(5, 9)))
        with place.running(store):
            eventually(lambda: (status := status_of(store)) is not None and status.lost_bytes == size)
            eventually(lambda: counts(store) == once(range(5, 9)))
        with place.running(store):
            eventually(lambda: (status := status_of(store)) is not None and status.lost_bytes == size)


def _crashing(store: object) -> Moody:
    crashing = Moody(store)  # type: ignore[arg-type]

    def crash(events: Sequence[Event]) -> None:
        raise _CrashError

    crashing.before = crash
    return crashing


@pytest.mark.parametrize("start", ["2023-11-14T22:13:25Z", "2023-11-14T23:13:25+01:00"])
def test_records_before_the_time_to_start_at_do_not_count(place: Place, start: str) -> None:
    place.more["start"] = start  # START + 5 seconds.
    append(place.logs / "old.log", header() + rows(range(8)))
    os.utime(place.logs / "old.log", (START, START))
    append(place.log, header(1) + rows(range(10)))
    with place.store() as store:
        with place.running(store):
            eventually(lambda: counts(store) == once(range(5, 10)))
        append(place.logs / "old.log", rows(range(20, 22)))
        append(place.log, rows(range(3)) + rows(range(22, 24)))  # It still is not asked for, after a restart too.
        with place.running(store):
            eventually(lambda: counts(store) == once([*range(5, 10), *range(20, 24)]))


@examples(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from([*_OURS, "rotate", "rotate-logrotate", "rotate-dated", "copytruncate", "compress"]),
        max_size=40,
    ),
    moods=st.lists(st.sampled_from(["well", "away", "mute"]), max_size=12),
)
def test_whatever_rotators_do_every_line_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, trails: TrailSet, steps: list[str], moods: list[str]
) -> None:
    place = Place(tmp_path_factory.mktemp("place"), trails, {"polling": True})
    rotator = Rotator(place.logs)
    with place.store() as real:
        store = Moody(real, moods)
        pipeline = place.pipeline(store)
        for step in ["cycle", *steps, "rest", "restart", "cycle"]:
            if step in ("restart", "crash"):
                if step == "restart":
                    pipeline._attempt(pipeline._save, "", tries=1)
                pipeline.close()
                pipeline = place.pipeline(store)
            elif step == "cycle":
                idle = 0
                while idle < 3:
                    pipeline._discover()
                    idle = 0 if pipeline.cycle() else idle + 1
                pipeline._attempt(pipeline._save, "", tries=1)
            else:
                rotator.do(step)
        assert not pipeline._follow.losses()
        pipeline.close()
        assert counts(real) == once(range(len(rotator.written)))
