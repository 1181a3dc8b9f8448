"""A store that takes some events, or none; settings that change meanwhile."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import pipeline as module
from ingest import pulse
from ingest.pipeline import Pipeline
from ingest.positions import load
from ingest.pulse import Pulse
from stores.contract import Acknowledgement, Query, SensorStatus, Store
from tests.ingest.living import append, engine, header, name, row, rows
from tests.ingest.place import Moody, Place, counts, eventually, once, status_of
from trailhound.errors import SourceError, StorePartly, StoreUnavailable
from trailhound.event import Event

pytestmark = pytest.mark.usefixtures("logging", "impatient")


class Choosy(Moody):
    """Takes only some names, until it takes all; tells what it was offered."""

    def __init__(self, store: Store, takes: set[str]) -> None:
        super().__init__(store)
        self.takes: set[str] | None = takes
        self.offered: list[list[str]] = []

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        self.offered.append([event.trail.value for event in events])
        takes = self.takes
        kept = [event for event in events if takes is None or event.trail.value in takes]
        acknowledgement = self._store.append(kept)
        if len(kept) < len(events):
            raise StorePartly("queue full", {event.id for event in events} - {event.id for event in kept})
        return acknowledgement


def test_when_the_store_takes_some_events_the_files_of_these_advance_and_only_others_are_given_again(
    place: Place,
) -> None:
    append(place.log, header() + rows(range(3)))
    append(place.logs / "late.log", header(1) + rows(range(10, 12)))

    def saved() -> dict[str, tuple[bool, bool]]:
        return {Path(p.path).stem: (p.offset > 0, p.pending is not None) for p in load(place.settings.positions_path)}

    with place.store() as real:
        store = Choosy(real, {name(number) for number in (0, 1, 10, 11)})
        with place.running(store):
            eventually(lambda: saved() == {"dns": (False, True), "late": (True, False)})
            eventually(lambda: len(store.offered) > 4)
            assert sorted(store.offered[0]) == sorted(name(number) for number in (0, 1, 2, 10, 11))
            assert store.offered[1:] == [[name(2)]] * len(store.offered[1:])
            eventually(lambda: any("queue full" in (status.problem or "") for status in real.sensors()))
            store.takes = None
            eventually(lambda: saved() == {"dns": (True, False), "late": (True, False)})
        assert counts(real) == once([0, 1, 2, 10, 11])
        assert {status.log: status.retries > 2 for status in real.sensors()} == {"dns": True, "late": False}


def test_a_run_that_ends_while_the_store_takes_some_events_loses_nothing(place: Place) -> None:
    append(place.log, header() + rows(range(3)))
    append(place.logs / "late.log", header(1) + rows(range(10, 12)))
    with place.store() as real:
        with place.running(Choosy(real, {name(number) for number in (0, 10, 11)})):
            eventually(lambda: counts(real) == once([0, 10, 11]))
        append(place.log, row(3))
        with place.running(real):
            eventually(lambda: counts(real) == once([0, 1, 2, 3, 10, 11]))


def test_while_the_store_is_away_it_is_told_since_when_and_that_reading_has_stopped(place: Place) -> None:
    append(place.log, header() + row(0))
    pulses: list[Pulse] = []
    with place.store() as real:
        store = Moody(real, ["away"] * 20)
        pipeline = Pipeline(place.settings, engine(place.trails), store, on_beat=pulses.append)  # type: ignore[arg-type]
        with place.at_work(pipeline):
            eventually(lambda: bool(pulses) and "reading has stopped: the store is restarting" in str(pulses[-1]))
            assert str(pulses[-1]).startswith("the store is away since 20")
            eventually(lambda: pulses[-1].trouble is None)
            eventually(lambda: str(pulses[-1]) == "1 logs followed, 0 bytes unread")


def test_heartbeats_that_cannot_be_stored_are_told_after_a_while(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "MISSED_SECONDS", 0.2)

    class Deaf(Moody):
        deaf = True

        def put_sensors(self, statuses: Sequence[SensorStatus]) -> None:
            if self.deaf:
                raise StoreUnavailable("no route")
            self._store.put_sensors(statuses)

    pulses: list[Pulse] = []
    with place.store() as real:
        store = Deaf(real)
        pipeline = Pipeline(place.settings, engine(place.trails), store, on_beat=pulses.append)  # type: ignore[arg-type]
        with place.at_work(pipeline):
            eventually(lambda: bool(pulses) and "heartbeats cannot be stored since" in (pulses[-1].trouble or ""))
            store.deaf = False
            eventually(lambda: pulses[-1].trouble is None)


def test_a_store_that_is_away_for_long_hears_signs_of_life(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 3600.0)
    append(place.log, header() + row(0))
    pulses: list[Pulse] = []
    with place.store() as real:
        store = Moody(real, ["away"])
        pipeline = Pipeline(place.settings, engine(place.trails), store, on_beat=pulses.append)  # type: ignore[arg-type]
        with place.at_work(pipeline):
            eventually(lambda: not store.moods)
            begin = len(pulses)
            eventually(lambda: len(pulses) > begin + 5)


def test_folders_that_are_added_are_followed_and_those_taken_away_are_not(place: Place, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    append(place.log, header() + row(0))
    append(more / "dns.log", header(1) + row(1))
    other = {"path": more, "sensor": "branch"}
    with place.store() as store, place.running(store) as pipeline:
        eventually(lambda: counts(store) == once([0]))
        place.more["folders"] = [{"path": place.logs, "sensor": "dmz"}, other]
        pipeline.take_settings(place.settings)
        eventually(lambda: counts(store) == once([0, 1]))
        eventually(lambda: {status.sensor for status in store.sensors()} == {"dmz", "branch"})
        place.more["folders"] = [other]
        pipeline.take_settings(place.settings)
        append(more / "dns.log", row(2))
        eventually(lambda: counts(store) == once([0, 1, 2]))
        append(place.log, row(3))
        append(more / "dns.log", row(4))
        eventually(lambda: counts(store) == once([0, 1, 2, 4]))
        place.more["folders"] = [{"path": place.logs, "sensor": "renamed"}, other]
        pipeline.take_settings(place.settings)
        eventually(lambda: counts(store) == once(range(5)))
        event = store.events(Query(trails=(name(3),))).events[0]
        assert event["observer"]["name"] == "renamed"


def test_a_folder_that_is_not_there_leaves_the_settings_as_they_were(place: Place, tmp_path: Path) -> None:
    with place.store() as store, place.running(store) as pipeline:
        place.more["folders"] = [{"path": tmp_path / "nowhere"}]
        with pytest.raises(SourceError, match="does not exist"):
            pipeline.take_settings(place.settings)
        append(place.log, header() + row(0))
        eventually(lambda: counts(store) == once([0]))


def test_counts_go_on_after_a_restart(place: Place) -> None:
    append(place.log, header() + rows(range(3)) + b"nonsense\n")
    with place.store() as store:
        with place.running(store):
            eventually(lambda: (status := status_of(store)) is not None and status.records == 3)
        append(place.log, row(3))
        with place.running(store):
            eventually(lambda: (status := status_of(store)) is not None and status.records == 4)
        status = status_of(store)
    assert status is not None
    assert (status.records, status.matches, status.unreadable) == (4, 4, 1)
