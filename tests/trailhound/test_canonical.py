"""One spelling for one meaning."""

import ipaddress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.trail import TrailKind as Kind

KEPT = {  # Spellings that mean the same.
    "evil.example": ["evil.example", "EVIL.example", "evil.example.", " evil.example "],
    "xn--bcher-kva.example": ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "bu\u0308cher.example"],
    "xn--ls8h.la": ["💩.la", "xn--ls8h.la"],
    "_dmarc.xn--bcher-kva.example": ["_dmarc.bücher.example"],
    "a.b": ["a。b", "a.b."],
}


@pytest.mark.parametrize(("name", "spelling"), [(name, one) for name, spellings in KEPT.items() for one in spellings])
def test_a_name_has_one_spelling(name: str, spelling: str) -> None:
    assert canonical.name(spelling) == name


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "-a.b", "a b", "a/b", "a\0b", "x" * 64, "a." * 130 + "b", "é" * 300, "\u202ea", "[::1]", "*.a"],
)
def test_what_is_no_name_is_none(text: str) -> None:
    assert canonical.name(text) is None


@given(st.one_of(st.text(max_size=60), st.from_regex(r"[a-zäßç.\-_]{1,30}", fullmatch=True)))
def test_names_addresses_paths_and_agents_are_idempotent(text: str) -> None:
    name, address, email, digest = (
        f(text) for f in (canonical.name, canonical.address, canonical.email, canonical.digest)
    )
    assert name is None or canonical.name(name) == name
    assert address is None or canonical.address(address) == address
    assert email is None or canonical.email(email) == email
    assert digest is None or canonical.digest(digest) == digest
    for function in (canonical.path, canonical.request_path, canonical.user_agent):
        once = function(text)
        assert function(once) == once


@given(st.text('%0123456789abcdefABCDEF/?&=.#~ \\"é\0\ud800', max_size=30))
def test_a_path_of_escapes_is_idempotent(text: str) -> None:
    once = canonical.path(text)
    assert canonical.path(once) == once
    assert once.isascii()
    assert "//" not in once


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FF), max_size=20))
def test_needless_escapes_change_nothing(text: str) -> None:
    plain = "/" + text.replace("%", "")
    assert canonical.path(quote(plain, safe="")) == canonical.path(plain)


@given(st.ip_addresses(v=6))
def test_an_address_has_one_spelling_in_all_its_forms(address: ipaddress.IPv6Address) -> None:
    expected = str(address.ipv4_mapped or address)
    for text in (str(address), address.exploded, address.exploded.upper(), f"{address}%eth0"):
        assert canonical.address(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/32", "::1::", "1.2.3.4\0", "\u0661.2.3.4", "\ud800"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert canonical.address(text) is None


def test_long_texts_do_not_fill_the_memory_of_addresses() -> None:
    before = canonical._address.cache_info().currsize
    for number in range(200):
        assert canonical.address(f"{number}{'x' * 5_000}") is None
    assert canonical._address.cache_info().currsize == before


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("a.example", "a.example", None),
        ("a.example:80", "a.example", 80),
        ("a.example:", "a.example", None),
        ("a.example:99999", "a.example", None),
        ("a.example:" + "9" * 5000, "a.example", None),
        ("a.example:-1", "a.example", None),
        ("a.example:٨", "a.example", None),
        ("::1", "::1", None),
        ("[::1]", "::1", None),
        ("[::1]:443", "::1", 443),
        ("[", "", None),
        ("", "", None),
    ],
)
def test_a_host_is_told_from_its_port(text: str, host: str, port: int | None) -> None:
    assert canonical.host_port(text) == (host, port)


PATHS = [
    ("/", "/"),
    ("/A/b", "/a/b"),
    ("//a///b", "/a/b"),
    ("/%41%2f%62", "/a/b"),
    ("/100%", "/100%25"),
    ("/100%25", "/100%25"),
    ("/%2541", "/%2541"),
    ("/%%41", "/%25a"),
    ("/a b", "/a%20b"),
    ("/ü", "/%c3%bc"),
    ("/%C3%BC", "/%c3%bc"),
    ("/a#b", "/a%23b"),
    ("/~x", "/~x"),
    ("/a?b=C", "/a?b=c"),
]


@pytest.mark.parametrize(("text", "path"), PATHS)
def test_a_path_has_one_spelling(text: str, path: str) -> None:
    assert canonical.path(text) == path


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("http://Evil.example/Bad/", Kind.URL, "evil.example/bad"),
        ("https://evil.example:443/x", Kind.URL, "evil.example/x"),
        ("http://evil.example:8080/x", Kind.URL, "evil.example:8080/x"),
        ("evil.example:80/x", Kind.URL, "evil.example/x"),
        ("hxxp://u:p@evil.example/x#f", Kind.URL, "evil.example/x"),
        ("evil.example", Kind.HTTP_HOST, "evil.example/"),
        ("http://192.0.2.1/", Kind.HTTP_HOST, "192.0.2.1/"),
        ("http://[2001:DB8::1]:81/x", Kind.URL, "[2001:db8::1]:81/x"),
        ("evil.example?x=1", Kind.URL, "evil.example/?x=1"),
    ],
)
def test_a_url_is_a_host_and_a_path(text: str, kind: Kind, value: str) -> None:
    assert canonical.url(text) == (kind, value)


@pytest.mark.parametrize("text", ["http:///x", "localhost/x", "/x", "http://a b/", ""])
def test_what_has_no_host_is_no_url(text: str) -> None:
    with pytest.raises(TrailError):
        canonical.url(text)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.DOMAIN, ".badtld", (Kind.TLD, "badtld")),
        (Kind.CIDR, "192.0.2.7/24", (Kind.CIDR, "192.0.2.0/24")),
        (Kind.CIDR, "192.0.2.7/32", (Kind.IPV4, "192.0.2.7")),
        (Kind.CIDR, "::ffff:192.0.2.0/120", (Kind.CIDR, "192.0.2.0/24")),
        (Kind.IPV6, "2001:DB8:0::1", (Kind.IPV6, "2001:db8::1")),
        (Kind.IP_PORT, "[2001:DB8::1]:443", (Kind.IP_PORT, "[2001:db8::1]:443")),
        (Kind.CERT_SHA1, ":".join(["AB"] * 20), (Kind.CERT_SHA1, "ab" * 20)),
        (Kind.EMAIL, "Eve <EVE@Evil.example.>", (Kind.EMAIL, "eve@evil.example")),
        (Kind.PATH, "/Gate.php/", (Kind.PATH, "/gate.php")),
        (Kind.USER_AGENT, " Evil 1.0 ", (Kind.USER_AGENT, "evil 1.0")),
    ],
)
def test_a_trail_is_read_as(kind: Kind, text: str, expected: tuple[Kind, str]) -> None:
    assert canonical.indicator(kind, text) == expected
    assert canonical.indicator(*expected) == expected


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (Kind.DOMAIN, "", "an empty value"),
        (Kind.DOMAIN, "1.2.3.4", "'1.2.3.4' is no host name"),
        (Kind.IPV4, "1.2.3", "'1.2.3' is no network"),
        (Kind.IP_PORT, "1.2.3.4", "is no address with a port"),
        (Kind.IP_PORT, "1.2.3.4:0", "is no address with a port"),
        (Kind.PATH, "/", "is no path that says anything"),
        (Kind.FILE_MD5, "ab", "is no file-md5 of 32 hexadecimal digits"),
        (Kind.JA4, "t13", "is no JA4 fingerprint"),
        (Kind.EMAIL, "eve", "is no e-mail address"),
        (Kind.URL, "x\ny", "holds control characters"),
        (Kind.USER_AGENT, "x" * 3000, "is 3000 characters long; a trail has at most 2048"),
    ],
)
def test_a_value_that_cannot_be_a_trail_says_why(kind: Kind, text: str, reason: str) -> None:
    with pytest.raises(TrailError, match=reason):
        canonical.indicator(kind, text)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("evil.example", [Kind.DOMAIN]),
        ("1.2.3.4", [Kind.IPV4]),
        ("1.2.3.0/24", [Kind.CIDR, Kind.URL]),
        ("1.2.3.4:80", [Kind.IP_PORT]),
        ("http://evil.example/x", [Kind.URL]),
        ("/gate.php", [Kind.PATH]),
        ("ab" * 16, [Kind.FILE_MD5, Kind.JA3, Kind.JA3S]),
        ("ab" * 32, [Kind.FILE_SHA256, Kind.CERT_SHA256]),
        ("eve@evil.example", [Kind.EMAIL]),
        ("dga[0-9]+.example", [Kind.WILDCARD]),
        ("Mozilla 5.0 evil", [Kind.USER_AGENT]),
        ("", []),
    ],
)
def test_a_bare_value_could_be(text: str, kinds: list[Kind]) -> None:
    assert [reading.kind for reading in canonical.readings(text)] == kinds


@given(st.text(max_size=80))
def test_whatever_a_person_asks_for_can_be_read_or_not_but_does_no_harm(text: str) -> None:
    for reading in canonical.readings(text):
        assert canonical.indicator(*reading) == reading
