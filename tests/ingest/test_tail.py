"""One followed file, through all that writers and rotators do to it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from ingest.formats import CHUNK, HEAD
from ingest.positions import Position, load, save
from ingest.tail import Piece, Tail, shown
from tests.ingest.living import WANTED, append, header, row, rows, take, text
from trailhound.errors import SourceError


@contextmanager
def followed(path: Path, position: Position | None = None) -> Iterator[Tail]:
    with closing(Tail(path, "s", WANTED, position)) as tail:
        yield tail


def saved(tail: Tail, folder: Path) -> Position:
    """Take the position the way a restart does: through the file on disk."""
    save(folder / "positions.json", [tail.position])
    return load(folder / "positions.json")[0]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "dns.log"
    path.parent.mkdir()
    path.write_bytes(header() + rows(range(3)))
    return path


def test_a_file_is_read_once_and_then_what_is_appended(log: Path) -> None:
    with followed(log) as tail:
        assert text(take(tail)) == header() + rows(range(3))
        assert tail.read() is None
        append(log, row(3))
        assert text(take(tail)) == row(3)


def test_half_a_line_waits_for_its_other_half(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        line = row(3)
        for byte in line[:9]:
            append(log, bytes((byte,)))
            assert tail.read() is None
        append(log, line[9:] + row(4)[:5])
        assert text(take(tail)) == line


def test_a_writer_that_stops_in_mid_line_leaves_a_tail_that_is_stalled(log: Path) -> None:
    with followed(log) as tail:
        append(log, b"half a line")
        take(tail)
        assert tail.stalled
        assert tail.lag == len(b"half a line")


def test_the_same_piece_is_given_until_it_is_taken_for_done(log: Path) -> None:
    with followed(log) as tail:
        first = tail.read()
        append(log, row(3))
        second = tail.read()
        assert first is not None
        assert second is not None
        assert second.data.startswith(first.data)
        assert tail.position.offset == 0


def test_reading_goes_on_after_a_restart_where_it_was_acknowledged(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, row(3))
        tail.read()  # Read, but not taken for done.
        position = saved(tail, tmp_path)
    append(log, row(4))
    with followed(log, position) as again:
        assert text(take(again)) == row(3) + row(4)
        assert again.position.lines == 8 + 5


def test_a_restart_knows_the_columns_without_reading_the_header_again(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    append(log, row(3))
    with followed(log, position) as again:
        piece = again.read()
        assert piece is not None
        assert again.reader is not None
        batches = list(again.reader.feed(piece.data))
        assert [getattr(batch, "log", batch) for batch in batches] == ["dns"]


def test_a_pending_stretch_is_read_again_as_exactly_the_same_bytes(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        piece = tail.read()
        assert piece is not None
        tail.expect(piece.end)
        position = saved(tail, tmp_path)
    append(log, rows(range(3, 9)))
    with followed(log, position) as again:
        assert again.read() == piece
        again.advance(piece)
        assert text(take(again)) == rows(range(3, 9))


def test_a_pending_stretch_without_an_end_of_line_is_the_same_too(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, row(3) + row(4)[:7])
        position = replace_pending(saved(tail, tmp_path), tail.position.offset + len(row(3)) + 7)
    append(log, row(4)[7:])
    with followed(log, position) as again:
        piece = again.read()
        assert piece is not None
        assert piece.data == row(3) + row(4)[:7]


def replace_pending(position: Position, pending: int) -> Position:
    return msgspec.structs.replace(position, pending=pending)


def test_a_renamed_file_is_read_to_its_end_and_its_successor_from_the_start(log: Path) -> None:
    with followed(log) as old:
        take(old)
        append(log, row(3))
        rotated = log.with_name("dns.1.log")
        log.rename(rotated)
        append(rotated, row(4))  # Zeek's writer may still have some.
        log.write_bytes(header(1) + row(5))
        assert text(take(old)) == row(3) + row(4)
        with followed(log) as new:
            assert text(take(new)) == header(1) + row(5)


def test_a_file_is_found_again_after_a_rename_while_nobody_looked(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    append(log, row(3))
    rotated = log.rename(log.with_name("2026-01-01.dns.log"))
    with followed(rotated, position) as again:
        assert text(take(again)) == row(3)
        assert again.position.log == "dns"  # It is that log still, whatever it is called now.


def test_a_deleted_file_is_read_to_its_end(log: Path) -> None:
    with followed(log) as tail:
        append(log, row(3))
        log.unlink()
        assert text(take(tail)) == header() + rows(range(4))
        assert tail.is_deleted


def test_a_truncated_file_is_read_anew_when_what_is_in_it_now_is_less(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        log.write_bytes(header(1) + row(7))
        assert text(take(tail)) == header(1) + row(7)
        assert tail.truncations == 1


def test_a_truncated_file_is_read_anew_when_what_is_in_it_now_is_more(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        log.write_bytes(header(1) + rows(range(10, 60)))
        assert text(take(tail)) == header(1) + rows(range(10, 60))
        assert tail.truncations == 1


def test_a_truncation_while_nobody_looked_is_noticed(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    log.write_bytes(header(1) + rows(range(10, 60)))
    with followed(log, position) as again:
        assert text(take(again)) == header(1) + rows(range(10, 60))


def test_bytes_that_were_cut_off_unread_are_counted(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, row(3)[:-1])
        tail.read()
        log.write_bytes(b"")
        tail.read()
        assert [cut.unread for cut in tail.cuts] == [len(row(3)) - 1]


def test_a_file_cut_to_nothing_is_read_from_the_start_when_it_grows(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        log.write_bytes(b"")
        assert tail.read() is None
        append(log, header(1) + row(9))
        assert text(take(tail)) == header(1) + row(9)


def test_a_new_file_in_a_reused_inode_is_not_taken_for_the_old_one(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    other = log.with_name("conn.log")
    other.write_bytes(header(1) + rows(range(50)))
    position.inode = other.stat().st_ino
    with followed(other, position) as again:
        assert text(take(again)) == header(1) + rows(range(50))


def test_a_small_file_that_grows_beyond_its_fingerprint_is_the_same_file(log: Path, tmp_path: Path) -> None:
    assert log.stat().st_size < 1024
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    append(log, rows(range(3, 60)))
    with followed(log, position) as again:
        assert text(take(again)) == rows(range(3, 60))
        assert again.position.prefix == 1024


def test_a_file_that_was_empty_is_told_by_its_first_bytes_later(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(b"")
    with followed(log) as tail:
        assert tail.read() is None
        append(log, header() + rows(range(3)))
        take(tail)
        log.write_bytes(header(1) + rows(range(3)) + row(3))
        assert text(take(tail)) == header(1) + rows(range(4))


def test_a_file_with_a_header_only_is_read_and_its_rows_follow(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(header())
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    append(log, row(0))
    with followed(log, position) as again:
        piece = again.read()
        assert piece is not None
        assert again.reader is not None
        assert [getattr(batch, "log", batch) for batch in again.reader.feed(piece.data)] == ["dns"]


def test_a_header_that_comes_line_by_line_is_read(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(b"")
    with followed(log) as tail:
        for line in header().splitlines(keepends=True):
            append(log, line)
            assert text(take(tail)) == line
        append(log, row(0))
        piece = tail.read()
        assert piece is not None
        assert tail.reader is not None
        assert [getattr(batch, "log", batch) for batch in tail.reader.feed(piece.data)] == ["dns"]


def test_a_header_with_bytes_that_are_no_text_survives_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(header().replace(b"#path\tdns", b"#path\td\xff\xfe"))
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
        assert tail.reader is not None
        state = tail.reader.state
    with followed(log, position) as again:
        assert again.reader is not None
        assert again.reader.state == state


def test_a_name_on_disk_that_is_no_text_can_be_followed_and_saved(tmp_path: Path) -> None:
    log = Path(os.fsdecode(os.fsencode(tmp_path) + b"/dns\xff.log"))
    log.write_bytes(header())
    with followed(log) as tail:
        take(tail)
        assert saved(tail, tmp_path).path.endswith("dns\\xff.log")
    assert shown(log).encode("utf-8")


@pytest.mark.parametrize(
    "content", [b"just words\n" * 50, b"{}\n", b"\x7fELF\x00\x01\n\n", b'[{"event_type":"dns"}]\n']
)
def test_a_file_that_is_no_log_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(content)
    with followed(path) as tail:
        assert tail.read() is None
        assert tail.reader is None
        assert tail.lag == len(content)
        assert tail.stalled


def test_a_big_file_that_is_no_log_stays_one_until_it_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"just words\n" * HEAD)
    with followed(path) as tail:
        assert tail.read() is None
        append(path, header() + row(0))
        assert tail.read() is None
        path.write_bytes(header() + row(0))
        assert text(take(tail)) == header() + row(0)


def test_what_is_no_log_yet_may_become_one(tmp_path: Path) -> None:
    path = tmp_path / "eve.json"
    path.write_bytes(b'{"timestamp":"2026-01-01T00:00:00.0')
    with followed(path) as tail:
        assert tail.read() is None
        append(path, b'00000+0000","event_type":"dns"}\n')
        assert len(text(take(tail))) == path.stat().st_size


def test_from_the_end_only_what_comes_later_is_read_with_the_columns_of_the_header(log: Path) -> None:
    append(log, row(3)[:5])
    with followed(log) as tail:
        tail.skip_to_end()
        assert tail.read() is None
        append(log, row(3)[5:])
        piece = tail.read()
        assert piece is not None
        assert piece.data == row(3)
        assert tail.reader is not None
        assert [getattr(batch, "log", batch) for batch in tail.reader.feed(piece.data)] == ["dns"]


def test_from_the_end_of_an_endless_line_nothing_of_it_is_taken_for_a_line(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(header() + b"x" * (CHUNK + 10))
    with followed(log) as tail:
        tail.skip_to_end()
        append(log, b"\tmore of it\n" + row(0))
        assert text(take(tail)) == row(0)


def test_a_file_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"dns\.log: the log cannot be read: No such file"):
        Tail(tmp_path / "dns.log", "s", WANTED, None)


def test_a_file_that_fails_while_it_is_read_is_a_clear_error(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, row(3))
        folder = os.open(log.parent, os.O_RDONLY)
        os.dup2(folder, tail._source._descriptor)  # What was a file is one no more, as on a share that went away.
        os.close(folder)
        with pytest.raises(SourceError, match=r"dns\.log: the log cannot be read"):
            tail.read()


def test_a_pipe_does_not_hold_up_the_others(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dns.log")
    with pytest.raises(SourceError, match=r"dns\.log: the log cannot be read"):
        Tail(tmp_path / "dns.log", "s", WANTED, None)


def test_a_position_beyond_the_end_is_another_files(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        position = saved(tail, tmp_path)
    os.truncate(log, position.offset - 1)
    with followed(log, position) as again:
        assert again.position.offset == 0


def test_pieces_of_one_file_join_up(log: Path) -> None:
    append(log, rows(range(3, 3000)))
    with followed(log) as tail:
        pieces: list[Piece] = []
        while (piece := tail.read(limit=4097, max_line=4096)) is not None:
            tail.advance(piece)
            pieces.append(piece)
    assert len(pieces) > 10
    assert text(pieces) == log.read_bytes()
