import base64
from pathlib import Path

import pytest

from tests.feeds.read import entries, known, rows
from trailhound.errors import SourceError
from trailhound.trail import Trail


def _rule(options: str, head: str = "alert dns $HOME_NET any -> any any") -> str:
    return f'{head} (msg:"ET MALWARE X CnC Domain"; {options} sid:1; rev:1;)\n'


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ('dns.query; content:"evil.example"; bsize:12;', ("domain", "evil.example")),
        ('dns.query; content:"evil.example"; nocase; endswith;', ("domain", "evil.example")),
        ('dns_query; content:"evil.example"; isdataat:!1,relative;', ("domain", "evil.example")),
        ('dns.query; dotprefix; content:".evil.example"; endswith;', ("domain", "evil.example")),
        ('dns.query; content:"evil|2e|example"; bsize:12;', ("domain", "evil.example")),
        ('tls.sni; content:"evil.example"; bsize:12;', ("domain", "evil.example")),
        ('http.host; content:"evil.example"; bsize:12;', ("domain", "evil.example")),
        ('ja3.hash; content:"b386946a5a44d1ddcc843bc75336dfce";', ("ja3", "b386946a5a44d1ddcc843bc75336dfce")),
        ('ja3s.hash; content:"b386946a5a44d1ddcc843bc75336dfce";', ("ja3s", "b386946a5a44d1ddcc843bc75336dfce")),
        (
            'tls.cert_fingerprint; content:"2e:35:19:b7:cb:61:a3:cd:61:67:f7:27:df:99:3f:68:31:10:85:ea";',
            ("cert-sha1", "2e3519b7cb61a3cd6167f727df993f68311085ea"),
        ),
        ('content:"evil.example"; http_host; bsize:12;', ("domain", "evil.example")),
    ],
)
def test_a_rule_with_one_whole_value_gives_it(options: str, found: tuple[str, str], tmp_path: Path) -> None:
    assert known(tmp_path, "suricata-rules", _rule(options)) == [found]


@pytest.mark.parametrize(
    "options",
    [
        'dns.query; content:"evil.example";',
        'dns.query; content:!"evil.example"; bsize:12;',
        'dns.query; content:"evil.example"; bsize:12; content:"x";',
        'dns.query; content:"evil.example"; bsize:12; pcre:"/x/";',
        'content:"evil.example"; bsize:12;',
        'http.uri; content:"/gate.php"; bsize:9;',
        'dns.query; content:"evil.example"; bsize:12; byte_test:1,>,3,0;',
    ],
)
def test_a_rule_that_asks_for_more_or_for_less_gives_nothing(options: str, tmp_path: Path) -> None:
    assert known(tmp_path, "suricata-rules", _rule(options)) == []


def test_addresses_of_a_rule_that_asks_for_nothing_else_are_trails(tmp_path: Path) -> None:
    text = (
        _rule("flags:S;", "alert tcp $HOME_NET any -> [198.51.100.1,198.51.100.0/24,!198.51.100.9] any")
        + _rule("", "alert tcp [203.0.113.1,2001:db8::1] any -> $HOME_NET any")
        + _rule("", "alert tcp $HOME_NET any -> [198.51.100.2] 8443")
        + _rule('content:"x";', "alert tcp $HOME_NET any -> 198.51.100.3 any")
        + _rule("", "alert tcp $HOME_NET any -> [8.8.8.8,0.0.0.0/0] [80,443]")
    )
    assert known(tmp_path, "suricata-rules", text) == [
        ("ipv4", "198.51.100.1"),
        ("cidr", "198.51.100.0/24"),
        ("ipv4", "203.0.113.1"),
        ("ipv6", "2001:db8::1"),
        ("ip:port", "198.51.100.2:8443"),
        ("ipv4", "8.8.8.8"),
        ("refused", "0.0.0.0/0"),
    ]


def test_a_rule_says_class_name_reference_and_when_it_was_made(tmp_path: Path) -> None:
    options = (
        'dns.query; content:"evil.example"; bsize:12; reference:url,report.example/a\\;b; classtype:domain-c2;'
        " metadata:created_at 2026_11_01, malware_family Lumma_Stealer;"
    )
    (trail,) = entries(tmp_path, "suricata-rules", _rule(options))
    assert isinstance(trail, Trail)
    assert (trail.info, trail.class_, trail.first_seen) == ("Lumma Stealer", "c2", 1793491200)
    assert trail.reference.startswith("https://report.example/a")


def test_disabled_rules_and_other_messages_are_passed_over(tmp_path: Path) -> None:
    wanted = 'dns.query; content:"evil.example"; bsize:12;'
    assert known(tmp_path, "suricata-rules", f"#{_rule(wanted)}") == []
    assert known(tmp_path, "suricata-rules", _rule(wanted), options={"messages": "Phishing"}) == []


def test_what_is_no_rules_is_an_error_and_a_broken_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not one line of it is a rule"):
        entries(tmp_path, "suricata-rules", "evil.example\n")
    text = 'alert dns any any -> any (msg:"broken"\n' + _rule('dns.query; content:"evil.example"; bsize:12;')
    assert [row[0] for row in rows(tmp_path, "suricata-rules", text)] == ["refused", "domain"]


def test_a_rule_made_to_take_time_does_not(tmp_path: Path) -> None:
    hostile = 'alert dns any any -> any any (msg:"' + '\\"' * 30_000 + ";)"
    assert known(tmp_path, "suricata-rules", f"{hostile}\n#\n") is not None


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_texts_of_a_dataset_stand_in_base64(tmp_path: Path) -> None:
    text = f"{_in_base64('evil.example')}\n{_in_base64('*.other.example')},5\nnot base64\n{_in_base64('com')}\n"
    assert known(tmp_path, "suricata-dataset", text, kind="domain") == [
        ("domain", "evil.example"),
        ("domain", "other.example"),
        ("refused", "not base64"),
        ("refused", "com"),
    ]


def test_hashes_and_addresses_of_a_dataset_stand_as_they_are(tmp_path: Path) -> None:
    digest = "b386946a5a44d1ddcc843bc75336dfce"
    assert known(tmp_path, "suricata-dataset", digest, options={"type": "md5"}) == [("file-md5", digest)]
    assert known(tmp_path, "suricata-dataset", digest, options={"type": "md5"}, kind="ja3") == [("ja3", digest)]
    assert known(tmp_path, "suricata-dataset", "198.51.100.1\n2001:db8::1", options={"type": "ip"}) == [
        ("ipv4", "198.51.100.1"),
        ("ipv6", "2001:db8::1"),
    ]


def test_a_reputation_says_class_and_confidence(tmp_path: Path) -> None:
    text = (
        "198.51.100.1,1,127\n198.51.100.0/24,2,64\n198.51.100.3,3,90\n198.51.100.4,1,0\n"
        "198.51.100.5,1,128\n10.0.0.1,1,9\n"
    )
    options = {"categories": {"1": "c2", "3": ""}}
    assert rows(tmp_path, "iprep", text, options=options, confidence=80) == [
        ("ipv4", "198.51.100.1", "threat", "c2", "80"),
        ("cidr", "198.51.100.0/24", "threat", "malware", "40"),
        ("refused", "198.51.100.5,1,128", "expected `ADDRESS,CATEGORY,SCORE` with a score from 0 to 127"),
        ("refused", "10.0.0.1", "a private address"),
    ]
