from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench import logs, traffic
from bench.engine import chunks, make_engine, run
from bench.traffic import Flow, Planted, Traffic
from ingest.eve import EveBatch, EveReader
from ingest.eve_glance import COLUMNS
from matchers.compile import Compiler
from matchers.observer import ENDS
from matchers.observers import OBSERVERS
from matchers.trailset import TrailSet
from trailhound.trail import Trail, TrailClass, TrailKind

PLANTED = Planted(["evil.example"], [("203.0.113.9", 4444)], [("evil.example", "/gate.php")])


def draw(number: int) -> list[Flow]:
    return Traffic(PLANTED).flows(number)


@pytest.fixture
def trails(tmp_path: Path) -> TrailSet:
    compiler = Compiler()
    values = {TrailKind.DOMAIN: "evil.example", TrailKind.IP_PORT: "203.0.113.9:4444"}
    compiler.add_all(Trail(kind, value, "evil", TrailClass.C2, ("test",)) for kind, value in values.items())
    return TrailSet.open(compiler.write(tmp_path / "trails.set").path)


FORMS = {
    **{f"tsv {log}": ("zeek-tsv", log) for log in logs.LOGS},
    **{f"json {log}": ("zeek-json", log) for log in logs.LOGS},
    "eve": ("eve", "eve"),
}


def write(form: tuple[str, str], flows: Iterable[Flow]) -> bytes:
    format_, log = form
    if format_ == "eve":
        return logs.eve(flows)
    return logs.zeek_tsv(log, flows) if format_ == "zeek-tsv" else logs.zeek_json(log, flows)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_made_up_rows_are_read_and_the_planted_ones_matched(
    form: tuple[str, str], trails: TrailSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "MATCHES", 0.5)
    data = write(form, draw(400))
    records, found = run(make_engine(trails), *form, [data])
    assert records == 400
    assert found > 0


def test_the_same_seed_makes_the_same_flows() -> None:
    assert draw(50) == draw(50)


def test_few_names_are_common_and_many_are_rare() -> None:
    counts = Counter(flow.name for flow in draw(5_000))
    assert max(counts.values()) > 200
    assert sum(count == 1 for count in counts.values()) > 500


def test_pieces_are_whole_lines() -> None:
    data = b"".join(b"%d\n" % number for number in range(1_000))
    pieces = chunks(data, 100)
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces)


def test_a_column_of_eve_is_what_the_translation_says() -> None:
    seen = set()
    for batch in EveReader({}, "eve").feed(logs.eve(draw(1_000))):
        assert isinstance(batch, EveBatch)
        columns = {name: batch.column(name) or [None] * len(batch) for name in OBSERVERS[batch.log].probes}
        for row in range(len(batch)):
            fields = batch.record(row).fields
            said = {name: fields.get(name) for name in columns}
            cells = {name: column[row] for name, column in columns.items()}
            # Which end is which makes no difference to whoever looks at both.
            assert {said.pop(name) for name in ENDS} == {cells.pop(name) for name in ENDS}
            assert cells == {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in said.items()}
        seen.add(batch.log)
    assert {"conn", "dns", "http", "ssl"} <= seen
    assert set(COLUMNS) >= {"flow", "dns", "http", "tls"}
