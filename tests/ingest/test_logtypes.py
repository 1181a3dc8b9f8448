"""The log of a line is told by its columns, and by names only where they do not say."""

from pathlib import Path

import pytest

from ingest.logtypes import log_of_columns, log_of_file
from tests.ingest.reading import WANTED

SAMPLE = Path(__file__).parents[2] / "trailhound" / "sample" / "zeek"
LOGINS = Path(__file__).parents[1] / "fixtures" / "zeek"


@pytest.mark.parametrize(
    ("path", "log"),
    [
        ("conn.log", "conn"),
        ("/var/log/conn.2026-01-01-00-00-00.log.gz", "conn"),
        ("conn.00:00:00-01:00:00.log.gz", "conn"),
        ("conn_20260101.log", "conn"),
        ("conn-20260101.log", "conn"),
        ("eve.json", "eve"),
    ],
)
def test_a_file_names_its_log(path: str, log: str) -> None:
    assert log_of_file(path) == log


@pytest.mark.parametrize("path", sorted([*SAMPLE.glob("*.log"), *LOGINS.glob("*.log")]), ids=lambda path: path.stem)
def test_the_columns_of_every_log_of_the_sample_tell_it(path: Path) -> None:
    fields = next(line for line in path.read_text().splitlines() if line.startswith("#fields"))
    assert log_of_columns(fields.split("\t")[1:], "misleading", WANTED) == path.stem


def test_a_log_of_the_site_is_believed_by_its_name() -> None:
    columns = ("query", "qtype", "trans_id")
    assert log_of_columns(columns, "ours", {**WANTED, "ours": ("ts",)}) == "ours"
    assert log_of_columns(columns, "ours", WANTED) == "dns"
