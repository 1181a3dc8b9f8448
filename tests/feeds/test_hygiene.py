import pytest

from feeds.hygiene import refusal
from trailhound.canonical import indicator
from trailhound.trail import Trail, TrailClass, TrailKind

K = TrailKind
REFUSED = [
    (K.DOMAIN, "co.uk", "public suffix"),
    (K.DOMAIN, "1.0.0.127.in-addr.arpa", "reverse look-ups"),
    (K.TLD, "x", "single letter"),
    (K.TLD, "com", "top-level"),
    (K.TLD, "localhost", "home"),
    (K.TLD, "12345", "number"),
    (K.IPV4, "10.1.2.3", "private"),
    (K.IPV4, "172.16.0.1", "private"),
    (K.IPV4, "172.31.255.255", "private"),
    (K.IPV4, "192.168.1.1", "private"),
    (K.IPV4, "100.64.0.1", "carrier"),
    (K.IPV4, "127.0.0.1", "loopback"),
    (K.IPV4, "169.254.1.1", "link-local"),
    (K.IPV4, "224.0.0.251", "multicast"),
    (K.IPV4, "255.255.255.255", "broadcast"),
    (K.IPV4, "0.0.0.0", "unspecified"),
    (K.IPV4, "198.18.0.1", "benchmarking"),
    (K.IPV4, "250.1.2.3", "reserved"),
    (K.IPV6, "::1", "loopback"),
    (K.IPV6, "::", "unspecified"),
    (K.IPV6, "fd00::1", "unique local"),
    (K.IPV6, "fe80::1", "link-local"),
    (K.IPV6, "ff02::1", "multicast"),
    (K.IPV6, "64:ff9b::808:808", "translated"),
    (K.IPV6, "100::1", "discard-only"),
    (K.CIDR, "0.0.0.0/0", "wider than /8"),
    (K.CIDR, "80.0.0.0/7", "wider than /8"),
    (K.CIDR, "::/0", "wider than /16"),
    (K.CIDR, "2000::/3", "wider than /16"),
    (K.CIDR, "192.168.4.0/24", "private"),
    (K.CIDR, "172.0.0.0/8", "private"),
    (K.IP_PORT, "10.0.0.1:4444", "private"),
    (K.IP_PORT, "[fe80::1]:135", "link-local"),
    (K.URL, "192.168.0.1/setup", "private"),
    (K.URL, "10.0.0.1:8080/setup", "private"),
    (K.HTTP_HOST, "127.0.0.1/", "loopback"),
    (K.HTTP_HOST, "[::1]/", "loopback"),
    (K.PATH, "/index.html", "every site"),
    (K.PATH, "/-.-", "without a letter"),
    (K.WILDCARD, ".*", "matches"),
    (K.WILDCARD, "[a-z]+\\.com", "google.com"),
    (K.WILDCARD, "(unclosed", "RE2"),
    (K.WILDCARD, "evil(?=\\.com)", "RE2"),
    (K.USER_AGENT_REGEX, "mozilla/", "Mozilla"),
    (K.USER_AGENT_REGEX, "", "nothing"),
    (K.FILE_MD5, "d41d8cd98f00b204e9800998ecf8427e", "empty file"),
    (K.JA3, "0" * 32, "same digit"),
]
LET_THROUGH = [
    (K.DOMAIN, "duckdns.org"),
    (K.DOMAIN, "evil.co.uk"),
    (K.DOMAIN, "tls-evil.example"),
    (K.TLD, "cc"),
    (K.TLD, "evilname"),
    (K.IPV4, "198.51.100.53"),
    (K.IPV4, "203.0.113.44"),
    (K.IPV4, "100.63.255.255"),
    (K.IPV4, "172.32.0.1"),
    (K.IPV4, "192.167.1.1"),
    (K.IPV6, "dead::beef"),
    (K.IP_PORT, "[dead::beef]:443"),
    (K.CIDR, "80.0.0.0/8"),
    (K.CIDR, "2001::/16"),
    (K.CIDR, "198.51.100.0/24"),
    (K.URL, "evil-url.example/bad/path"),
    (K.URL, "192.168.example.com/x"),
    (K.PATH, "/malicious-login.php"),
    (K.PATH, "/--------_-----------/-----"),
    (K.WILDCARD, "dga[0-9]+\\.wildcard-test\\.com"),
    (K.USER_AGENT_REGEX, "sqlmap/"),
    (K.EMAIL, "lure@evil.example"),
]


def _trail(kind: TrailKind, value: str) -> Trail:
    return Trail(kind, value, "test", TrailClass.MALWARE, ("test",))


@pytest.mark.parametrize(("kind", "value", "word"), REFUSED)
def test_values_that_match_half_the_world_or_the_home_network_are_refused(
    kind: TrailKind, value: str, word: str
) -> None:
    assert word in (refusal(_trail(kind, value)) or "")


@pytest.mark.parametrize(("kind", "value"), LET_THROUGH)
def test_values_that_can_be_trails_are_let_through(kind: TrailKind, value: str) -> None:
    assert indicator(kind, value).value == value
    assert refusal(_trail(kind, value)) is None
