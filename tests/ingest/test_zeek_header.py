"""Our typed rows are those of zat, Zeek's own tools for Python, wherever zat does not blur what the log says."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from zat.zeek_log_reader import ZeekLogReader

from ingest.zeek_header import Header, as_text, header_word, read_header
from tests.ingest.reading import TRAPS
from trailhound.errors import RecordError
from trailhound.record import Value

ROWS = 500  # Of each file; the longest ones repeat themselves.
SAMPLE = Path(__file__).parents[2] / "trailhound" / "sample" / "zeek"
UNSET: Mapping[str, Any] = {
    # zat cannot say that a value is unset: it gives these, which a log could really hold. We leave such fields out.
    "bool": False,
    "count": 0,
    "int": 0,
    "port": 0,
    "double": 0.0,
    "time": datetime.fromtimestamp(86400),  # noqa: DTZ006 - zat's times are naive and local
    "interval": timedelta(0),
}


def reason_to_leave_out(content: bytes) -> str | None:
    """Say why zat cannot be the oracle for a file, None when it can."""
    headers = [line for line in content.split(b"\n") if line.startswith(b"#") and header_word(line)]
    words = [header_word(line) for line in headers]
    if b"fields" not in words:
        return "it has no #fields, for which zat looks for ever"
    if words.count(b"fields") > 1:
        return "it has a second header, which zat takes for rows"
    if words[words.index(b"fields") :] != [b"fields", b"types"]:
        return "no #types follow, and zat takes the first row for them"
    if not any(re.match(rb"#separator \\x09\r?$", line) for line in headers):
        return "its separator is none that zat knows"
    if any(line.startswith(b"#unset_field") and line.split()[-1] != b"-" for line in headers):
        return "what it writes for unset is none that zat knows"
    try:
        content.decode()
    except UnicodeDecodeError:
        return "it has bytes that are no UTF-8, on which zat fails"
    return None


def by_zat(header: Header, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give each column of zat's row as we should have it; what zat blurs is left as zat has it."""
    empty = header.empty.decode()
    for name, type_ in zip(header.fields, header.types, strict=True):
        # zat strips the line, and so loses empty columns at its end.
        value = row.get(name, "")
        container = re.fullmatch(r"(?:set|vector|list|table)\[(.+)\]", type_)
        if type_ in UNSET:
            yield name, value
        elif value == "-":
            yield name, None
        elif container:
            # To zat a set is its text, and escapes are not undone.
            members = [] if value == empty else str(value).split(",")
            yield name, [member_by_type(container[1], member) for member in members if member != "-"]
        else:
            yield name, "" if value == empty else unescaped(value)


def member_by_type(type_: str, text: str) -> Any:
    if type_ in ("count", "int", "port"):
        return int(text)
    if type_ in ("double", "time", "interval"):
        return float(text)
    return text == "T" if type_ == "bool" else unescaped(text)


def unescaped(text: str) -> str:
    raw = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return raw.decode("utf-8", "backslashreplace")


def blurred(type_: str, value: Value | None) -> Any:
    """Give a value of ours as zat would have it."""
    if type_ not in UNSET:
        return value
    if value is None:
        return UNSET[type_]
    if type_ == "time":
        assert isinstance(value, float)
        return datetime.fromtimestamp(value)  # noqa: DTZ006 - as above
    return timedelta(seconds=value) if type_ == "interval" else value  # type: ignore[arg-type] # a number


def same(one: Any, other: Any) -> bool:
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return both_nan or bool(one == other)


def compare(path: Path) -> int:
    """Compare row by row, and give the number of rows."""
    content = path.read_bytes()
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    header = read_header([line for line in lines if line.startswith(b"#") and header_word(line)])
    ours = [line for line in lines if line and not line.startswith(b"#")]
    compared = 0
    for line, row in islice(zip(ours, ZeekLogReader(str(path)).readrows(), strict=False), ROWS):
        try:
            typed = header.typed(line)
        except RecordError as error:
            assert "columns expected" in str(error), path  # noqa: PT017 - zat pads and cuts such rows
            continue
        types = dict(zip(header.fields, header.types, strict=True))
        for name, expected in by_zat(header, row):
            found = blurred(types[name], typed.get(name))
            if name in (header.fields[0], header.fields[-1]) and isinstance(found, str):
                found, expected = found.strip(), str(expected).strip()  # noqa: PLW2901 - zat strips the line
            assert same(found, expected), (path, name, line)
        compared += 1
    return compared


@pytest.mark.parametrize("path", sorted(SAMPLE.glob("*.log")), ids=lambda path: path.name)
def test_our_rows_of_the_sample_are_those_of_zat(path: Path) -> None:
    assert reason_to_leave_out(path.read_bytes()) is None
    assert compare(path) > 10


def test_our_rows_of_every_trap_that_zat_can_read_are_those_of_zat() -> None:
    files = [path for path in sorted(TRAPS.glob("tsv-*")) if reason_to_leave_out(path.read_bytes()) is None]
    # Of these two zat has an opinion of its own: a half line is a row, and a time that is none a text.
    compared = [compare(path) for path in files if path.name not in ("tsv-half-last-line.log", "tsv-bad-time.log")]
    assert sum(compared) > 30


def test_our_rows_of_the_corpus_are_those_of_zat(corpus: Path, tmp_path: Path) -> None:
    reasons: Counter[str] = Counter()
    files = rows = 0
    for folder in ("zeek_logs", "labelled", "maltrail_corpus"):
        for path in sorted((corpus / folder).rglob("*")):
            if not path.is_file() or b"#fields" not in (content := path.read_bytes())[:4096]:
                continue
            reason = reason_to_leave_out(content)
            if reason is not None:
                reasons[reason] += 1
                continue
            if b"XXXXXXXXXX.XXXXXX" in content:
                # Zeek's test suite blanks out times; to zat such a time is a text, to us it is none.
                path = tmp_path / path.name  # noqa: PLW2901
                path.write_bytes(content.replace(b"XXXXXXXXXX.XXXXXX", b"1234567890.250000"))
            rows += compare(path)
            files += 1
    assert files > 600, reasons
    assert rows > 15_000
    assert len(reasons) <= 5


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (b"plain", "plain"),
        (b"\\x09", "\t"),
        (b"\\x5cx09", "\\x09"),
        (b"\\xff", "\\xff"),
        (b"\\xc3\\xbc", "ü"),
        (b"\xc3\xbc", "ü"),
        (b"\\xg0", "\\xg0"),
        (b"\\x", "\\x"),
    ],
)
def test_a_cell_reads_as_this_text(cell: bytes, text: str) -> None:
    assert as_text(cell) == text
