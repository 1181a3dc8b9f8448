"""Dead letters that can be read by now become events, once, and are dead letters no longer."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ingest import deadletters, replay
from ingest.batch import MAX_RAW, BadLine
from ingest.deadletters import DeadLetters, LetterFile, older
from ingest.formats import reader_of
from ingest.replay import Replay, Replayed
from ingest.stretch import Stretch, match
from matchers.engine import Engine
from matchers.events import Events
from stores.contract import Acknowledgement, Store
from stores.embedded import open_embedded
from tests.ingest.living import WANTED, header, name, row, rows
from tests.ingest.place import Moody, counts, once
from tests.matchers import build
from trailhound.errors import SourceError, StoreUnavailable
from trailhound.event import Event
from trailhound.trail import TrailKind

NOW = "2026-01-01T00:00:00.000000Z"
SHORT, LONG = 4096, 1 << 20


@pytest.fixture(scope="module")
def machine() -> Engine:
    return build.engine([build.trail(TrailKind.DOMAIN, name(number)) for number in range(50)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_embedded(tmp_path / "events.sqlite")) as opened:
        yield opened


def long_row(number: int, length: int = 9000) -> bytes:
    """Write a row that is too long unless lines may be longer than usual."""
    return row(number).replace(b"NOERROR", b"x" * length)


def read(machine: Engine, content: bytes, max_line: int, format_: str = "zeek-tsv") -> Stretch:
    reader = reader_of(format_, machine.wanted(), "dns")
    return match(reader, machine, content, Events("dmz", "/logs/dns.log", lambda: 1), max_line=max_line)


def bury(path: Path, lines: Sequence[BadLine], file: str = "/logs/dns.log") -> None:
    DeadLetters(path).write("dmz", file, lines, NOW)


def run(path: Path, machine: Engine, store: Store | Moody, max_line: int = LONG) -> Replayed:
    work = Replay(machine, store, max_line, lambda: 1)  # type: ignore[arg-type] # a Moody is a Store, too
    return work.run(LetterFile(path), lambda _: True)


def left(path: Path) -> list[int]:
    return [letter.line for letter in LetterFile(path)] if path.exists() else []


def test_lines_that_may_be_longer_now_have_the_ids_that_they_would_have_had(
    machine: Engine, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "dead.ndjson"
    content = header() + row(0) + long_row(1) + row(2) + long_row(3)
    stretch = read(machine, content, SHORT)
    bury(path, stretch.bad_lines)
    store.append(stretch.events)
    done = run(path, machine, store)
    assert (done.chosen, done.read, done.stored, done.left) == (2, 2, 2, 0)
    assert counts(store) == once(range(4))
    assert not path.exists()
    assert store.append(read(machine, content, LONG).events) == Acknowledgement(0, 4)


def test_each_line_is_read_under_the_header_that_it_stood_under(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    swapped = header(1).replace(b"query\trcode_name", b"rcode_name\tquery")
    other = long_row(2).replace(name(2).encode() + b"\t", b"").replace(b"\n", b"\t" + name(2).encode() + b"\n")
    bury(path, read(machine, header() + long_row(1) + swapped + other, SHORT).bad_lines)
    assert run(path, machine, store).read == 2
    assert counts(store) == once([1, 2])


def test_a_header_is_written_once_a_file_and_again_where_the_letter_that_bore_it_is_taken_out(
    machine: Engine, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "dead.ndjson"
    lines = read(machine, header() + b"".join(long_row(number) for number in range(4)), SHORT).bad_lines
    letters = DeadLetters(path)
    for line in lines:
        letters.write("dmz", "/logs/dns.log", [line], NOW)
    assert ["reads" in json.loads(line) for line in path.read_text("utf-8").splitlines()] == [True, False, False, False]
    work = Replay(machine, store, LONG, lambda: 1)
    work.run(LetterFile(path), lambda letter: letter.line in {9, 11})
    assert left(path) == [10, 12]
    assert ["reads" in json.loads(line) for line in path.read_text("utf-8").splitlines()] == [True, False]
    assert run(path, machine, store).read == 2
    assert counts(store) == once(range(4))


def test_a_writer_that_goes_on_after_letters_were_taken_out_writes_the_header_anew(
    machine: Engine, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path)
    lines = read(machine, header() + long_row(0) + long_row(1), SHORT).bad_lines
    letters.write("dmz", "/logs/dns.log", lines[:1], NOW)
    run(path, machine, store)
    letters.write("dmz", "/logs/dns.log", lines[1:], NOW)
    run(path, machine, store)
    assert counts(store) == once(range(2))


def test_a_file_that_was_put_aside_can_be_read_by_itself(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path, limit=30_000)
    for line in read(machine, header() + b"".join(long_row(number) for number in range(5)), SHORT).bad_lines:
        letters.write("dmz", "/logs/dns.log", [line], NOW)
    assert deadletters.files(path) == [older(path), path]
    assert [run(file, machine, store).left for file in deadletters.files(path)] == [0, 0]
    assert counts(store) == once(range(5))


def test_what_still_cannot_be_read_stays_as_it_is(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    bury(path, read(machine, header() + b"nonsense\n" + long_row(1), SHORT).bad_lines)
    before = path.read_bytes().splitlines(keepends=True)[0]
    done = run(path, machine, store)
    assert (done.read, done.unreadable, done.left) == (1, 1, 1)
    assert path.read_bytes() == before
    assert run(path, machine, store).unreadable == 1


def test_a_line_of_which_only_the_beginning_was_kept_stays(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    bury(path, read(machine, header() + long_row(1, MAX_RAW), SHORT).bad_lines)
    done = run(path, machine, store)
    assert (done.read, done.cut) == (0, 1)
    assert counts(store) == {}


def test_letters_that_do_not_say_what_the_reader_knew_stay(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    bury(path, [BadLine(9, "3 columns expected", row(1).rstrip(b"\n"))])
    done = run(path, machine, store)
    assert (done.read, done.unknown) == (0, 1)
    assert left(path) == [9]


def test_bytes_that_are_no_text_are_read_again_as_they_were(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    content = header() + long_row(1).replace(b"xxx", b"\xff\\\x00")
    bury(path, read(machine, content, SHORT).bad_lines)
    run(path, machine, store)
    assert store.append(read(machine, content, LONG).events) == Acknowledgement(0, 1)


@pytest.mark.parametrize(
    ("format_", "line"),
    [
        (
            "zeek-json",
            '{"_path": "dns", "ts": 1.5, "uid": "C1", "id.orig_h": "10.0.0.5", "query": "QUERY", "x": "LONG"}',
        ),
        (
            "eve",
            '{"timestamp": "2026-01-01T00:00:00+0000", "event_type": "dns", "x": "LONG", "dns": {"rrname": "QUERY"}}',
        ),
    ],
)
def test_lines_of_json_are_replayed_too(machine: Engine, store: Store, tmp_path: Path, format_: str, line: str) -> None:
    path = tmp_path / "dead.ndjson"
    content = line.replace("QUERY", name(1)).replace("LONG", "x" * 9000).encode() + b"\n"
    bury(path, read(machine, content, SHORT, format_).bad_lines)
    assert run(path, machine, store).read == 1
    assert counts(store) == once([1])


@pytest.mark.parametrize("mood", ["away", "mute"])
def test_no_letter_is_taken_out_before_the_store_has_answered(
    machine: Engine, store: Store, tmp_path: Path, mood: str
) -> None:
    path = tmp_path / "dead.ndjson"
    bury(path, read(machine, header() + long_row(1) + long_row(2), SHORT).bad_lines)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable):
        run(path, machine, Moody(store, [mood]))
    assert path.read_bytes() == before
    assert run(path, machine, store).read == 2
    assert counts(store) == once([1, 2])


class KilledError(BaseException):
    """The end of a process, wherever it was."""


def _dying(work: Callable[..., object], call: int) -> Callable[..., object]:
    left = [call]

    def dying(*arguments: object) -> object:
        left[0] -= 1
        if not left[0]:
            raise KilledError
        return work(*arguments)

    return dying


@pytest.mark.parametrize("call", ["fsync", "replace", "append"])
def test_killed_at_any_boundary_each_line_is_replayed_once(
    machine: Engine, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(replay, "EVENTS", 2)
    path = tmp_path / "dead.ndjson"
    content = header() + b"".join(long_row(number, 5000 + number) for number in range(5)) + b"nonsense\n"
    bury(path, read(machine, content, SHORT).bad_lines)
    deaths = 0
    while True:
        with monkeypatch.context() as patch:
            if call == "fsync":
                patch.setattr("os.fsync", _dying(lambda *_: None, deaths + 1))
            elif call == "replace":
                patch.setattr(Path, "replace", _dying(Path.replace, deaths + 1))
            else:
                patch.setattr(type(store), "append", _dying(type(store).append, deaths + 1))
            try:
                run(path, machine, store)
            except KilledError:
                deaths += 1
                assert len(left(path)) in {6, 1}  # All or none of the five.
            else:
                break
    assert deaths
    assert counts(store) == once(range(5))
    assert left(path) == [14]


def test_a_letter_that_was_written_twice_is_one_event(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    lines = read(machine, header() + long_row(1), SHORT).bad_lines
    bury(path, lines)
    bury(path, lines)
    done = run(path, machine, store)
    assert (done.read, done.stored) == (2, 1)
    assert counts(store) == once([1])


def test_letters_that_come_during_a_replay_stay(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    lines = read(machine, header() + long_row(1) + long_row(2), SHORT).bad_lines
    bury(path, lines[:1])
    moody = Moody(store)

    def meanwhile(events: Sequence[Event]) -> None:
        assert len(events) == 1
        bury(path, lines[1:])

    moody.before = meanwhile
    assert run(path, machine, moody).read == 1
    assert left(path) == [10]


def test_letters_that_were_put_aside_during_a_replay_are_not_touched(
    machine: Engine, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "dead.ndjson"
    lines = read(machine, header() + long_row(1) + long_row(2), SHORT).bad_lines
    bury(path, lines[:1])
    moody = Moody(store)
    moody.before = lambda _: DeadLetters(path, limit=1).write("dmz", "/logs/dns.log", lines[1:], NOW)
    with pytest.raises(SourceError, match="another process changed the dead letters"):
        run(path, machine, moody)
    assert (left(older(path)), left(path)) == ([9], [10])


def test_what_is_no_letter_stays_and_is_counted(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    path.write_bytes(b'{"half":\n\xff\n')
    bury(path, read(machine, header() + long_row(1), SHORT).bad_lines)
    letters = LetterFile(path)
    Replay(machine, store, LONG, lambda: 1).run(letters, lambda _: True)
    assert letters.damaged == 2
    assert path.read_bytes() == b'{"half":\n\xff\n'


def test_rows_without_a_header_stay(machine: Engine, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "dead.ndjson"
    bury(path, read(machine, rows(range(2)), LONG).bad_lines)
    assert run(path, machine, store).unreadable == 2
    assert WANTED["dns"]
