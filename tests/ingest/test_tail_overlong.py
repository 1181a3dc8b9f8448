"""Lines that are too long to wait for their end."""

from pathlib import Path

from ingest.formats import CHUNK
from tests.ingest.living import append, header, row, take, text
from tests.ingest.test_tail import followed, log, saved

__all__ = ["log"]  # A fixture.


def test_an_overlong_line_is_told_once_and_reading_goes_on_behind_it(log: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, b"x" * 5000)
        pieces = take(tail, max_line=4096)
        assert [piece.overlong.number for piece in pieces if piece.overlong] == [12]
        append(log, b"y" * 9000)
        append(log, b"\n" + row(3))
        pieces = take(tail, max_line=4096)
        assert not [piece for piece in pieces if piece.overlong]
        assert text(pieces) == row(3)
        assert tail.position.lines == 8 + 3 + 1 + 1


def test_a_line_may_be_longer_than_a_chunk_when_the_settings_say_so(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    long = row(0, "x" * (CHUNK + 100))
    log.write_bytes(header() + long)
    with followed(log) as tail:
        assert text(take(tail, max_line=2 * CHUNK)) == header() + long


def test_an_overlong_line_is_no_more_acknowledged_than_any_other_before_it_is_done(log: Path, tmp_path: Path) -> None:
    with followed(log) as tail:
        take(tail)
        append(log, b"x" * 5000)
        piece = tail.read(max_line=4096)
        assert piece is not None
        before = saved(tail, tmp_path)  # As when other files are saved while this piece is under way.
        assert tail.read(max_line=4096) == piece
        tail.advance(piece)
        append(log, b"x\n" + row(3))
        rest = tail.read(max_line=4096)
        assert rest is not None
        within = saved(tail, tmp_path)
    with followed(log, before) as again:
        assert text(take(again)) == b"x" * 5001 + b"\n" + row(3)
    with followed(log, within) as again:
        assert again.read(max_line=4096) == rest
        again.advance(rest)
        assert text(take(again)) == row(3)


def test_an_overlong_first_line_does_not_hide_what_follows(tmp_path: Path) -> None:
    log = tmp_path / "dns.log"
    log.write_bytes(b"x" * 9000)
    with followed(log) as tail:
        assert [piece.overlong.number for piece in take(tail, max_line=4096) if piece.overlong] == [1]
        append(log, b"\n" + header() + row(0))
        assert text(take(tail, max_line=4096)) == header() + row(0)
        assert tail.position.lines == 1 + 8 + 1
