"""`trailhound scan`."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.commands.conftest import Trailhound
from tests.ingest.living import header, name, row, rows
from trailhound.commands import scanners

ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x80-\x9f]")


def found(report: dict[str, Any]) -> dict[str, int]:
    return {threat["trail"]: threat["count"] for threat in report["threats"]}


def test_the_table_shows_each_threat_with_its_count(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    ran = trailhound("scan", logs, "--trails", trails)
    assert ran.status == 1
    line = next(line for line in ran.out.splitlines() if name(1) in line)
    assert "10.0.0.5" in line
    assert "threat 1" in line
    assert re.search(r"│\s+2 │", line)
    assert "1 files, 4 records: 2 threats in 3 records" in ran.out
    assert f"{logs / 'dns.log'}: 1" in ran.out


def test_json_holds_files_and_threats(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    ran = trailhound("scan", logs, "--trails", trails, "--json")
    report = json.loads(ran.out)
    assert ran.status == 1
    assert found(report) == {name(1): 2, name(2): 1}
    assert (report["records"], report["unreadable"], report["events"], report["count"]) == (4, 1, 2, 3)
    assert [(file["path"], file["format"]) for file in report["files"]] == [(str(logs / "dns.log"), "zeek-tsv")]


def test_ecs_holds_one_document_a_line(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    ran = trailhound("scan", logs, "--trails", trails, "--ecs", "--sensor", "dmz")
    documents = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.status == 1
    assert {document["trailhound"]["trail"]: document["trailhound"]["count"] for document in documents} == {
        name(1): 2,
        name(2): 1,
    }
    assert {document["observer"]["name"] for document in documents} == {"dmz"}


def test_nothing_found_is_status_0(trailhound: Trailhound, logs: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("elsewhere.example,other,test\n")
    ran = trailhound("scan", logs, "--trails", tmp_path / "other.csv")
    assert ran.status == 0
    assert "0 threats" in ran.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-log"], "no-such-log: there is no such file or folder"),
        (["{logs}", "--trails", "no-such-file"], "no-such-file: there is no such file or folder of trails"),
        (["{logs}", "--set", "no-such-set"], "no-such-set: there is no such trail set"),
        (["{logs}", "--json", "--ecs"], "--json and --ecs: one of them was expected"),
        (["{logs}", "--set", "a", "--trails", "b"], "--set and --trails: one of them was expected"),
        (["{logs}", "--config", "no-such.toml"], "no-such.toml: there is no such settings file"),
    ],
)
def test_trouble_is_status_2_and_one_sentence(
    trailhound: Trailhound, logs: Path, arguments: list[str], sentence: str
) -> None:
    ran = trailhound("scan", *[argument.format(logs=logs) for argument in arguments])
    assert ran.status == 2
    assert ran.err.startswith("trailhound: ")
    assert ran.err.count("\n") == 1
    assert sentence in ran.err
    assert not ran.out


def test_trails_without_a_trail_are_trouble(trailhound: Trailhound, logs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("# nothing,in,it\n")
    ran = trailhound("scan", logs, "--trails", tmp_path / "empty.csv")
    assert ran.status == 2
    assert ran.err.startswith("trailhound: ")


def test_compressed_logs_are_read_as_they_are(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    content = (logs / "dns.log").read_bytes()
    (logs / "dns.log.gz").write_bytes(gzip.compress(content))
    (logs / "dns.log.zst").write_bytes(zstandard.compress(content))
    for suffix in ("gz", "zst"):
        report = json.loads(trailhound("scan", logs / f"dns.log.{suffix}", "--trails", trails, "--json").out)
        assert found(report) == {name(1): 2, name(2): 1}


def test_a_damaged_archive_is_read_as_far_as_it_goes_and_told_of(
    trailhound: Trailhound, logs: Path, trails: Path
) -> None:
    (logs / "dns.log").unlink()
    whole = gzip.compress(header() + rows(range(3)) + b"".join(row(n, f"n{n * n}.test") for n in range(300_000)))
    (logs / "dns.log.gz").write_bytes(whole[: len(whole) // 2])
    ran = trailhound("scan", logs, "--trails", trails, "--json")
    report = json.loads(ran.out)
    assert ran.status == 1
    assert len(found(report)) == 3
    assert "damaged" in report["files"][0]["problem"]


def test_what_is_no_log_is_skipped_and_told_of(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    (logs / "notes.txt").write_text("words\n")
    (logs / "empty.log").touch()
    ran = trailhound("scan", logs, "--trails", trails)
    assert "2 files skipped:" in ran.out
    assert "notes.txt: no log of Zeek or Suricata" in ran.out


def test_dead_letters_tell_file_line_and_reason(
    trailhound: Trailhound, logs: Path, trails: Path, tmp_path: Path
) -> None:
    trailhound("scan", logs, "--trails", trails, "--state", tmp_path / "state")
    letters = (tmp_path / "state" / "deadletters.ndjson").read_text("utf-8").splitlines()
    (letter,) = map(json.loads, letters)
    assert (letter["file"], letter["line"], letter["raw"]) == (str(logs / "dns.log"), 13, "nonsense")
    assert "10 columns expected" in letter["reason"]


def test_a_compiled_set_can_be_named(trailhound: Trailhound, logs: Path, trails: Path, tmp_path: Path) -> None:
    assert trailhound("trails", "compile", trails, "--output", tmp_path / "my.set").status == 0
    report = json.loads(trailhound("scan", logs, "--set", tmp_path / "my.set", "--json").out)
    assert found(report)[name(1)] == 2


def test_without_trails_the_starter_set_counts(trailhound: Trailhound, logs: Path, tmp_path: Path) -> None:
    (logs / "dns.log").write_bytes(header() + row(1, "harmless.test"))
    ran = trailhound("scan", logs, "--state", tmp_path / "state", "--json")
    assert ran.status == 0
    assert (tmp_path / "state" / "trails.set").exists()


def test_several_processes_find_the_same_as_one(
    trailhound: Trailhound, logs: Path, trails: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanners, "SMALL", 0)
    for hour in range(4):
        (logs / f"dns.{hour:02d}-00-00.log").write_bytes(header(hour) + rows(range(hour, hour + 20)) + b"bad\n")
    alone, together = (
        json.loads(trailhound("scan", logs, "--trails", trails, "--json", "--jobs", jobs).out) for jobs in (1, 2)
    )
    for report in (alone, together):
        report["threats"].sort(key=lambda threat: threat["trail"])
    assert together == alone
    assert len(alone["files"]) == 5


def test_several_processes_share_one_big_file_and_find_the_same(
    trailhound: Trailhound, logs: Path, trails: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanners, "BIG", 10_000)
    monkeypatch.setattr("ingest.formats.CHUNK", 2048)
    content = header() + rows(range(200)) + b"bad\n" + header(1) + rows(range(200))
    (logs / "dns.log").write_bytes(content)
    (logs / "other.log").write_bytes(header() + row(7))
    reports, letters = [], []
    for jobs in (1, 3):
        state = tmp_path / f"state{jobs}"
        ran = trailhound("scan", logs, "--trails", trails, "--json", "--jobs", jobs, "--state", state)
        reports.append(json.loads(ran.out))
        letters.append(json.loads((state / "deadletters.ndjson").read_text("utf-8"))["line"])
    assert reports[0] == reports[1]
    assert letters[0] == letters[1]
    assert (reports[0]["count"], reports[0]["records"]) == (201, 401)


def test_nothing_of_a_hostile_log_reaches_the_terminal_raw(trailhound: Trailhound, tmp_path: Path) -> None:
    bad = "\x1b]0;owned\x07\x1b[2J\x9b31m"
    folder = tmp_path / f"logs{bad}"
    folder.mkdir()
    (tmp_path / "trails.txt").write_text(f"{name(1)}\n")
    (folder / f"dns{bad}.log").write_bytes(header() + row(1).replace(b"C0000", f"C{bad}".encode()) + b"bad\n")
    (folder / f"words{bad}.log").write_bytes(bad.encode())
    (folder / f"broken{bad}.log.gz").write_bytes(gzip.compress(header())[:-9])
    for arguments in ((), ("--json",), ("--ecs",)):
        ran = trailhound("scan", folder, "--trails", tmp_path / "trails.txt", *arguments)
        assert ran.status == 1, ran.err
        assert not ESCAPE.search(ran.out)
        assert not ESCAPE.search(ran.err)
    ran = trailhound("scan", tmp_path / bad)
    assert ran.status == 2
    assert not ESCAPE.search(ran.err)


def test_a_name_on_disk_that_is_no_text_is_scanned(trailhound: Trailhound, logs: Path, trails: Path) -> None:
    (logs / "dns.log").rename(logs / "d\udcffns.log")
    for arguments in ((), ("--json",), ("--ecs",)):
        ran = trailhound("scan", logs, "--trails", trails, *arguments)
        assert ran.status == 1, ran.err


def _check_report(trailhound: Trailhound, state: Path, folder: Path, *arguments: object) -> dict[str, Any]:
    ran = trailhound("scan", folder, "--state", state, "--json", *arguments)
    assert ran.status in (0, 1), ran.err
    assert "Traceback" not in ran.err
    report: dict[str, Any] = json.loads(ran.out)
    files = {str(path) for path in folder.rglob("*") if path.is_file()}
    assert {file["path"] for file in report["files"]} == files
    letters: Counter[str] = Counter()
    for name_ in ("deadletters.ndjson.1", "deadletters.ndjson"):
        if (state / name_).exists():
            with (state / name_).open(encoding="utf-8") as stream:
                letters.update(json.loads(line)["file"] for line in stream)
    assert letters == Counter({file["path"]: file["unreadable"] for file in report["files"] if file["unreadable"]})
    assert report["unreadable"] == letters.total()
    return report


@pytest.mark.parametrize("part", ["zeek_logs", "suricata_eve"])
def test_every_real_log_is_scanned(trailhound: Trailhound, corpus: Path, tmp_path: Path, part: str) -> None:
    report = _check_report(trailhound, tmp_path / "state", corpus / part)
    assert report["records"] > 1000


def test_what_maltrail_was_tried_on_is_scanned_with_its_trails(
    trailhound: Trailhound, corpus: Path, tmp_path: Path
) -> None:
    place = corpus / "maltrail_corpus"
    scanned = 0
    for folder in sorted(path for path in place.glob("*/*") if path.is_dir()):
        trails = next((path for path in (folder.parent / "trails.csv", place / "trails.csv") if path.exists()), None)
        arguments = ("--trails", trails) if trails else ()
        _check_report(trailhound, tmp_path / f"{folder.parent.name}-{folder.name}", folder, *arguments)
        scanned += 1
    assert scanned > 10


def test_an_archive_is_judged_by_its_own_time_and_trails_are_kept_as_long_as_asked(
    trailhound: Trailhound, logs: Path, tmp_path: Path
) -> None:
    trails = tmp_path / "dated.txt"
    valid, over = "# trailhound: expires=2023-12-01", "# trailhound: expires=2023-11-01"  # The logs are of 14 November.
    trails.write_text(f"{valid}\n{name(1)}\n{over}\n{name(2)}\n", "utf-8")
    config = tmp_path / "trailhound.toml"
    config.write_text("[trails]\nexpired_days = 36500\n", "utf-8")
    ran = trailhound("scan", logs, "--trails", trails, "-c", config, "--json")
    assert found(json.loads(ran.out)) == {name(1): 2}
    ran = trailhound("scan", logs, "--trails", trails)
    assert ran.status == 2
    assert "2 lines were refused" in ran.err


def test_classes_and_weak_trails_that_the_settings_leave_out_are_not_found(
    trailhound: Trailhound, logs: Path, tmp_path: Path
) -> None:
    trails = tmp_path / "trails.txt"
    policy, c2 = "# trailhound: class=policy confidence=60", "# trailhound: class=c2"
    trails.write_text(f"{policy}\n{name(1)}\n{c2}\n{name(2)}\n", "utf-8")
    config = tmp_path / "trailhound.toml"
    for setting, left in (
        ('ignore_classes = ["policy"]', {name(2): 1}),
        ("min_confidence = 61", {}),
        ("", {name(1): 2, name(2): 1}),
    ):
        config.write_text(f"[trails]\n{setting}\n", "utf-8")
        assert found(json.loads(trailhound("scan", logs, "--trails", trails, "-c", config, "--json").out)) == left
