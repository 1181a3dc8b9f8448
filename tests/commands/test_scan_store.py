"""`trailhound scan --store`: archives go to the store of the settings, and nothing is counted twice."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ingest import archive, backfill, positions
from ingest.deadletters import DeadLetters
from matchers.trailset import TrailSet
from stores.contract import Acknowledgement, Store
from stores.embedded import open_embedded
from stores.embedded.store import EmbeddedStore
from tests.commands.conftest import Ran, Trailhound
from tests.ingest.living import append, header, name, row, rows, trail_set
from tests.ingest.place import NAMES, Moody, Place, counts, eventually, once
from trailhound.commands import prepare, scanners
from trailhound.event import Event

Pack = Callable[[bytes], bytes]
PACKED: dict[str, Pack] = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}


class KilledError(BaseException):
    """The end of a process, wherever it was."""


class Mortal:
    """The real store, in a process that dies at one of its appends, before or after it."""

    def __init__(self, store: Store, *, after: bool) -> None:
        self._store = store
        self._after = after

    def append(self, events: Sequence[Event]) -> Acknowledgement:
        if self._after:
            self._store.append(events)
        raise KilledError

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.fixture(scope="module")
def trail_set_(tmp_path_factory: pytest.TempPathFactory) -> TrailSet:
    return trail_set(tmp_path_factory.mktemp("trails") / "trails.set", NAMES)


@pytest.fixture
def place(tmp_path: Path, trail_set_: TrailSet) -> Place:
    """Give an installation with a settings file of its own."""
    place = Place(tmp_path, trail_set_)
    lines = (
        f'state_dir = "{place.state}"',
        "[logs]",
        "max_line_bytes = 4096",
        "[[logs.folders]]",
        f'path = "{place.logs}"',
        'sensor = "dmz"',
        "[trails]",
        f'set = "{trail_set_.path}"',
    )
    (tmp_path / "trailhound.toml").write_text("\n".join(lines), "utf-8")
    return place


def scan(trailhound: Trailhound, place: Place, *arguments: object) -> Ran:
    return trailhound("scan", "--store", "--config", place.root / "trailhound.toml", "--jobs", 1, *arguments)


def report(ran: Ran) -> dict[str, Any]:
    assert ran.status in (0, 1), ran.err
    said: dict[str, Any] = json.loads(ran.out.splitlines()[-1])  # Above it stands what a live run said.
    return said


def stored(place: Place) -> dict[str, int]:
    store = open_embedded(place.settings.store_path, read_only=True)
    try:
        return counts(store)
    finally:
        store.close()


def repeating(numbers: Iterable[int]) -> bytes:
    """Write rows that ask for few names, so that events sum up what a stretch of them holds."""
    return b"".join(row(number, name(number % 7)) for number in numbers)


def summed(numbers: Iterable[int]) -> dict[str, int]:
    return dict(Counter(name(number % 7) for number in numbers))


def go_live(place: Place, wanted: dict[str, int]) -> None:
    with place.store() as store, place.running(store):
        eventually(lambda: counts(store) == wanted)


def die_live(place: Place, *, after: bool) -> None:
    with place.store() as store, pytest.raises(KilledError):
        place.pipeline(Mortal(store, after=after)).run()  # type: ignore[arg-type] # as a Moody is a Store


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("suffix", PACKED)
def test_a_log_that_was_read_live_is_read_on_as_an_archive_and_counted_once(
    trailhound: Trailhound, place: Place, suffix: str, when: str
) -> None:
    append(place.log, header() + repeating(range(20)))
    go_live(place, summed(range(20)))
    append(place.log, repeating(range(20, 40)))
    die_live(place, after=when == "after")
    append(place.log, repeating(range(40, 60)))
    rotated = place.root / f"dns.2023-11-14.log{suffix}"
    if suffix:
        rotated.write_bytes(PACKED[suffix](place.log.read_bytes()))
        place.log.unlink()
    else:
        place.log.rename(rotated)
    append(place.log, header(1) + repeating(range(60, 80)))

    said = report(scan(trailhound, place, rotated, "--json"))
    assert stored(place) == summed(range(60))
    assert said["store"]["already_read_files"] == 1
    assert said["records"] == 40
    again = report(scan(trailhound, place, rotated, "--json"))
    assert stored(place) == summed(range(60))
    assert (again["records"], again["store"]["new"], again["bytes"]) == (0, 0, 0)
    go_live(place, summed(range(80)))


def test_what_was_read_live_to_its_end_is_said_to_be_read_already(trailhound: Trailhound, place: Place) -> None:
    append(place.log, header() + rows(range(5)))
    go_live(place, once(range(5)))
    packed = place.root / "archive.gz"
    packed.write_bytes(gzip.compress(place.log.read_bytes()))
    ran = scan(trailhound, place, packed, place.log)
    assert ran.status == 0
    assert "already read: 2 files, " in ran.out
    assert "stored: 0 new events" in ran.out
    go_live(place, once(range(5)))


def test_a_log_that_was_scanned_is_read_on_live(trailhound: Trailhound, place: Place) -> None:
    append(place.log, header() + repeating(range(20)))
    scan(trailhound, place, place.log)
    append(place.log, repeating(range(20, 30)))
    go_live(place, summed(range(30)))


class Killer:
    """Ends the process at the n-th of the calls that it stands in for, before or after."""

    def __init__(self, call: int) -> None:
        self.left = call

    def __call__(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def dying(*arguments: Any, **options: Any) -> Any:
            self._meet()
            answer = work(*arguments, **options)
            self._meet()
            return answer

        return dying

    def _meet(self) -> None:
        self.left -= 1
        if not self.left:
            raise KilledError


@pytest.fixture
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "CHUNK", 4096)
    monkeypatch.setattr(backfill, "SECONDS", 0.0)


@pytest.mark.usefixtures("small_stretches")
@pytest.mark.parametrize("suffix", PACKED)
def test_killed_at_every_boundary_of_a_scan_every_line_is_counted_once(
    trailhound: Trailhound, place: Place, suffix: str
) -> None:
    content = header() + repeating(range(60)) + b"nonsense\n" + repeating(range(60, 130))
    log = place.root / f"dns.log{suffix}"
    log.write_bytes(PACKED[suffix](content))
    deaths = 0
    while True:
        place.state.rename(place.root / f"state-{deaths}")
        place.state.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            killer = Killer(deaths + 1)
            patch.setattr(positions, "save", killer(positions.save))
            patch.setattr(EmbeddedStore, "append", killer(EmbeddedStore.append))
            patch.setattr(DeadLetters, "write", killer(DeadLetters.write))
            try:
                scan(trailhound, place, log)
            except KilledError:
                deaths += 1
            else:
                break
        scan(trailhound, place, log)
        assert stored(place) == summed(range(130)), deaths
        assert set(place.letters()) == {69}
    assert deaths > 12


@pytest.mark.usefixtures("small_stretches")
def test_an_interrupted_scan_goes_on_where_it_was(
    trailhound: Trailhound, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = place.root / "dns.log.gz"
    log.write_bytes(gzip.compress(header() + repeating(range(130))))
    with monkeypatch.context() as patch:
        calls: list[int] = []
        append_ = EmbeddedStore.append

        def interrupted(store: EmbeddedStore, events: Sequence[Event]) -> Acknowledgement:
            calls.append(len(events))
            if len(calls) == 2:
                raise KeyboardInterrupt
            return append_(store, events)

        patch.setattr(EmbeddedStore, "append", interrupted)
        ran = scan(trailhound, place, log)
    assert ran.status == 130
    assert "the same command goes on where this one was" in ran.err
    assert 0 < sum(stored(place).values()) < 130
    said = report(scan(trailhound, place, log, "--json"))
    assert 0 < said["records"] < 130
    assert stored(place) == summed(range(130))


def test_several_processes_store_the_same_as_one_and_once(
    trailhound: Trailhound, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanners, "SMALL", 0)
    for hour in range(4):
        content = header(hour) + repeating(range(100 * hour, 100 * hour + 50))
        (place.logs / f"dns.{hour:02d}-00-00.log.gz").write_bytes(gzip.compress(content))
    numbers = [100 * hour + number for hour in range(4) for number in range(50)]
    first = report(scan(trailhound, place, place.logs, "--json", "--jobs", 2))
    assert (first["count"], first["records"]) == (200, 200)
    assert stored(place) == summed(numbers)
    again = report(scan(trailhound, place, place.logs, "--json", "--jobs", 2))
    assert (again["count"], again["store"]["already_read_files"]) == (0, 4)
    assert stored(place) == summed(numbers)


@pytest.mark.usefixtures("small_stretches")
def test_a_second_scan_adds_nothing_even_when_its_position_was_forgotten(trailhound: Trailhound, place: Place) -> None:
    log = place.root / "dns.log.gz"
    log.write_bytes(gzip.compress(header() + repeating(range(130))))
    scan(trailhound, place, log)
    place.settings.positions_path.unlink()
    said = report(scan(trailhound, place, log, "--json"))
    assert (said["records"], said["store"]["new"]) == (130, 0)
    assert stored(place) == summed(range(130))


def test_events_bear_the_sensor_of_the_folder(trailhound: Trailhound, place: Place) -> None:
    append(place.log, header() + row(1))
    ran = scan(trailhound, place, place.log, "--ecs")
    assert json.loads(ran.out)["observer"]["name"] == "dmz"


def test_while_another_is_at_work_on_the_state_directory_it_is_refused(trailhound: Trailhound, place: Place) -> None:
    append(place.log, header() + row(1))
    with prepare.sole_run(place.settings):
        ran = scan(trailhound, place, place.log)
    assert ran.status == 2
    assert "stop it before archives are scanned into its store" in ran.err
    assert not place.settings.positions_path.exists()


def test_half_a_line_at_the_end_of_a_plain_log_is_left_for_later(trailhound: Trailhound, place: Place) -> None:
    append(place.log, header() + row(1) + row(2)[:30])
    said = report(scan(trailhound, place, place.log, "--json"))
    assert "30 bytes are left for later" in said["files"][0]["problem"]
    append(place.log, row(2)[30:])
    assert report(scan(trailhound, place, place.log, "--json"))["files"][0]["problem"] is None
    assert stored(place) == once([1, 2])


def test_what_is_unread_of_an_archive_is_not_lost_to_a_run_that_does_not_follow_it(
    trailhound: Trailhound, place: Place
) -> None:
    log = place.root / "dns.log"
    append(log, header() + row(1) + row(2)[:30])
    scan(trailhound, place, log)
    assert [position.unread for position in positions.load(place.settings.positions_path)] == [0]


def test_half_a_line_at_the_end_of_an_archive_is_its_last_line(trailhound: Trailhound, place: Place) -> None:
    (place.root / "dns.log.gz").write_bytes(gzip.compress(header() + row(1) + row(2).rstrip(b"\n")))
    scan(trailhound, place, place.root / "dns.log.gz")
    assert stored(place) == once([1, 2])


def test_a_json_array_is_stored_once(trailhound: Trailhound, place: Place) -> None:
    event = {
        "timestamp": "2026-01-01T00:00:00.000000+0000",
        "event_type": "dns",
        "src_ip": "10.0.0.5",
        "dest_ip": "10.0.0.1",
        "dns": {"type": "query", "id": 4, "rrname": name(1), "rrtype": "A"},
    }
    events = [{**event, "flow_id": number} for number in range(3)]
    (place.root / "eve.json").write_text(json.dumps(events), "utf-8")
    first = report(scan(trailhound, place, place.root / "eve.json", "--json"))
    assert (first["count"], stored(place)) == (3, {name(1): 3})
    again = report(scan(trailhound, place, place.root / "eve.json", "--json"))
    assert (again["records"], again["store"]["already_read_files"]) == (0, 1)


def test_a_damaged_archive_is_told_of_and_read_on_when_it_is_whole(trailhound: Trailhound, place: Place) -> None:
    content = header() + b"".join(row(n, f"n{n * n}.test") for n in range(30_000)) + rows(range(3))
    whole = gzip.compress(content)
    log = place.root / "dns.log.gz"
    log.write_bytes(whole[: len(whole) // 2])
    said = report(scan(trailhound, place, log, "--json"))
    assert "ends too early" in said["files"][0]["problem"]
    log.write_bytes(whole)
    report(scan(trailhound, place, log, "--json"))
    assert stored(place) == once(range(3))


def test_a_store_that_is_away_is_trouble_and_the_same_command_goes_on(
    trailhound: Trailhound, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(place.log, header() + rows(range(3)))
    monkeypatch.setattr(backfill, "PAUSES", (0.0, 0.0))
    with monkeypatch.context() as patch:
        patch.setattr(prepare, "store", lambda settings: Moody(open_embedded(settings.store_path), ["mute"] * 3))
        ran = scan(trailhound, place, place.log)
    assert ran.status == 2
    assert "the answer was lost" in ran.err
    append(place.log, rows(range(3, 5)))
    scan(trailhound, place, place.log)
    assert stored(place) == once(range(5))


def test_what_is_no_log_leaves_no_position(trailhound: Trailhound, place: Place) -> None:
    (place.root / "notes.txt").write_text("words\n")
    (place.root / "empty.log").touch()
    said = report(scan(trailhound, place, place.root / "notes.txt", place.root / "empty.log", "--json"))
    assert [file["skipped"] for file in said["files"]] == ["empty", "no log of Zeek or Suricata"]
    assert not place.settings.positions_path.exists()
