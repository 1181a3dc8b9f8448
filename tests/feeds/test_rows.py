from pathlib import Path

import pytest

from tests.feeds.read import entries, known, rows
from trailhound.errors import SettingsError, SourceError
from trailhound.trail import Trail, TrailClass


def test_csv_columns_go_by_the_names_of_a_header_that_is_a_comment(tmp_path: Path) -> None:
    text = "# a list\n# id,host,family\n1,evil.example,emotet\n2,other.example,\n"
    assert rows(tmp_path, "csv", text, options={"value": "host", "info": "family"}) == [
        ("domain", "evil.example", "emotet", "malware", "50"),
        ("domain", "other.example", "threat", "malware", "50"),
    ]


def test_csv_reads_quotes_with_commas_blanks_and_quotes_in_them(tmp_path: Path) -> None:
    text = 'url,x\n"https://a.example/a,b", "say ""hi"""\nhttps://b.example/c,\n'
    assert known(tmp_path, "csv", text, options={"value": "url"}) == [
        ("url", "a.example/a,b"),
        ("url", "b.example/c"),
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest_of_the_list(tmp_path: Path) -> None:
    text = 'host,x\n"evil.example,1\nother.example,2\n'
    found = known(tmp_path, "csv", text, options={"value": "host"})
    assert found[-1] == ("domain", "other.example")
    assert found[0][0] == "refused"


def test_a_csv_whose_columns_have_other_names_is_another_list(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no header with the columns host"):
        entries(tmp_path, "csv", "domain,x\nevil.example,1\n", options={"value": "host"})


def test_a_row_with_too_few_columns_is_refused(tmp_path: Path) -> None:
    assert rows(tmp_path, "csv", "a,host\n1\n", options={"value": "host"}) == [("refused", "", "nothing in host")]


@pytest.mark.parametrize(
    ("delimiter", "line"),
    [
        ("|", "1 | evil.example | x"),
        ("\t", "\tevil.example\tx"),
        ("blank", "1   evil.example \t x"),
        (";", "1;evil.example;x"),
    ],
)
def test_csv_columns_go_by_number_with_any_separator(delimiter: str, line: str, tmp_path: Path) -> None:
    options = {"value": "2", "delimiter": delimiter}
    assert known(tmp_path, "csv", f"# none\n{line}\n", options=options) == [("domain", "evil.example")]


def test_rows_are_kept_and_passed_over_by_what_stands_in_them(tmp_path: Path) -> None:
    text = (
        "host,status,note,seen\na.example,Online,x,3\nb.example,offline,x,9\n"
        "c.example,online,test only,9\nd.example,online,x,2\n"
    )
    options = {
        "value": "host",
        "only": {"status": ["online"]},
        "without": {"note": ["*test*"]},
        "at_least": {"seen": 3},
    }
    assert known(tmp_path, "csv", text, options=options) == [("domain", "a.example")]


def test_class_confidence_times_and_reference_come_from_the_row(tmp_path: Path) -> None:
    text = (
        "ioc,what,sure,first,last,id\n"
        "evil.example,cc,80,2026-11-01 10:00:00,2026-11-02T10:00:00Z,7\n"
        "other.example,odd,,1793527200,,\n"
    )
    options = {
        "value": "ioc", "class": "what", "classes": {"cc": "c2"}, "confidence": "sure", "first_seen": "first",
        "last_seen": "last", "lasts": "7d", "reference": "https://r.example/{id}",
    }  # fmt: skip
    one, two = entries(tmp_path, "csv", text, options=options, confidence=50)
    assert isinstance(one, Trail)
    assert isinstance(two, Trail)
    assert (one.class_, one.confidence, one.reference) == (TrailClass.C2, 40, "https://r.example/7")
    assert (one.first_seen, one.expires) == (1793527200, 1793613600 + 7 * 86_400)
    assert (two.class_, two.confidence, two.reference) == (TrailClass.MALWARE, 50, "")
    assert (two.first_seen, two.expires) == (1793527200, 1793527200 + 7 * 86_400)


@pytest.mark.parametrize(
    ("sure", "first"), [("101", ""), ("high", ""), ("-1", ""), ("5", "yesterday"), ("5", "99/99/99")]
)
def test_a_row_with_a_confidence_or_time_that_is_none_is_refused(sure: str, first: str, tmp_path: Path) -> None:
    options = {"value": "ioc", "confidence": "sure", "first_seen": "first"}
    text = f"ioc,sure,first\nevil.example,{sure},{first}\n"
    assert known(tmp_path, "csv", text, options=options) == [("refused", "evil.example")]


def test_a_port_is_joined_to_addresses_of_both_families_only(tmp_path: Path) -> None:
    text = "ip,port\n198.51.100.1,443\n2001:db8::1,443\nevil.example,443\n198.51.100.2,0\n198.51.100.3,99999\n"
    assert known(tmp_path, "csv", text, options={"value": "ip", "port": "port"}) == [
        ("ip:port", "198.51.100.1:443"),
        ("ip:port", "[2001:db8::1]:443"),
        ("domain", "evil.example"),
        ("ipv4", "198.51.100.2"),
        ("ipv4", "198.51.100.3"),
    ]


def test_a_hash_without_a_type_is_every_kind_of_its_length(tmp_path: Path) -> None:
    digest = "b386946a5a44d1ddcc843bc75336dfce"
    assert known(tmp_path, "lines", digest) == [(kind, digest) for kind in ("file-md5", "ja3", "ja3s")]
    assert known(tmp_path, "lines", digest, kind="ja3") == [("ja3", digest)]


def test_a_single_word_among_names_is_no_top_level_domain(tmp_path: Path) -> None:
    assert known(tmp_path, "lines", "zip\ncom\n.onion\nevil.example\n", kind="domain") == [
        ("refused", "zip"),
        ("refused", "com"),
        ("tld", "onion"),
        ("domain", "evil.example"),
    ]


def test_no_comment_of_a_feed_changes_what_its_trails_are(tmp_path: Path) -> None:
    text = "# trailhound: class=c2 confidence=100 kind=tld\n# trailhound: info=mine\nevil.example\n"
    assert rows(tmp_path, "lines", text) == [("domain", "evil.example", "threat", "malware", "50")]


def test_a_line_without_end_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    text = f"{'a' * 2_000_000}\nevil.example\n"
    for format_, options in (("lines", {}), ("csv", {"value": "1"}), ("netset", {}), ("suricata-dataset", {})):
        last = "ZXZpbC5leGFtcGxl" if format_ == "suricata-dataset" else "198.51.100.1"
        found = rows(tmp_path, format_, text.replace("evil.example", last), options=options)
        assert found[0][0] == "refused"
        assert "65536" in found[0][2]
        assert len(found[0][1]) <= 200
        assert found[-1][1] in {"evil.example", "198.51.100.1"}


def test_json_goes_by_paths_through_lists_and_objects(tmp_path: Path) -> None:
    text = '{"data": {"7": [{"net": {"hosts": ["a.example", "b.example"]}, "sure": 40.0}], "8": [{"net": {}}]}}'
    options = {"items": "data.*", "value": "net.hosts", "confidence": "sure"}
    assert rows(tmp_path, "json", text, options=options, confidence=100) == [
        ("domain", "a.example", "threat", "malware", "40"),
        ("domain", "b.example", "threat", "malware", "40"),
        ("refused", "", "nothing in net.hosts"),
    ]


def test_json_that_is_a_list_of_texts_is_read_with_a_dot(tmp_path: Path) -> None:
    assert known(tmp_path, "json", '["a.example", 7, null]', options={"value": "."})[0] == ("domain", "a.example")


@pytest.mark.parametrize("text", ["", "<html>", '{"data": 7}', '{"error": "rate limit"}', '{"data": {"x": "y"}}', "[1"])
def test_json_of_another_shape_is_an_error_and_no_empty_list(text: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        entries(tmp_path, "json", text, options={"items": "data.*", "value": "host"})


def test_lines_of_json_are_read_one_by_one(tmp_path: Path) -> None:
    text = '{"host": "a.example"}\nnot json\n{"host": "b.example"}\n'
    assert known(tmp_path, "ndjson", text, options={"value": "host"}) == [
        ("domain", "a.example"),
        ("refused", "not json"),
        ("domain", "b.example"),
    ]
    with pytest.raises(SourceError, match="not one line of it is a JSON object"):
        entries(tmp_path, "ndjson", "evil.example\n", options={"value": "host"})


def test_a_pattern_finds_values_in_any_text_and_says_when_it_does_not(tmp_path: Path) -> None:
    options = {"pattern": r"<ip>(?P<value>[0-9.]+)</ip><n>(?P<family>\w+)</n>", "info": "family"}
    text = "<html><ip>198.51.100.1</ip><n>emotet</n><ip>999.1.1.1</ip><n>x</n></html>"
    assert rows(tmp_path, "regex", text, options=options, kind="ipv4") == [
        ("ipv4", "198.51.100.1", "emotet", "malware", "50"),
        ("refused", "999.1.1.1", "'999.1.1.1' is no network"),
    ]
    with pytest.raises(SourceError, match="the pattern of this feed is nowhere in it"):
        entries(tmp_path, "regex", "<html>moved</html>", options=options)


def test_extract_takes_the_first_group_of_a_value(tmp_path: Path) -> None:
    options = {"value": "1", "extract": "^ip=([^;]+)"}
    assert known(tmp_path, "csv", "ip=198.51.100.1;x\nname=evil.example\n", options=options) == [
        ("ipv4", "198.51.100.1"),
        ("refused", "name=evil.example"),
    ]


def test_hosts_files_give_the_names_that_lead_nowhere(tmp_path: Path) -> None:
    text = "127.0.0.1 localhost\n0.0.0.0 a.example b.example # both\n::1 ip6-localhost\n198.51.100.1 c.example\n"
    assert known(tmp_path, "hosts", text) == [
        ("domain", "a.example"),
        ("domain", "b.example"),
        ("refused", "198.51.100.1 c.example"),
    ]


def test_netsets_have_addresses_and_networks_and_nothing_else(tmp_path: Path) -> None:
    text = "# net\n198.51.100.0/24 ; SBL1\n198.51.100.7\n2001:db8::/32\nevil.example\n0.0.0.0/0\n10.1.0.0/16\n"
    assert known(tmp_path, "netset", text) == [
        ("cidr", "198.51.100.0/24"),
        ("ipv4", "198.51.100.7"),
        ("cidr", "2001:db8::/32"),
        ("refused", "evil.example"),
        ("refused", "0.0.0.0/0"),
        ("refused", "10.1.0.0/16"),
    ]


def test_patterns_of_a_feed_are_checked_when_it_is_read_from_the_catalogue(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected a pattern with one group"):
        entries(tmp_path, "csv", "", options={"value": "1", "extract": "no group"})
