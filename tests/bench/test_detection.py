"""The measurement of detection: that it would see what is not found, and what is said of others."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench import detection, logs
from bench.detection import Attack, attacks, outcome
from matchers.compile import Compiler
from matchers.trailset import TrailSet

ATTACKS = {attack.name: attack for attack in attacks()}


@pytest.fixture(scope="module")
def trails(tmp_path_factory: pytest.TempPathFactory) -> TrailSet:
    path = tmp_path_factory.mktemp("set") / "none.set"
    Compiler().write(path)
    return TrailSet.open(path)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_every_attack_is_found(trails: TrailSet, attack: Attack) -> None:
    found = outcome(trails, attack, []).found
    assert found
    assert set(found) <= attack.expected
    assert all(delay >= 0 for delay in found.values())


def test_what_nobody_does_is_not_found(trails: TrailSet) -> None:
    few = dataclasses.replace(ATTACKS["nmap -sS"], rows=ATTACKS["nmap -sS"].rows[:10])
    one = outcome(trails, few, [])
    assert (dict(one.found), one.wrong) == ({}, 0)
    assert str(one) == "| nmap -sS | nothing | 0 |"


def test_what_is_said_of_others_is_counted_as_wrong(trails: TrailSet) -> None:
    attack = ATTACKS["nmap -sS"]
    others = [{**row, "id.orig_h": "10.0.0.7"} for row in attack.rows]
    one = outcome(trails, attack, others)
    assert one.found
    assert one.wrong > 0


def _end(line: str, ends: Mapping[str, str]) -> str:
    return ends.get(line.partition("\t")[0], "Malicious")


def test_labelled_logs_are_judged_by_their_labels(trails: TrailSet, tmp_path: Path) -> None:
    attack = ATTACKS["nmap -sS"]
    ends = {"#fields": "label", "#types": "string"}
    lines = [
        line if line.startswith("#") and line.partition("\t")[0] not in ends else f"{line}\t{_end(line, ends)}"
        for line in logs.tsv("conn", attack.rows).decode().splitlines()
    ]
    folder = tmp_path / "day" / "data"
    folder.mkdir(parents=True)
    (folder / "conn.log.labeled").write_text("\n".join(lines) + "\n")
    (line,) = detection.labelled(trails, tmp_path)
    assert line.split("|")[2:5] == [" 1 ", " 1 ", " 0 "]
