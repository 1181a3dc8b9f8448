"""Hostile documents in every format of feeds: trails, refusals or an error of ours, never anything else."""

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.archives import Document
from feeds.entry import Origin, Refused
from feeds.formats import FORMATS, stix_pattern
from trailhound import canonical
from trailhound.errors import SourceError, TrailError
from trailhound.trail import Trail, TrailKind

OPTIONS: dict[str, dict[str, Any]] = {
    "csv": {"value": "1", "info": "2", "first_seen": "3", "confidence": "4"},
    "json": {"items": "*", "value": "a"},
    "ndjson": {"value": "a", "port": "b"},
    "regex": {"pattern": r"(?P<value>\S+)"},
}
WORDS = (
    "evil.example", "198.51.100.1", "2001:db8::1", "0.0.0.0/0", "com", "[domain-name:value = 'evil.example']",
    "b386946a5a44d1ddcc843bc75336dfce", "http://evil.example/\x00", "domain", "ip-dst|port", "x|y", "\ud7ff", "",
    "1e999",
)  # fmt: skip
KEYS = (
    "Event", "Attribute", "Object", "Tag", "name", "type", "value", "to_ids", "response", "objects", "id", "pattern",
    "results", "indicators", "indicator", "a", "b", "list", "info", "date", "malware_families", "references",
    "warnings",
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 2**70), st.floats(), st.sampled_from(WORDS), st.text(max_size=9)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=5),
    ),
    max_leaves=25,
)


def _read(name: str, content: bytes) -> None:
    format_ = FORMATS[name]
    options = msgspec.convert(OPTIONS.get(name, {}), format_.options)
    document = Document("place", "list.json", io.BufferedReader(io.BytesIO(content)))
    try:
        entries = list(format_.read(iter((document,)), Origin("feed", "feed", "info"), options))
    except SourceError:
        return
    for entry in entries:
        if isinstance(entry, Refused):
            assert entry.value.isprintable()
            continue
        assert isinstance(entry, Trail)
        assert 0 <= entry.confidence <= 100
        assert entry.info.isprintable()
        assert entry.reference.isprintable()
        assert entry.kind in {TrailKind.USER_AGENT, canonical.indicator(entry.kind, entry.value).kind}


@pytest.mark.parametrize("name", FORMATS)
@given(st.binary(max_size=400))
@settings(max_examples=60)
def test_bytes(name: str, content: bytes) -> None:
    _read(name, content)


@pytest.mark.parametrize("name", FORMATS)
@given(
    st.lists(
        st.lists(
            st.sampled_from((*WORDS, ",", "\t", '"', "#", ";", "alert dns any any -> any any (", ")")), max_size=9
        ),
        max_size=9,
    )
)
@settings(max_examples=60)
def test_lines_of_words(name: str, lines: list[list[str]]) -> None:
    _read(name, "\n".join("".join(line) for line in lines).encode("utf-8", "replace"))


@pytest.mark.parametrize("name", ["json", "misp", "misp-warninglist", "otx", "stix"])
@given(TREES)
@settings(max_examples=250)
def test_trees(name: str, tree: Any) -> None:
    _read(name, json.dumps(tree).encode("utf-8", "replace"))


@given(st.text(alphabet="[]()'\\=,:ANDORI NTxyz.7-!", max_size=120))
@settings(max_examples=400)
def test_patterns(pattern: str) -> None:
    try:
        found = stix_pattern.read(pattern)
    except TrailError:
        return
    assert all(isinstance(value.kind, TrailKind) for value in found)
