"""Every trap is read as its description says, however it is cut."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import ARRAY, detect, reader_of
from ingest.logtypes import log_of_file
from tests.ingest.reading import TRAPS, WANTED, Outcome, read, read_file
from tests.matchers.build import cut

_ROW = re.compile(r"\| (\S+) \| (\d+) \| (\d+) \|", re.MULTILINE)
TABLE = {name: (int(n), int(bad)) for name, n, bad in _ROW.findall((TRAPS / "README.md").read_text("utf-8"))}
# What the table says of a file that still grows, or of one without a header, is otherwise in an archive.
RULINGS = {"tsv-half-last-line.log": (2, 1), "tsv-no-header.log": None, "tsv-empty-file.log": None}
BAD_LINES = {
    "tsv-wrong-columns.log": [11, 12],
    "tsv-bad-time.log": [10, 11, 12, 13],
    "tsv-half-last-line.log": [11],
    "dns.json-bad-lines.log": [2, 3, 4, 5],
    "eve-bad-lines.json": [2, 3, 4, 5],
}
PLAIN = sorted(name for name in TABLE if name not in RULINGS and not name.endswith((".gz", ".zst", "array.json")))


@pytest.mark.parametrize("name", TABLE)
def test_a_trap_gives_the_records_and_bad_lines_of_its_table(name: str) -> None:
    outcome = read_file(TRAPS / name)
    if RULINGS.get(name, TABLE[name]) is None:
        assert outcome is None
    else:
        assert outcome is not None
        found = (len(outcome.records), len(outcome.bad))
        assert found == RULINGS.get(name, TABLE[name])


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_has_its_number_in_the_file(name: str) -> None:
    outcome = read_file(TRAPS / name)
    assert outcome is not None
    assert sorted(outcome.bad) == BAD_LINES[name]


def outcome_of(path: Path, chunks: list[bytes]) -> Outcome:
    format_ = detect(path.read_bytes())
    assert format_ is not None
    assert format_ != ARRAY
    return read(reader_of(format_, WANTED, log_of_file(path.name)), chunks)


@given(st.sampled_from(PLAIN), st.lists(st.integers(1, 20)))
def test_where_a_file_is_cut_changes_nothing(name: str, places: list[int]) -> None:
    path = TRAPS / name
    content = path.read_bytes()
    assert outcome_of(path, cut(content, places)) == outcome_of(path, [content])


@given(st.sampled_from(PLAIN), st.integers(1, 20))
def test_a_reader_made_anew_from_its_state_goes_on_alike(name: str, place: int) -> None:
    path = TRAPS / name
    content = path.read_bytes()
    format_ = detect(content)
    assert format_ is not None
    chunks = cut(content, [place])
    reader = reader_of(format_, WANTED, log_of_file(path.name))
    outcome = read(reader, chunks[:1])
    successor = reader_of(format_, WANTED, log_of_file(path.name), reader.state)
    successor.lines = reader.lines
    assert read(successor, chunks[1:], outcome) == outcome_of(path, [content])
