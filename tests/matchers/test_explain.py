"""What a person is told of a value is what the loop does with it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchers import layout
from matchers.asking import Noted, named, unsaid
from matchers.exceptions import Exceptions, Exemption
from matchers.explain import ITSELF, Explained, Look, explain, meets
from matchers.observer import Sight, Sighting
from matchers.rules import Rules
from matchers.standing import Standing
from matchers.trailset import TrailSet
from tests.matchers.build import compiled, trail, whitelist
from trailhound import canonical
from trailhound.errors import TrailError
from trailhound.record import MICROSECONDS
from trailhound.trail import Trail, TrailClass, TrailKind

LABEL = st.sampled_from(["a", "b", "www", "onion", "i2p", "example", "co", "ip-adress", "com", "xn--bcher-kva"])
NAME = st.lists(LABEL, min_size=1, max_size=5).map(".".join)
V4 = st.sampled_from(["203.0.113.5", "203.0.113.6", "203.0.114.5", "198.51.100.7"])
V6 = st.sampled_from(["2001:db8::5", "2001:db8:1::5", "::1", "ffff::"])
ADDRESS = st.one_of(V4, V6)
PORT = st.sampled_from([80, 443, 8080])
SEGMENT = st.sampled_from(["a", "gate.php", "x=1", "?id=7&b=2", "?", "?word", "a/b", "%41", "b?a=/c"])
PATH = st.lists(SEGMENT, max_size=3).map(lambda parts: "/" + "/".join(parts))
HASH = st.sampled_from(["ab" * 16, "ab" * 20, "ab" * 32, "cd" * 16])
AGENT = st.sampled_from(["curl/8", "evil agent", "evil agent 1.0"])
HOST = st.one_of(NAME, V4, V6.map("[{}]".format), st.builds("{}:{}".format, NAME, PORT))
LISTED: dict[TrailKind, st.SearchStrategy[str]] = {
    TrailKind.DOMAIN: NAME,
    TrailKind.WILDCARD: st.sampled_from(["a", "b\\.", "on.on", "^www", "[x-z]{9}"]),
    TrailKind.IPV4: ADDRESS,
    TrailKind.CIDR: st.builds("{}/{}".format, ADDRESS, st.integers(0, 32)),
    TrailKind.IP_PORT: st.builds(canonical.with_port, ADDRESS, PORT),
    TrailKind.URL: st.builds("{}{}".format, HOST, PATH),
    TrailKind.PATH: PATH,
    TrailKind.USER_AGENT: AGENT,
    TrailKind.USER_AGENT_REGEX: st.sampled_from(["evil", "agent$", "cur"]),
    TrailKind.CERT_SHA1: HASH,
    TrailKind.CERT_SHA256: HASH,
    TrailKind.JA3: HASH,
    TrailKind.JA3S: HASH,
    TrailKind.JA4: st.just("t13d1516h2_8daaf6152771_02713d6af862"),
    TrailKind.FILE_MD5: HASH,
    TrailKind.FILE_SHA1: HASH,
    TrailKind.FILE_SHA256: HASH,
    TrailKind.EMAIL: NAME.map("eve@{}".format),
}
SEEN: dict[Sight, st.SearchStrategy[str]] = {
    Sight.NAME: NAME,
    Sight.ADDRESS: ADDRESS,
    Sight.URL: HOST,
    Sight.AGENT: AGENT,
    Sight.CERTIFICATE: HASH,
    Sight.JA3: HASH,
    Sight.JA3S: HASH,
    Sight.JA4: LISTED[TrailKind.JA4],
    Sight.FILE: HASH,
    Sight.EMAIL: NAME.map("Eve <EVE@{}>".format),
}


def test_every_sight_is_tried() -> None:
    assert set(SEEN) == set(rules_of()._verdicts)


@st.composite
def trail_sets(draw: st.DrawFn) -> TrailSet:
    trails = []
    for kind in draw(st.lists(st.sampled_from(list(LISTED)), max_size=15)):
        try:
            trails.append(trail(kind, draw(LISTED[kind])))
        except TrailError:
            continue
    return compiled(trails)


@st.composite
def sightings(draw: st.DrawFn) -> Sighting:
    sight = draw(st.sampled_from(list(SEEN)))
    port = draw(st.none() | PORT) if sight is Sight.ADDRESS else None
    path = draw(PATH) if sight is Sight.URL else ""
    role = draw(st.sampled_from(["destination.ip", "tls.client.server_name"]))
    return Sighting(sight, draw(SEEN[sight]), role, port=port, path=path)


@given(trail_sets(), st.lists(sightings(), min_size=1, max_size=4))
def test_what_is_met_is_what_of_the_keys_tried_is_in_the_set_in_their_order(
    trails: TrailSet, seen: Iterable[Sighting]
) -> None:
    rules = Rules(trails, whitelist(""))
    for sighting in seen:
        noted = Noted(trails)
        in_the_loop = [verdict.key for verdict in rules.verdicts(sighting)]
        for_a_person = [verdict.key for verdict in rules.verdicts(sighting, trails=noted)]
        there = [asked.key for asked in noted.asked() if asked.key and trails.exact(asked.key)]
        assert in_the_loop == for_a_person
        assert list(dict.fromkeys(there)) == list(dict.fromkeys(in_the_loop))


@given(trail_sets(), st.one_of(*LISTED.values()))
def test_a_value_counts_when_one_of_its_keys_does(trails: TrailSet, value: str) -> None:
    said = explain(Rules(trails, whitelist("")), value)
    assert all((one.verdict is None) == (one.said == "") for look in said.looks for one in look.tried)
    counting = {one.verdict.key for look in said.looks for one in look.tried if one.counts and one.verdict}
    assert bool(counting) == bool(said.verdicts)
    assert counting <= {verdict.key for verdict in said.verdicts}
    assert all(sum(one.counts for one in look.tried) <= 1 for look in said.looks if look.place != ITSELF)


@given(trail_sets(), st.one_of(*LISTED.values()), st.lists(st.one_of(NAME, V4), max_size=2))
def test_what_a_value_meets_is_told_without_the_questions_too(
    trails: TrailSet, value: str, allowed: Sequence[str]
) -> None:
    rules = Rules(trails, whitelist("\n".join(allowed)))
    assert meets(rules, canonical.readings(value), value) == list(explain(rules, value).verdicts)


def rules_of(*trails: Trail, allowed: str = "", standing: Standing | None = None) -> Rules:
    return Rules(compiled(trails), whitelist(allowed), standing=standing)


def whats(look: Look) -> list[str]:
    return [one.what for one in look.tried]


def sentences(said: Explained) -> dict[str, str]:
    return {one.what: one.said for look in said.looks for one in look.tried if one.said}


def test_the_keys_of_a_name_are_itself_its_parents_and_patterns() -> None:
    said = explain(rules_of(trail(TrailKind.WILDCARD, "dga[0-9]")), "A.B.Example.")
    assert [look.place for look in said.looks] == ["dns.question.name", "tls.client.server_name"]
    domains = ["domain a.b.example", "domain b.example", "top-level domain example"]
    assert whats(said.looks[0]) == [*domains, "wildcards (1)"]
    assert whats(said.looks[1]) == ["host a.b.example/"]


def test_behind_a_gateway_the_hidden_name_is_tried_before_the_gateway() -> None:
    tried = whats(explain(rules_of(), "a.x.onion.ws").looks[0])
    assert tried.index("domain x.onion") < tried.index("domain onion.ws")


def test_the_keys_of_a_url_are_its_pieces_with_and_without_host() -> None:
    (url, name) = explain(rules_of(), "http://www.evil.example/a/gate.php?id=7").looks
    assert whats(url)[:4] == [
        "URL www.evil.example/a/gate.php?id=7",
        "URL evil.example/a/gate.php?id=7",
        "path /a/gate.php?id=7",
        "URL www.evil.example/a/gate.php",
    ]
    assert "path /gate.php" in whats(url)
    assert whats(url)[-2:] == ["host www.evil.example/", "host evil.example/"]
    assert name.place == "url.domain"


def test_the_keys_of_an_address_are_its_port_itself_and_all_networks() -> None:
    tried = whats(explain(rules_of(), "203.0.113.5:8443").looks[0])
    assert tried[:3] == ["address:port 203.0.113.5:8443", "address 203.0.113.5", "network 203.0.113.4/31"]
    assert tried[-1] == "network 0.0.0.0/0"
    assert len(tried) == 2 + 32
    assert len(explain(rules_of(), "2001:db8::5").looks[0].tried) == 1 + 128


def test_of_several_trails_the_most_exact_counts_and_the_others_say_so() -> None:
    rules = rules_of(trail(TrailKind.DOMAIN, "evil.example"), trail(TrailKind.TLD, "example"))
    assert sentences(explain(rules, "www.evil.example")) == {
        "domain evil.example": "counts",
        "top-level domain example": "domain evil.example says more",
    }


@pytest.mark.parametrize(
    ("class_", "said"),
    [
        (TrailClass.C2, "counts"),
        (TrailClass.ATTACKER, "counts, but not as the destination"),
        (TrailClass.MALWARE, "counts, but not as the source of what comes in"),
        (TrailClass.PARKED, "counts; as the destination on ports 80 and 443 only"),
    ],
)
def test_an_address_says_in_which_role_it_counts(class_: TrailClass, said: str) -> None:
    found = explain(rules_of(trail(TrailKind.IPV4, "203.0.113.5", class_)), "203.0.113.5")
    assert sentences(found) == {"address 203.0.113.5": said}


DAY = datetime(2026, 1, 5, tzinfo=UTC)
NOW = int(DAY.timestamp()) * MICROSECONDS


def test_a_trail_that_does_not_count_says_why() -> None:
    expired = Trail(TrailKind.DOMAIN, "old.example", "x", TrailClass.C2, ("s",), expires=NOW // MICROSECONDS - 60)
    weak = Trail(TrailKind.DOMAIN, "weak.example", "x", TrailClass.C2, ("s",), confidence=10)
    others = [
        trail(TrailKind.DOMAIN, "listed.example"),
        trail(TrailKind.DOMAIN, "dyn.example", TrailClass.POLICY, "dynamic domain"),
        trail(TrailKind.DOMAIN, "hole.example", TrailClass.SINKHOLE),
        trail(TrailKind.DOMAIN, "forum.example", TrailClass.PARKED),
    ]
    standing = Standing(frozenset({TrailClass.PARKED}), 20)
    rules = rules_of(expired, weak, *others, allowed="listed.example", standing=standing)
    reasons = {
        "old.example": "expired 2026-01-04 23:59 UTC",
        "weak.example": "its confidence of 10 is less than trails.min_confidence = 20",
        "listed.example": "whitelisted by listed.example (a test, line 1)",
        "dyn.example": "this is the provider itself",
        "ns1.hole.example": "this is a name server",
        "forum.example": "class filter: trails.ignore_classes has parked",
    }
    for value, reason in reasons.items():
        said = explain(rules, value, time=NOW)
        assert [verdict.hidden for verdict in said.verdicts] == [reason], value


def test_an_exception_says_its_reason_and_holds_for_its_sources() -> None:
    entry = Exemption(id=3, reason="malware lab", by="me", added=DAY, trail="evil.example", source="10.0.5.0/24")
    rules = Rules(compiled([trail(TrailKind.DOMAIN, "evil.example")]), whitelist(""), Exceptions([entry]))
    (inside,) = explain(rules, "evil.example", "10.0.5.7").verdicts
    (outside,) = explain(rules, "evil.example", "10.0.6.7").verdicts
    assert inside.hidden == "evil.example from 10.0.5.0/24 is an exception (exceptions.json, entry 3): malware lab"
    assert outside.hidden == ""


@pytest.mark.parametrize(
    ("kind", "text", "what"),
    [
        (TrailKind.CIDR, "203.0.113.0/24", "network 203.0.113.0/24"),
        (TrailKind.WILDCARD, "dga[0-9]+", "wildcard dga[0-9]+"),
        (TrailKind.USER_AGENT_REGEX, "sqlmap/[0-9]", "user agent pattern sqlmap/[0-9]"),
    ],
)
def test_networks_and_patterns_are_found_by_themselves(kind: TrailKind, text: str, what: str) -> None:
    said = explain(rules_of(trail(kind, text)), text)
    itself = next(look for look in said.looks if look.place == ITSELF)
    assert what in [one.what for one in itself.tried if one.counts]
    assert [verdict.trail.value for verdict in said.verdicts] == [text]


def test_a_network_inside_a_whitelisted_one_does_not_count() -> None:
    rules = rules_of(trail(TrailKind.CIDR, "203.0.113.0/28"), allowed="203.0.113.0/24")
    (verdict,) = explain(rules, "203.0.113.0/28").verdicts
    assert verdict.hidden == "whitelisted by 203.0.113.0/24 (a test, line 1)"


@pytest.mark.parametrize(
    ("kind", "text", "what"),
    [
        (TrailKind.IP_PORT, "[2001:db8::5]:443", "address:port [2001:db8::5]:443"),
        (TrailKind.HTTP_HOST, "evil.example:8080/", "host evil.example:8080/"),
        (TrailKind.FILE_MD5, "ab" * 16, "file hash " + "ab" * 16),
        (TrailKind.EMAIL, "eve@evil.example", "e-mail address eve@evil.example"),
    ],
)
def test_a_key_is_said_in_words(kind: TrailKind, text: str, what: str) -> None:
    (only,) = compiled([trail(kind, text)])
    assert named(layout.key(only.kind, only.value)) == what


def test_a_longer_trail_leaves_less_of_a_name_unsaid() -> None:
    keys = [layout.key(TrailKind.DOMAIN, name) for name in ("a.b.example", "b.example", "example")]
    assert [unsaid("a.b.example", key) for key in keys] == [0, 2, 4]
