"""What the rules would say of a bare value: its readings, every key that is asked for, what keeps it from counting."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from matchers import hiding, layout
from matchers.asking import Noted, named
from matchers.observer import Sight, Sighting
from matchers.rules import Rules, Verdict, says_nothing, whitelisted
from trailhound.canonical import Indicator, address, host_port, readings
from trailhound.severity import Direction
from trailhound.trail import Trail, TrailKind

_SIGHTS = {
    TrailKind.USER_AGENT: (Sight.AGENT, "user_agent.original"),
    TrailKind.CERT_SHA1: (Sight.CERTIFICATE, "tls.server.hash.sha1"),
    TrailKind.CERT_SHA256: (Sight.CERTIFICATE, "tls.server.hash.sha256"),
    TrailKind.JA3: (Sight.JA3, "tls.client.ja3"),
    TrailKind.JA3S: (Sight.JA3S, "tls.server.ja3s"),
    TrailKind.JA4: (Sight.JA4, "tls.client.ja4"),
    TrailKind.FILE_MD5: (Sight.FILE, "file.hash.md5"),
    TrailKind.FILE_SHA1: (Sight.FILE, "file.hash.sha1"),
    TrailKind.FILE_SHA256: (Sight.FILE, "file.hash.sha256"),
    TrailKind.EMAIL: (Sight.EMAIL, "email.from.address"),
}
_PATTERNS = (TrailKind.WILDCARD, TrailKind.USER_AGENT_REGEX)
COUNTS = "counts"
ITSELF = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """One key that was asked for, in words; when it is in the set, what the rules say of it.

    `said` is `COUNTS`, possibly with where it does not, or the reason why it does not count.
    """

    what: str
    verdict: Verdict | None = None
    said: str = ""

    @property
    def counts(self) -> bool:
        return self.said.startswith(COUNTS)


@dataclass(frozen=True, slots=True)
class Look:
    """One place of a record (an ECS field) in which the value could stand, and all keys in the order of their rank.

    The place is `ITSELF` for what stands in no record: a network, a pattern.
    """

    place: str
    tried: Sequence[Tried]


@dataclass(frozen=True, slots=True)
class Explained:
    """The readings of a value, a verdict for each trail that it meets, each trail once, and how it was looked for."""

    readings: tuple[Indicator, ...]
    verdicts: Sequence[Verdict]
    looks: Sequence[Look]


def meets(
    rules: Rules, found: Sequence[Indicator], value: str, source: str | None = None, time: int | None = None
) -> Sequence[Verdict]:
    """Give the verdicts of `explain` for a value with these readings, without a word on what was asked for."""
    verdicts: dict[bytes, Verdict] = {}
    for reading in found:
        for sighting in _sightings(reading):
            _take(verdicts, {one.key: one for one in rules.verdicts(sighting, source, time)}.values())
    itself = [one for one in found if one.kind is TrailKind.CIDR]
    for one in (*itself, *(Indicator(kind, value.strip()) for kind in _PATTERNS)):
        trail = rules.look_ups.get(*one)
        if trail is not None:
            _take(verdicts, (_judged(rules, one, trail, source, time),))
    return list(verdicts.values())


def _take(verdicts: dict[bytes, Verdict], met: Iterable[Verdict]) -> None:
    """Add what a value meets in one place: of two verdicts on a trail, the one by which it counts there."""
    is_won = False
    for verdict in met:
        counts = not is_won and not verdict.hidden
        if verdict.key not in verdicts or (counts and verdicts[verdict.key].hidden):
            verdicts[verdict.key] = verdict
        is_won |= counts


def explain(rules: Rules, value: str, source: str | None = None, time: int | None = None) -> Explained:
    """Explain a value as if a record of this time (microseconds since the epoch) from this source address held it."""
    found = readings(value)
    looks = [_look(rules, sighting, source, time) for reading in found for sighting in _sightings(reading)]
    itself = [_itself(rules, one, source, time) for one in found if one.kind is TrailKind.CIDR]
    patterns = [_itself(rules, Indicator(kind, value.strip()), source, time) for kind in _PATTERNS]
    looks_like_one = any(one.kind in (TrailKind.WILDCARD, TrailKind.USER_AGENT) for one in found)
    itself += [one for one in patterns if looks_like_one or one.verdict is not None]
    looks = [look for look in dict.fromkeys((*looks, Look(ITSELF, tuple(itself)))) if look.tried]
    return Explained(found, _verdicts(looks), looks)


def _look(rules: Rules, sighting: Sighting, source: str | None, time: int | None) -> Look:
    noted = Noted(rules.look_ups)
    verdicts = {verdict.key: verdict for verdict in rules.verdicts(sighting, source, time, noted)}
    tried = []
    winner: Tried | None = None
    for asked in noted.asked():
        verdict = verdicts.get(asked.key)
        said = ""
        if verdict is not None:
            said = verdict.hidden or (f"{winner.what} says more" if winner else f"{COUNTS}{_where(verdict, sighting)}")
        one = Tried(asked.what, verdict, said)
        if one.counts:
            winner = one
        tried.append(one)
    return Look(sighting.role, tuple(tried))


def _where(verdict: Verdict, sighting: Sighting) -> str:
    """Say in which roles a trail for an address does not count."""
    trail = verdict.trail
    destination = replace(sighting, role="destination.ip")
    if not says_nothing(trail, replace(destination, port=443), Direction.OUTBOUND):
        if says_nothing(trail, replace(destination, port=None), Direction.OUTBOUND):
            return "; as the destination on ports 80 and 443 only"
        if says_nothing(trail, replace(sighting, role="source.ip"), Direction.INBOUND):
            return ", but not as the source of what comes in"
        return ""
    return ", but not as the destination"


def _sightings(reading: Indicator) -> Iterator[Sighting]:
    """Turn a reading into what it would be in a record."""
    kind, value = reading
    if kind in (TrailKind.DOMAIN, TrailKind.TLD):
        yield Sighting(Sight.NAME, value, "dns.question.name")
        yield Sighting(Sight.URL, value, "tls.client.server_name")
    elif kind in (TrailKind.IPV4, TrailKind.IPV6):
        yield Sighting(Sight.ADDRESS, value, "destination.ip")
        yield Sighting(Sight.URL, f"[{value}]" if ":" in value else value, "url.original")
    elif kind is TrailKind.IP_PORT:
        host, port = host_port(value)
        yield Sighting(Sight.ADDRESS, host, "destination.ip", port=port)
        yield Sighting(Sight.URL, value, "url.original")
    elif kind in (TrailKind.URL, TrailKind.HTTP_HOST):
        authority, _, path = value.partition("/")
        host = host_port(authority)[0]
        yield Sighting(Sight.URL, authority, "url.original", path=f"/{path}")
        if address(host):
            yield Sighting(Sight.ADDRESS, host, "destination.ip")
        else:
            yield Sighting(Sight.NAME, host, "url.domain")
    elif kind is TrailKind.PATH:
        yield Sighting(Sight.URL, "host.invalid", "url.original", path=value)
    elif kind in _SIGHTS:
        sight, role = _SIGHTS[kind]
        yield Sighting(sight, value, role)


def _itself(rules: Rules, one: Indicator, source: str | None, time: int | None) -> Tried:
    """Look for a network or pattern as it is: these stand in no record, but a person may ask for them."""
    key = layout.key(*one)
    trail = rules.look_ups.get(*one)
    if trail is None:
        return Tried(named(key))
    verdict = _judged(rules, one, trail, source, time)
    return Tried(named(key), verdict, verdict.hidden or COUNTS)


def _judged(rules: Rules, one: Indicator, trail: Trail, source: str | None, time: int | None) -> Verdict:
    hidden = whitelisted(hiding.deciding(rules.whitelist, one))
    return rules.judged(Verdict(layout.key(*one), trail, one.value, hidden), source, time)


def _verdicts(looks: Sequence[Look]) -> list[Verdict]:
    """Give each trail once, as it counts where it does."""
    verdicts: dict[bytes, Verdict] = {}
    for look in looks:
        for one in look.tried:
            verdict = one.verdict
            if verdict is not None and (verdict.key not in verdicts or (one.counts and verdicts[verdict.key].hidden)):
                verdicts[verdict.key] = verdict
    return list(verdicts.values())
