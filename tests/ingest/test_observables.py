"""What passes is remembered: by hour and sensor, whether it meets a trail or not."""

import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import observables
from ingest.formats import reader_of
from ingest.observables import Gatherer
from ingest.stretch import match
from matchers.asked import length
from matchers.events import Events
from stores.observables import ObservableMemory, Sightings
from tests.ingest.reading import WANTED
from tests.matchers.build import engine, trail, tsv
from trailhound.errors import StoreUnavailable
from trailhound.record import MICROSECONDS
from trailhound.trail import TrailKind

TYPES = {"ts": "time", "uid": "string", "id.orig_h": "addr", "query": "string", "answers": "vector[string]"}
EVE = Path(__file__).parents[1] / "fixtures" / "suricata" / "eve.json"
HOUR = 3600
TRAILS = [trail(TrailKind.DOMAIN, "evil.example")]


@pytest.fixture
def memory(tmp_path: Path) -> ObservableMemory:
    return ObservableMemory(tmp_path / "observables.sqlite", 1000)


def row(hour: float, query: str, answers: str = "-", client: str = "10.0.0.1") -> list[str]:
    return [str(hour * HOUR), "C1", client, query, answers]


def read(gatherer: Gatherer, rows: Sequence[Sequence[str]], sensor: str = "dmz", since: int = 0) -> None:
    """Read rows of a DNS log, as a restart of the reader would."""
    reader, machine = reader_of("zeek-tsv", WANTED, "dns"), engine(TRAILS)
    data = tsv("dns", TYPES, rows)
    match(reader, machine, data, Events(sensor), max_line=1 << 20, since=since, gatherer=gatherer)


def test_names_and_addresses_are_remembered_in_their_canonical_form(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    rows = [
        row(5, "EVIL.Example.", "cdn.example,192.0.2.7,2001:DB8:0::1"),
        row(5.5, "good.example"),
        row(5.6, "7.2.0.192.in-addr.arpa"),
        row(5.7, "not a name!", "-", "::ffff:10.0.0.9"),
    ]
    read(gatherer, rows)
    gatherer.flush()
    asked = ["evil.example", "good.example", "cdn.example", "192.0.2.7", "2001:db8::1", "10.0.0.1", "10.0.0.9"]
    once = [Sightings("dmz", 5, 5, 1)]
    assert memory.seen([*asked, "7.2.0.192.in-addr.arpa", "not a name!"]) == dict.fromkeys(asked, once)


def test_hashes_and_fingerprints_are_remembered_in_their_canonical_form(memory: ObservableMemory) -> None:
    types = {
        "ts": "time", "uid": "string", "id.orig_h": "addr", "server_name": "string",
        "cert_chain_fps": "vector[string]", "ja3": "string", "ja4": "string",
    }  # fmt: skip
    ja4, sha256 = "t13d1516h2_8daaf6152771_02713d6af862", "ab" * 32
    spelled = ":".join(["AB"] * 32)
    rows = [[str(5 * HOUR), "C1", "10.0.0.1", "sni.example", f"{spelled},{'c' * 40}", "D" * 32, ja4.upper()]]
    gatherer = Gatherer(memory)
    data = tsv("ssl", types, [*rows, [str(5 * HOUR), "C2", "10.0.0.1", "-", "no hash,ab", "-", "t13d_x"]])
    match(
        reader_of("zeek-tsv", WANTED, "ssl"), engine(TRAILS), data, Events("dmz"), max_line=1 << 20, gatherer=gatherer
    )
    gatherer.flush()
    asked = ["sni.example", "10.0.0.1", sha256, "c" * 40, "d" * 32, ja4]
    assert memory.seen([*asked, "no hash", "ab", "t13d_x"]) == {key: [Sightings("dmz", 5, 5, 1)] for key in asked}


def test_each_sensor_and_hour_is_remembered_apart_in_one_stretch(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    read(gatherer, [row(7.9, "a.example"), row(8, "b.example"), row(8.1, "b.example"), row(9.2, "b.example")])
    read(gatherer, [row(8, "a.example")], "lan")
    gatherer.flush()
    assert memory.seen(["a.example", "b.example", "10.0.0.1"]) == {
        "a.example": [Sightings("dmz", 7, 7, 1), Sightings("lan", 8, 8, 1)],
        "b.example": [Sightings("dmz", 8, 9, 2)],
        "10.0.0.1": [Sightings("dmz", 7, 9, 3), Sightings("lan", 8, 8, 1)],
    }


ROWS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["a.example", "b.example", "c.example"])), min_size=1, max_size=30
)


@given(ROWS, st.lists(st.integers(1, 29), max_size=4))
def test_what_is_remembered_does_not_depend_on_how_the_log_was_cut_nor_on_reading_it_again(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, str]], places: list[int]
) -> None:
    memory = ObservableMemory(tmp_path_factory.mktemp("memory") / "observables.sqlite", 1000)
    gatherer = Gatherer(memory)
    rows = [row(hour + 100, name) for hour, name in drawn]
    edges = sorted({0, len(rows), *(place for place in places if place < len(rows))})
    for start, end in pairwise(edges):
        read(gatherer, rows[start:end])
    gatherer.flush()
    again = Gatherer(memory)
    read(again, rows)
    again.flush()
    found = memory.seen(["a.example", "b.example", "c.example"])
    for name in {name for _, name in drawn}:
        hours = {hour + 100 for hour, other in drawn if other == name}
        assert found[name] == [Sightings("dmz", min(hours), max(hours), len(hours))]
    memory.close()


def test_the_real_eve_fixture_is_remembered(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    lines = b"".join(line + b"\n" for line in EVE.read_bytes().splitlines()[:250])
    match(reader_of("eve", WANTED, ""), engine(TRAILS), lines, Events("ids"), max_line=1 << 20, gatherer=gatherer)
    waiting = {value for values in gatherer._facts.values() for value in values}
    gatherer.flush()
    assert len(waiting) > 10
    assert set(memory.seen(waiting)) == waiting


def test_what_happened_before_the_start_is_not_remembered(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, "old.example"), row(7, "new.example")], since=6 * HOUR * MICROSECONDS)
    gatherer.flush()
    assert set(memory.seen(["old.example", "new.example"])) == {"new.example"}


def test_what_was_seen_in_an_hour_is_handed_on_once(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, "a.example")])
    gatherer.flush()
    read(gatherer, [row(5.5, "a.example")])
    assert gatherer._waiting == 0
    read(gatherer, [row(6, "a.example")])
    assert gatherer._waiting == 2


def test_what_is_long_or_too_much_is_not_kept_at_hand(
    memory: ObservableMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, "x" * 100_000), row(5, "a.example", ",".join(["b.example"] * 10_000))])
    assert max(length(cell) for known in gatherer._known.values() for cells in known.values() for cell in cells) < 600
    monkeypatch.setattr(observables, "KNOWN", 100)
    for number in range(10):
        read(gatherer, [row(5, f"name-{number}-{one}.example") for one in range(60)])
    assert gatherer._size < 200
    assert sum(len(cells) for known in gatherer._known.values() for cells in known.values()) < 200


def test_much_is_written_at_once_and_what_cannot_be_written_is_lost_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(observables, "WAITING", 20)
    folder = tmp_path / "away"
    memory = ObservableMemory(folder / "observables.sqlite", 1000)
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, f"first-{number}.example") for number in range(30)])
    assert gatherer._waiting == 31, "it waits for the folder"
    read(gatherer, [row(5, f"second-{number}.example") for number in range(30)])
    assert gatherer._waiting == 0
    assert gatherer._lost == 61
    folder.mkdir()
    monkeypatch.setattr(gatherer, "_retry_at", 0.0)
    read(gatherer, [row(6, f"third-{number}.example") for number in range(30)])
    assert gatherer._waiting == 0
    assert set(memory.seen(["first-1.example", "third-1.example"])) == {"third-1.example"}


def test_what_waits_is_written_at_the_end(memory: ObservableMemory) -> None:
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, "a.example")])
    stop = threading.Event()
    thread = threading.Thread(target=gatherer.run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(10)
    assert set(memory.seen(["a.example"])) == {"a.example"}


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    memory = ObservableMemory(folder / "observables.sqlite", 1000)
    gatherer = Gatherer(memory)
    read(gatherer, [row(5, "a.example")])
    gatherer.flush()
    with pytest.raises(StoreUnavailable):
        memory.keep({(1, "dmz"): ["b.example"]})
    folder.mkdir()
    gatherer.flush()
    assert set(memory.seen(["a.example", "b.example"])) == {"a.example"}
