"""A checksum may be of the file as it came, or of what is packed in it: both are published."""

import gzip
import hashlib
from pathlib import Path

import pytest

from feeds import judge
from feeds.parts import Part
from trailhound.errors import FetchError

TEXT = b"evil.example,emotet (malware),(static)\n" * 100
URL = "https://feed.example/trails.csv.gz"


def _part(path: Path, content: bytes) -> Part:
    path.write_bytes(content)
    return Part(path.name, "address", len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("of", ["packed", "unpacked"])
def test_both_sums_are_right(of: str, tmp_path: Path) -> None:
    packed = gzip.compress(TEXT)
    path = tmp_path / "000"
    part = _part(path, packed)
    text = hashlib.sha256(packed if of == "packed" else TEXT).hexdigest()
    judge.refuse_wrong_checksum(part, path, f"{text}  trails.csv\n", URL, "feed.example")


@pytest.mark.parametrize("content", [gzip.compress(TEXT + b"more"), TEXT + b"more"], ids=["packed", "unpacked"])
def test_any_other_sum_is_wrong(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "000"
    part = _part(path, content)
    with pytest.raises(FetchError, match="was expected"):
        judge.refuse_wrong_checksum(part, path, hashlib.sha256(TEXT).hexdigest(), URL, "feed.example")
