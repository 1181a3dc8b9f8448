"""Real samples of public lists, each read in the format that a feed of the catalogue has."""

import os
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from feeds import catalogue
from feeds.reading import read_feed
from trailhound.trail import Trail, TrailKind

CORPUS = os.environ.get("TRAILHOUND_CORPUS")
pytestmark = pytest.mark.skipif(not CORPUS, reason="TRAILHOUND_CORPUS names no folder of real lists")
FOLDER = Path(CORPUS or ".") / "feeds"
# What is no list: licences, words about a list, lists of what is not matched.
NO_LISTS = ("LICENSE", "README.md", "whitelist.txt", "worst_asns.txt", "ua.txt")
TYPES = {"ip:port": "ip:port", "domain": "domain", "url": "url", "md5_hash": "file-md5", "sha256_hash": "file-sha256"}
API = {
    "value": "ioc",
    "info": ["malware_printable"],
    "type": "ioc_type",
    "types": TYPES,
    "confidence": "confidence_level",
}
OPENIOC = {
    "pattern": r'search="(?P<search>Network/DNS|FileItem/Sha1sum)"[^>]*/>\s*<Content type="\w+">(?P<value>[^<]+)<',
    "type": "search",
    "types": {"Network/DNS": "domain", "FileItem/Sha1sum": "file-sha1"},
}


@dataclass(frozen=True)
class Case:
    """Which files are read by which feed, with changes to it; the least trails and the most refusals."""

    files: str
    feed: str
    trails: int
    refused: int
    changes: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("wizard-projects+abuse.chC2Feeds/ipblocklist.csv", "feodotracker", 1, 0),
    Case("juandll+nmap_cert_x509_scan/sslblacklist.csv", "sslbl-certificates", 5000, 20),
    Case(
        "juandll+nmap_cert_x509_scan/blacklist.csv",
        "policeman",
        3,
        2,
        {"options": {"value": "2", "delimiter": ";"}},
    ),
    Case("elastic+integrations/test-threatfox-ndjson.log", "threatfox", 3, 1, {"format": "ndjson", "options": API}),
    Case(
        "elastic+integrations/test-abusechurl-fulljson.log",
        "urlhaus-json",
        3,
        0,
        {"format": "ndjson", "options": {"value": "url"}},
    ),
    Case("openphish+public_feed/feed.txt", "openphish", 295, 5),
    Case("stamparm+ipsum/ipsum.txt", "ipsum", 1000, 0),
    Case("stamparm+maltrail/trails-static.tar.gz", "maltrail-static", 1_800_000, 20_000),
    Case("CriticalPathSecurity+Zeek-Intelligence-Feeds/*.intel", "criticalpath", 300_000, 2000),
    Case("CriticalPathSecurity+Public-Intelligence-Feeds/*.txt", "greensnow", 200_000, 2000, {"kind": ""}),
    Case("eset+malware-ioc/**/*.json", "eset", 900, 200, {"options": {}}),
    Case("eset+malware-ioc/windigo/windigo.ioc", "trickbot", 100, 20, {"options": OPENIOC}),
    Case("MISP+PyMISP/**/*.json", "misp-circl", 100, 60, {"options": {"to_ids": False}}),
    Case(
        "oasis-open+cti-documentation/**/*.json",
        "otx",
        75,
        10,
        {"format": "stix", "headers": {}, "secret": ""},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=[case.files for case in CASES])
def test_every_real_sample_gives_trails_in_the_format_of_a_feed(case: Case) -> None:
    paths = sorted(FOLDER.glob(case.files))
    paths = [path for path in paths if path.is_file() and path.name not in NO_LISTS]
    assert paths
    tables = tomllib.loads(catalogue.CATALOGUE.read_text(encoding="utf-8"))
    feed = catalogue.feed(case.feed, {**tables[case.feed], **case.changes}, "test")
    trails = 0
    reasons: Counter[str] = Counter()
    kinds: Counter[TrailKind] = Counter()
    for entry in read_feed(feed, paths):
        if isinstance(entry, Trail):
            trails += 1
            kinds[entry.kind] += 1
            assert entry.sources == (case.feed,)
        else:
            reasons[entry.reason] += 1
    assert trails >= case.trails, (trails, reasons.most_common(5))
    assert reasons.total() <= case.refused, (trails, reasons.most_common(10))
    assert kinds[TrailKind.TLD] < 3000


def test_no_sample_is_left_unread() -> None:
    read = {path for case in CASES for path in FOLDER.glob(case.files)}
    lists = {path for path in FOLDER.rglob("*") if path.is_file() and path.name not in NO_LISTS}
    assert lists - read == set()
