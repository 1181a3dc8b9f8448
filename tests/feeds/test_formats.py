from pathlib import Path

import pytest

from feeds.entry import MAX_LINE, Entry, Origin, Refused
from feeds.formats import LINE_FORMATS, detect
from trailhound.trail import LISTED_KINDS, Trail, TrailClass, TrailKind

SAMPLES = {
    "maltrail-static": ("# Copyright (c) Maltrail developers", "", "# Reference: https://a.example/1", "evil.example"),
    "maltrail-csv": ("evil.example,emotet (malware),(static)", "6.6.6.6:443,known attacker,abuse.ch"),
    "lines": ("# a list", "evil.example", "198.51.100.1"),
    "zeek-intel": (
        "#fields\tindicator\tindicator_type\tmeta.source",
        "evil.example\tIntel::DOMAIN\tsome list",
    ),
}


def _read(name: str, *lines: str, info: str = "emotet", category: str = "malware") -> list[Entry]:
    return list(LINE_FORMATS[name].read(lines, Origin("list", "file.txt", info, category)))


def _known(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry.kind.value, entry.value) for entry in entries if isinstance(entry, Trail)]


def _only(entries: list[Entry]) -> Trail:
    (entry,) = entries
    assert isinstance(entry, Trail)
    return entry


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_every_format_knows_its_sample_and_reads_all_of_it(name: str) -> None:
    assert detect(SAMPLES[name]) == name
    entries = _read(name, *SAMPLES[name])
    assert entries
    assert all(isinstance(entry, Trail) for entry in entries)


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_every_format_refuses_a_line_of_a_megabyte_and_reads_on(name: str) -> None:
    lines = (*SAMPLES[name][:-1], "a" * 1_000_000, SAMPLES[name][-1])
    entries = _read(name, *lines)
    refused = [entry for entry in entries if isinstance(entry, Refused)]
    assert [(entry.source, entry.line) for entry in refused] == [("file.txt", len(lines) - 1)]
    assert str(MAX_LINE) in refused[0].reason
    assert len(refused[0].value) <= 200
    assert isinstance(entries[-1], Trail)


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_no_format_lets_control_characters_into_trails_or_refusals(name: str) -> None:
    bell = "ev\x07il.example"
    rows = {"maltrail-csv": f"{bell},in\x1bfo,(static)", "zeek-intel": f"{bell}\tIntel::DOMAIN\tso\x1bme"}
    entries = _read(name, *SAMPLES[name][:1], rows.get(name, bell))
    assert isinstance(entries[-1], Refused)
    assert entries[-1].value.isprintable()
    for entry in entries:
        assert not isinstance(entry, Trail) or entry.info.isprintable()


@pytest.mark.parametrize(
    "head", [("<!DOCTYPE html>", "<html>"), ('{"a": 1}',), ("Permission is hereby granted, free of", "charge, to")]
)
def test_what_is_no_list_has_no_format(head: tuple[str, ...]) -> None:
    assert detect(head) is None


def test_a_file_in_a_folder_of_maltrail_is_told_by_its_place() -> None:
    assert detect(("evil.example",), "trails/static/malware/emotet.txt") == "maltrail-static"


def test_maltrail_values_are_typed_by_their_shape() -> None:
    values = (
        "evil.example", ".cc", "6.6.6.6", "dead:0:0::beef", "6.6.6.6:443", "[dead::beef]:443", "6.6.6.0/24",
        "http://6.6.6.6", "https://Evil.example", "evil.example/Bad/Path/", "/gate.php", "/gate.php?id=",
        "dga[0-9]+\\.evil\\.com", "a" * 32, "b1" * 20, "[0:0:0:0:0:ffff:606:606]:53", "bücher.example",
    )  # fmt: skip
    assert _known(_read("maltrail-static", *values)) == [
        ("domain", "evil.example"),
        ("tld", "cc"),
        ("ipv4", "6.6.6.6"),
        ("ipv6", "dead::beef"),
        ("ip:port", "6.6.6.6:443"),
        ("ip:port", "[dead::beef]:443"),
        ("cidr", "6.6.6.0/24"),
        ("http-host", "6.6.6.6/"),
        ("http-host", "evil.example/"),
        ("url", "evil.example/bad/path"),
        ("path", "/gate.php"),
        ("path", "/gate.php?id="),
        ("wildcard", "dga[0-9]+\\.evil\\.com"),
        ("cert-sha1", "b1" * 20),
        ("ip:port", "6.6.6.6:53"),
        ("domain", "xn--bcher-kva.example"),
    ]


def test_a_reference_holds_until_the_next_and_the_first_of_several_in_a_row_counts() -> None:
    entries = _read(
        "maltrail-static",
        "one.example # why",
        "# Reference: https://a.example/report",
        "# Reference: https://a.example/evidence",
        "two.example",
        "",
        "three.example#note",
        "# Reference: https://a.example/next",
        "four.example",
    )
    references = [entry.reference for entry in entries if isinstance(entry, Trail)]
    assert references == ["why", "https://a.example/report", "https://a.example/report", "https://a.example/next"]


def test_file_and_folder_of_maltrail_give_info_and_class() -> None:
    trail = _only(_read("maltrail-static", "evil.example", info="adaptix c2", category="malicious"))
    assert (trail.info, trail.class_, trail.sources) == ("adaptix c2", TrailClass.C2, ("list",))


def test_www_is_cut_from_names_unless_strangers_live_below_the_rest() -> None:
    values = ("www.evil.example", "www.blogspot.com", "www.com", "www.evil.example/x")
    assert [value for _, value in _known(_read("maltrail-static", *values))] == [
        "evil.example",
        "www.blogspot.com",
        "www.com",
        "www.evil.example/x",
    ]


def test_ports_that_do_not_exist_and_single_words_are_refused() -> None:
    entries = _read("maltrail-static", "6.6.6.6:65536", "6.6.6.6:0", "6.6.6.6:22:443", "orted")
    assert all(isinstance(entry, Refused) for entry in entries)
    assert [entry.line for entry in entries if isinstance(entry, Refused)] == [1, 2, 3, 4]


def test_the_third_column_of_the_built_set_names_the_sources_and_agreement_raises_confidence() -> None:
    entries = _read(
        "maltrail-csv",
        "6.6.6.6,known attacker,abuse.ch",
        '6.6.6.7,known attacker,"abuse.ch (+openphish.com,urlhaus)"',
        "6.6.6.8,malware,(static)",
        '"/a,b.php","x (malware)","(custom)"',
        "evilname,malware (test),(static)",
    )
    trails = [entry for entry in entries if isinstance(entry, Trail)]
    assert [trail.sources for trail in trails] == [
        ("abuse.ch",),
        ("abuse.ch", "openphish.com", "urlhaus"),
        ("maltrail",),
        ("custom",),
        ("maltrail",),
    ]
    assert trails[1].confidence == trails[0].confidence + 20
    assert (trails[3].kind, trails[3].value, trails[3].info) == (TrailKind.PATH, "/a,b.php", "x")
    assert trails[4].kind is TrailKind.TLD


def test_rows_of_other_widths_and_open_quotes_are_refused_one_by_one() -> None:
    entries = _read(
        "maltrail-csv", "evil.example", "a.example,b,c,d", '"evil.example,malware,(static)', "e.example,x,y"
    )
    assert [isinstance(entry, Refused) for entry in entries] == [True, True, True, False]


def test_plain_lists_take_the_forms_that_lists_have() -> None:
    entries = _read(
        "lines",
        "; comment",
        "// comment",
        "198.51.100.1\t10",
        "198.51.100.0/28 ; SBL1",
        "evil.example # why",
        "0.0.0.0 ads.example more.example # comment",
        "127.0.0.1 localhost",
        "::1 ip6-localhost",
        "*.wild.example",
        "hxxp://de[.]fanged.example/x",
        "hxxps://host[.]example",
        info="list",
    )
    assert _known(entries) == [
        ("ipv4", "198.51.100.1"),
        ("cidr", "198.51.100.0/28"),
        ("domain", "evil.example"),
        ("domain", "ads.example"),
        ("domain", "more.example"),
        ("domain", "wild.example"),
        ("url", "de.fanged.example/x"),
        ("http-host", "host.example/"),
    ]
    assert len(_known(entries)) == len(entries)


def test_a_bare_hash_is_kept_as_everything_it_can_be_the_hash_of() -> None:
    kinds = {kind for kind, _ in _known(_read("lines", "ab" * 16, "cd" * 20, "ef" * 32))}
    assert {"file-md5", "ja3", "file-sha1", "cert-sha1", "file-sha256", "cert-sha256"} <= kinds


def test_a_directive_sets_what_holds_for_the_lines_below() -> None:
    entries = _read(
        "lines",
        '# trailhound: class=phishing confidence=80 info="parcel lure" reference=https://a.example/1',
        "parcel.example",
        '# trailhound: kind=user-agent-regex class=scanner info="web scanner"',
        "sqlmap/ # not a comment",
        "# trailhound: kind=any",
        "198.51.100.7",
    )
    first, second, third = (entry for entry in entries if isinstance(entry, Trail))
    assert (first.info, first.class_, first.confidence) == ("parcel lure", TrailClass.PHISHING, 80)
    assert first.reference == "https://a.example/1"
    assert (second.kind, second.value) == (TrailKind.USER_AGENT_REGEX, "sqlmap/ # not a comment")
    assert (third.kind, third.info) == (TrailKind.IPV4, "web scanner")


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("class=evil", "malware, c2"),
        ("confidence=101", "0 to 100"),
        ("kind=domian", "domain"),
        ("klass=c2", "class"),
        ("expires=soon", "2030-01-31"),
        ("expires=1960-01-01", "after 1970"),
        ("expires=2030-02-30", "2030-01-31"),
        ('info="open', "double quotes"),
    ],
)
def test_a_wrong_directive_is_refused_with_what_was_expected(directive: str, expected: str) -> None:
    (entry,) = _read("lines", f"# trailhound: {directive}")
    assert isinstance(entry, Refused)
    assert expected in entry.reason


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2030-01-31", 1_896_134_399),
        ("2030-01-31T12:00", 1_896_091_200),
        ("2030-01-31T12:00Z", 1_896_091_200),
        ("2030-01-31T12:00+02:00", 1_896_084_000),
    ],
)
def test_trails_expire_at_the_end_of_a_day_or_at_a_time_until_the_list_says_never(text: str, seconds: int) -> None:
    lines = ("a.example", f"# trailhound: expires={text}", "b.example", "c.example", "# trailhound: expires=never")
    entries = _read("lines", *lines, "d.example")
    assert [entry.expires for entry in entries if isinstance(entry, Trail)] == [None, seconds, seconds, None]


@pytest.mark.parametrize("name", LINE_FORMATS)
def test_every_format_marks_the_trails_of_a_list_of_ones_own(name: str) -> None:
    for custom in (True, False):
        origin = Origin("list", "file.txt", "emotet", custom=custom)
        entries = list(LINE_FORMATS[name].read(SAMPLES[name], origin))
        assert {entry.custom for entry in entries if isinstance(entry, Trail)} == {custom}


def test_the_built_set_of_maltrail_says_which_trails_are_ones_own() -> None:
    rows = ("a.example,x,(custom)", "b.example,x,(static)", "c.example,x,openphish.com")
    entries = _read("maltrail-csv", *rows)
    assert [entry.custom for entry in entries if isinstance(entry, Trail)] == [True, False, False]


INTEL = "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url"


@pytest.mark.parametrize(
    ("value", "zeek_type", "kind"),
    [
        ("198.51.100.1", "ADDR", "ipv4"),
        ("dead::beef", "ADDR", "ipv6"),
        ("198.51.100.0/24", "SUBNET", "cidr"),
        ("evil.example/x", "URL", "url"),
        ("evil.example", "DOMAIN", "domain"),
        ("Evil Agent/1.0", "SOFTWARE", "user-agent"),
        ("lure@evil.example", "EMAIL", "email"),
        ("ab" * 20, "CERT_HASH", "cert-sha1"),
        ("ab" * 16, "FILE_HASH", "file-md5"),
        ("ab" * 20, "FILE_HASH", "file-sha1"),
        ("ab" * 32, "FILE_HASH", "file-sha256"),
        ("ab" * 16, "JA3", "ja3"),
    ],
)
def test_every_type_of_zeek_that_a_trail_can_have_is_read(value: str, zeek_type: str, kind: str) -> None:
    trail = _only(_read("zeek-intel", INTEL, f"{value}\tIntel::{zeek_type}\tlist\tBOTNET\thttps://a.example/1"))
    assert trail.kind.value == kind
    assert (trail.info, trail.class_, trail.sources) == ("BOTNET", TrailClass.C2, ("list",))
    assert trail.reference == "https://a.example/1"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((INTEL, "putty.exe\tIntel::FILE_NAME\tlist\t-\t-"), "no trail has"),
        ((INTEL, "abc\tIntel::FILE_HASH\tlist\t-\t-"), "no hash"),
        ((INTEL, "10.0.0.1\tIntel::ADDR\tlist\t-\t-"), "private"),
        (("evil.example\tIntel::DOMAIN\tlist",), "without a `#fields` header"),
        (("#fields indicator indicator_type",), "separated by tabs"),
        (
            ("#fields\tindicator\tindicator_type\tmeta.whitelist", "good.example\tIntel::DOMAIN\tT"),
            "whitelist",
        ),
    ],
)
def test_rows_of_zeek_that_no_trail_can_be_made_of_are_refused(lines: tuple[str, ...], reason: str) -> None:
    (entry,) = _read("zeek-intel", *lines)
    assert isinstance(entry, Refused)
    assert reason in entry.reason


def _page() -> str:
    return (Path(__file__).parents[2] / "docs" / "trails.md").read_text(encoding="utf-8")


def test_the_page_on_trails_names_every_format_kind_and_class() -> None:
    page = _page()
    for word in (*LINE_FORMATS, *LISTED_KINDS, *TrailClass):
        assert f"`{word}`" in page, word


def test_the_five_lines_on_the_page_are_read_as_it_says() -> None:
    example = _page().split("```")[1].strip().splitlines()
    assert len(example) == 5
    entries = _read("lines", *example)
    assert _known(entries) == [
        ("domain", "parcel-tracking.example"),
        ("cidr", "203.0.113.0/28"),
        ("url", "203.0.113.9/form.zip"),
    ]
    assert {entry.class_ for entry in entries if isinstance(entry, Trail)} == {TrailClass.PHISHING}
