import sys
from pathlib import Path

import msgspec
import pytest

from feeds import catalogue
from feeds.catalogue import load
from feeds.formats import FORMATS, all_formats
from feeds.formats.format import Format
from feeds.reading import read_feed
from feeds.table import feeds_table, formats_table, span
from tests.feeds.expected import as_rows, expected
from tests.feeds.samples import sample_of
from trailhound.errors import SettingsError
from trailhound.trail import Trail, TrailClass, TrailKind

FEEDS = load()
# Maltrail's forty-two, by its names, and what they are called here.
MALTRAIL = {
    "abuseipdb": "abuseipdb", "alienvault": "alienvault", "atmos": "atmos", "badips": "badips",
    "binarydefense": "binarydefense", "bitcoinnodes": "bitcoinnodes", "blackbook": "blackbook",
    "blackholemonster": "blackholemonster", "blocklist": "blocklist-de", "botscout": "botscout",
    "bruteforceblocker": "bruteforceblocker", "ciarmy": "cinsarmy", "cleantalk": "cleantalk",
    "cybercrimetracker": "cybercrimetracker", "dataplane": "dataplane", "dshieldip": "dshield",
    "emergingthreatsbot": "emergingthreats-botcc", "emergingthreatscip": "emergingthreats-compromised",
    "emergingthreatsdns": "emergingthreats-dns", "fareit": "fareit", "feodotrackerip": "feodotracker",
    "gpfcomics": "gpfcomics", "greensnow": "greensnow", "ipnoise": "ipnoise", "maxmind": "maxmind",
    "minerchk": "minerchk", "myip": "myip", "openphish": "openphish", "policeman": "policeman", "rutgers": "rutgers",
    "sblam": "sblam", "scriptzteam": "scriptzteam", "socksproxy": "socksproxy", "sslblcert": "sslbl-certificates",
    "sslproxies": "sslproxies", "statics": "maltrail-statics", "torproject": "tor-exits",
    "torprojectnodes": "tor-relays", "trickbot": "trickbot", "turris": "turris", "urlhaus": "urlhaus-text",
    "viriback": "viriback",
}  # fmt: skip


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_gives_from_its_sample_just_the_trails_that_are_expected(name: str, tmp_path: Path) -> None:
    feed = FEEDS[name]
    entries = list(read_feed(feed, sample_of(feed, tmp_path)))
    assert as_rows(entries) == expected()[name]
    trails = [entry for entry in entries if isinstance(entry, Trail)]
    assert bool(trails) != FORMATS[feed.format].excludes
    assert {trail.sources for trail in trails} <= {(name,)}
    assert not any(trail.custom for trail in trails)


def test_every_feed_of_maltrail_is_in_the_catalogue() -> None:
    assert len(MALTRAIL) == 42
    assert set(MALTRAIL.values()) <= FEEDS.keys()


@pytest.mark.parametrize("name", FEEDS)
def test_every_feed_says_where_people_read_about_it_and_why_it_is_off(name: str) -> None:
    feed = FEEDS[name]
    assert feed.reference.startswith("https://")
    assert all(url.startswith("https://") for url in feed.urls)
    assert feed.enabled or feed.note
    assert feed.origin == "catalogue"
    assert feed.licence


def test_lists_of_attackers_need_a_second_one_and_rated_servers_of_malware_do_not() -> None:
    assert FEEDS["greensnow"].agreement == 2
    assert FEEDS["feodotracker"].agreement == 1
    assert FEEDS["ipsum"].agreement == 1


def test_mirrors_of_one_list_are_one_voice() -> None:
    assert FEEDS["feodotracker"].group == FEEDS["feodotracker-json"].group == FEEDS["emergingthreats-botcc"].group
    assert FEEDS["greensnow"].group == "greensnow"


def test_a_feed_takes_five_lines_in_a_file_of_the_site(tmp_path: Path) -> None:
    own = tmp_path / "feeds.toml"
    own.write_text('[partner]\nurl = "https://cti.example/list.txt"\nkind = "domain"\ninfo = "lumma"\nclass = "c2"\n')
    feed = load(own)["partner"]
    assert (feed.format, feed.kind, feed.info, feed.class_) == ("lines", TrailKind.DOMAIN, "lumma", TrailClass.C2)
    assert (feed.confidence, feed.interval, feed.expires, feed.enabled) == (50, 86_400, 2 * 86_400, True)
    assert (feed.group, feed.agreement, feed.origin) == ("partner", 1, str(own))
    assert load(own).keys() == FEEDS.keys() | {"partner"}


def test_a_file_of_the_site_changes_only_the_keys_of_a_known_feed_that_it_gives(tmp_path: Path) -> None:
    own = tmp_path / "feeds.toml"
    own.write_text('[openphish]\nenabled = true\ninterval = "12h"\n')
    before, after = FEEDS["openphish"], load(own)["openphish"]
    assert not before.enabled
    assert after.enabled
    assert after.interval == 12 * 3600
    assert (after.urls, after.class_, after.licence) == (before.urls, before.class_, before.licence)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a]\n", '[a] has no url; expected url = "https://..."'),
        ("x = 1\n", "x stands outside a table"),
        ("[a\n", "this is no TOML"),
        ('[A]\nurl = "https://a.example"\n', "expected lower-case letters, digits and dashes"),
        ('["../a"]\nurl = "https://a.example"\n', "expected lower-case letters, digits and dashes"),
        ('[a]\nurl = "file:///etc/passwd"\n', "expected https://HOST/..."),
        ('[a]\nurl = "https://user:word@a.example/"\n', "without user and password"),
        ("[a]\nurl = []\n", "expected 1 to 100"),
        ('[a]\nurl = "https://a.example"\nclas = "c2"\n', "clas is no key; expected one of url, format,"),
        ('[a]\nurl = "https://a.example"\nclas = "c2"\n', "(did you mean class?)"),
        ('[a]\nurl = "https://a.example"\nclass = "pishing"\n', "(did you mean phishing?)"),
        ('[a]\nurl = "https://a.example"\nkind = "rule"\n', "kind = 'rule' is only seen in logs"),
        ('[a]\nurl = "https://a.example"\nformat = "cvs"\n', "(did you mean csv?)"),
        ('[a]\nurl = "https://a.example"\nconfidence = 101\n', "confidence = 101; expected a number from 0 to 100"),
        ('[a]\nurl = "https://a.example"\nconfidence = "high"\n', "Expected `int`, got `str` for `confidence`"),
        ('[a]\nurl = "https://a.example"\ninterval = "1s"\n', "interval = '1s'; expected a time such as 30m, 12h"),
        ('[a]\nurl = "https://a.example"\ninterval = "1m"\n', "5m at least"),
        ('[a]\nurl = "https://a.example"\nexpires = "soon"\n', "expires = 'soon'; expected a time"),
        ('[a]\nurl = "https://a.example"\nagreement = -1\n', "1 for this one alone"),
        ('[a]\nurl = "https://a.example"\nformat = "csv"\noptions = { valeu = 1 }\n', "options of the format csv: "),
        ('[a]\nurl = "https://a.example"\nformat = "csv"\noptions = { lasts = "x" }\n', "expected a time such as 30m"),
        ('[a]\nurl = "https://a.example"\nformat = "csv"\noptions = { delimiter = "::" }\n', "expected one character"),
        ('[a]\nurl = "https://a.example"\nformat = "csv"\noptions = { types = { x = "y" } }\n', "'y' is no kind"),
        ('[a]\nurl = "https://a.example"\nformat = "regex"\noptions = { pattern = "(" }\n', "RE2 can compile"),
        ('[a]\nurl = "https://a.example"\nformat = "regex"\noptions = { pattern = "x" }\n', "no group (?P<value>...)"),
        ('[a]\nurl = "https://a.example"\nsecret = "KEY"\n', "{secret} is in no header and no url"),
        ('[a]\nurl = "https://a.example/{secret}"\n', "expected secret = "),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said_with_file_feed_key_and_what_was_expected(
    text: str, said: str, tmp_path: Path
) -> None:
    own = tmp_path / "feeds.toml"
    own.write_text(text)
    with pytest.raises(SettingsError) as error:
        load(own)
    assert str(error.value).startswith(f"{own}: ")
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: the file of feeds cannot be read: No such file"):
        load(tmp_path / "none.toml")


def _install(monkeypatch: pytest.MonkeyPatch, folder: Path, points: str, module: str) -> None:
    """Put a distribution with entry points where Python looks for packages."""
    info = folder / "dummy_feeds-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dummy-feeds\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    (folder / "dummy_feeds.py").write_text(module)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "dummy_feeds", raising=False)


@pytest.fixture(autouse=True)
def _forget_plug_ins() -> object:
    all_formats.cache_clear()
    yield
    all_formats.cache_clear()


PLUGIN = """
from feeds.formats.format import Format, Options
from feeds.formats.making import Said, entries
from feeds.formats.values import of_kind

class Shouting(Options, frozen=True, kw_only=True):
    mark: str = "!"

def read(documents, origin, options):
    for document in documents:
        for number, line in enumerate(document.stream.read().decode().split(options.mark), 1):
            if line.strip():
                yield from entries(of_kind(line.strip().lower(), origin.kind), Said(), origin, number, line)

SHOUT = Format(read, "names that are shouted", Shouting)
CATALOGUE = '[loud]\\nurl = "https://loud.example/x"\\nformat = "shout"\\noptions = { mark = "?" }\\nclass = "c2"\\n'
def text():
    return CATALOGUE
TAKEN = '[openphish]\\nurl = "https://loud.example/x"\\n'
NOTHING = 7
"""


def test_a_plug_in_adds_formats_and_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "[trailhound.feeds]\ndummy = dummy_feeds:text\n\n[trailhound.feed_formats]\nshout = dummy_feeds:SHOUT\n"
    _install(monkeypatch, tmp_path, points, PLUGIN)
    feed = load()["loud"]
    assert feed.origin == "plug-in dummy"
    copy = tmp_path / "copy"
    copy.write_text("EVIL.EXAMPLE?OTHER.EXAMPLE?")
    assert as_rows(read_feed(feed, [copy])) == [
        ("domain", "evil.example", "loud", "c2", "50"),
        ("domain", "other.example", "loud", "c2", "50"),
    ]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("[trailhound.feeds]\ndummy = dummy_feeds:TAKEN\n", "plug-in dummy: [openphish] is in the catalogue already"),
        ("[trailhound.feeds]\ndummy = dummy_feeds:NOTHING\n", "gives int; expected the text of a catalogue"),
        ("[trailhound.feeds]\ndummy = dummy_feeds:gone\n", "plug-in dummy: cannot be loaded"),
        ("[trailhound.feed_formats]\nshout = dummy_feeds:NOTHING\n", "dummy_feeds:NOTHING is no Format"),
        ("[trailhound.feed_formats]\ncsv = dummy_feeds:SHOUT\n", "a format of this name comes with Trailhound"),
    ],
)
def test_a_plug_in_that_is_none_is_named(
    points: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(monkeypatch, tmp_path, points, PLUGIN)
    with pytest.raises(SettingsError) as error:
        load()
    assert said in str(error.value)


def test_options_of_every_feed_are_those_of_its_format() -> None:
    for feed in FEEDS.values():
        assert isinstance(msgspec.convert(feed.options, FORMATS[feed.format].options), FORMATS[feed.format].options)


def test_the_tables_name_every_feed_and_every_format() -> None:
    table = feeds_table(FEEDS.values())
    assert all(f"[{name}](" in table for name in FEEDS)
    assert all(line.count(" | ") == 9 for line in table.splitlines()[2:])
    formats = formats_table(FORMATS)
    assert all(f"| `{name}` |" in formats for name in FORMATS)
    assert "columns, `delimiter`, `comment`, `names`" in formats


def test_spans_read_as_they_are_written() -> None:
    assert [span(seconds) for seconds in (0, 300, 3600, 12 * 3600, 2 * 86_400, 4 * 604_800)] == [
        "0", "5m", "1h", "12h", "2d", "4w",
    ]  # fmt: skip


def test_the_catalogue_is_part_of_the_package() -> None:
    assert catalogue.CATALOGUE.is_file()
    assert all(isinstance(format_, Format) for format_ in FORMATS.values())
