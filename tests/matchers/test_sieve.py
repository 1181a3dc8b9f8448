"""What is sifted together gives what is asked one by one; and most of it is dropped."""

import ipaddress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from matchers import layout
from matchers.observer import Probe
from matchers.probes import Probes
from matchers.sieve import Sieve
from tests.matchers.build import compiled, trail
from trailhound.errors import TrailError
from trailhound.trail import Trail, TrailKind

WORDS = st.sampled_from(["a", "evil", "www", "com", "onion", "i2p", "ip-adress", "ws", "x1", "", "Ü", "_d", "A-B"])
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(".".join)
QUADS = st.tuples(*[st.sampled_from([0, 1, 9, 127, 128, 203, 255])] * 4).map(lambda parts: ".".join(map(str, parts)))
SIXES = st.sampled_from(["2001:db8::1", "2001:DB8:0:0::1", "::ffff:203.0.113.9", "fe80::1%eth0", "::"])
ODD = st.sampled_from(
    ["evil.com\n", "a\0b", "1.2.3", "0x7f.1", "01.2.3.4", "\n", "\udcff.com", "*.evil.com", "-", "\u00b2"]
)
TEXTS = st.one_of(NAMES, QUADS, SIXES, ODD, NAMES.map("{}:8080".format), NAMES.map("{}.".format), NAMES.map(str.upper))
URLS = st.tuples(
    st.sampled_from(["http://", "https://", "HTTP://u@", "//", ""]), TEXTS, st.sampled_from(["/", "", "/a"])
)
SUBJECTS = st.tuples(st.sampled_from(["CN=", "O=x, CN=", "CN=*.", "O="]), TEXTS).map("".join)
PATHS = st.sampled_from(
    [
        *("/", "/a.php", "/x/a.php", "/A.PHP", "//a.php", "a.php", "/%61.php", "", "/b", "http://evil.com/a"),
        *("/ab", "/x/ab/", "/ab/c", "/x/ab/c", "/ab?x", "/x/ab?y=1&z=2", "/ab/c?x=1", "/a.php?", "/ab/?x=3"),
        "/ab\n/ab",
    ]
)
LISTED_PATHS = st.sampled_from(
    ["/a.php", "/ab", "/ab/c", "/ab?x", "/ab?y=", "/ab/?x=", "/x/ab", "/?x=", "/ab?y=&z=", "/a.php?"]
)
DIGESTS = st.sampled_from(["a" * 32, "A" * 32, "b" * 40, ":".join(["bb"] * 20), " " + "a" * 32, "c" * 64, "no hash"])
OF = {
    Probe.ADDRESS: TEXTS,
    Probe.NAME: TEXTS,
    Probe.HOST: TEXTS,
    Probe.REFERRER: URLS.map("".join),
    Probe.SUBJECT: SUBJECTS,
}
KINDS = {
    TrailKind.DOMAIN: TEXTS,
    TrailKind.IPV4: TEXTS,
    TrailKind.CIDR: st.tuples(QUADS, st.integers(1, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
    TrailKind.IP_PORT: QUADS.map("{}:443".format),
    TrailKind.URL: TEXTS.map("{}/a".format),
    TrailKind.HTTP_HOST: TEXTS.map("{}/".format),
    TrailKind.WILDCARD: st.sampled_from(["^evil[.]com$", "evil", r"\Aevil", "x[0-9]$", r"a\.b"]),
}


@st.composite
def trails(draw: st.DrawFn) -> Trail:
    kind = draw(st.sampled_from(list(KINDS)))
    try:
        return trail(kind, draw(KINDS[kind]))
    except TrailError:
        return trail(TrailKind.DOMAIN, "evil.com")


@pytest.mark.parametrize("probe", OF)
def test_nothing_is_lost_by_looking_at_many_at_once(probe: Probe) -> None:
    @settings(max_examples=150, deadline=None)
    @given(st.lists(trails(), max_size=5), st.lists(OF[probe], max_size=12))
    @example([trail(TrailKind.WILDCARD, r"\Aevil")], ["a.com", "evil.com"])
    @example([trail(TrailKind.URL, "www.evil.com/a")], ["a.com", "www.evil.com", "evil.com"])
    def check(listed: list[Trail], texts: list[str]) -> None:
        probes = Probes(compiled(listed))
        one_by_one = {text for text in texts if probes._ask[probe](text)}
        assert probes.hot(probe, texts) == one_by_one

    check()


@settings(max_examples=400, deadline=None)
@given(st.lists(PATHS, max_size=4), st.lists(LISTED_PATHS, min_size=1, max_size=2))
def test_a_path_that_is_a_trail_is_kept_whatever_stands_beside_it(paths: list[str], listed: list[str]) -> None:
    probes = Probes(compiled(trail(TrailKind.PATH, path) for path in listed))
    kept = set(Sieve(probes._trails).bare_paths([path.partition("?")[0] for path in paths]))
    assert {path.partition("?")[0] for path in paths if probes._path(path)} <= kept


@given(st.lists(DIGESTS, max_size=6))
def test_hashes_are_kept_in_any_spelling_and_only_those_of_trails(digests: list[str]) -> None:
    sieve = Sieve(compiled([trail(TrailKind.FILE_MD5, "a" * 32), trail(TrailKind.CERT_SHA1, "b" * 40)]))
    listed = ("a" * 32, "b" * 40)
    expected = {text for text in digests if text.strip().lower().replace(":", "") in listed}
    assert set(sieve.hashes(digests)) == expected


@given(st.integers(1, 32), st.integers(0, 2**32 - 1))
@example(8, 0)
@example(21, 0)
@example(22, 3 << 10)
def test_a_network_marks_all_blocks_that_it_lies_in(length: int, base: int) -> None:
    network = ipaddress.ip_network((base, length), strict=False)
    key = layout.key(TrailKind.CIDR, str(network)) if length < 32 else layout.address_key(str(network[0]))
    bits = layout.block_bits([key])
    last, blocks = len(bits) - 1, range(int(network[0]) >> 8, (int(network[-1]) >> 8) + 1)
    for block in {blocks[0], blocks[-1], blocks[len(blocks) // 2]}:
        assert bits[block >> 3 & last] >> (block & 7) & 1
    assert sum(map(int.bit_count, bits)) == len(blocks)


def test_most_of_what_is_no_trail_is_dropped() -> None:
    sieve = Sieve(compiled([trail(TrailKind.URL, f"host{n}.example/a") for n in range(500)]))
    assert len(sieve.hosts([f"www.site{n}.net" for n in range(1000)])) < 100
    assert sieve.addresses([f"203.0.113.{n}" for n in range(256)]) == []
    assert sieve.names([f"site{n}.net" for n in range(1000)]) == []
