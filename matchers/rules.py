"""The rules: which trail a sighting meets, and what keeps it from counting."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from matchers import candidates, layout
from matchers.asking import LookUps, unsaid
from matchers.exceptions import Exceptions
from matchers.findings import Finding
from matchers.layers import Layers
from matchers.observer import Sight, Sighting
from matchers.standing import Standing
from matchers.trailset import TrailSet, value_of
from matchers.whitelist import Entry, Whitelist
from trailhound import canonical
from trailhound.severity import Direction, Severity
from trailhound.trail import Trail, TrailClass, TrailKind

# Whoever calls one of these is not their victim: to meet it as the destination says nothing.
_NOT_AS_DESTINATION = frozenset({TrailClass.ATTACKER, TrailClass.SCANNER, TrailClass.SPAM})
# These do not call anybody: to meet one as the source says nothing.
_NOT_AS_SOURCE = frozenset({TrailClass.MALWARE})
# One thing is one match: what was met in these roles settles the matter for that one.
_SETTLED_BY = {
    "source.ip": ("destination.ip",),
    "file.hash.sha1": ("file.hash.sha256",),
    "file.hash.md5": ("file.hash.sha256", "file.hash.sha1"),
}
_WEB_PORTS = frozenset({80, 443})
_NAME_SERVER = re.compile(r"^(?:ns|rns|dns|nf|mx|nic)\d+\.")
_PROVIDERS = ("dynamic", "free web")
_HASHES = {
    Sight.CERTIFICATE: layout.CERTIFICATE,
    Sight.FILE: layout.FILE,
    Sight.JA3: layout.JA3,
    Sight.JA3S: layout.JA3S,
}
SNI_CONFIDENCE = 2  # A `host/` trail is about HTTP; met on TLS it is worth half.


@dataclass(frozen=True, slots=True)
class Meeting:
    """A sighting that meets a trail. `observed` is the canonical value that was seen.

    What another detector found has, where that says so, a rating of its own, and `said` is what it said. `finding` is
    what one of our heuristics found.
    """

    sighting: Sighting
    trail: Trail
    observed: str
    rating: Severity | None = None
    said: str = ""
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one key of one value: a trail, and why it does not count (empty when it does)."""

    key: bytes
    trail: Trail
    observed: str
    hidden: str = ""


class Rules:
    """Judges sightings by a trail set, a whitelist, exceptions, and what the settings ask of a trail."""

    def __init__(
        self,
        trails: TrailSet,
        whitelist: Whitelist,
        exceptions: Exceptions | None = None,
        standing: Standing | None = None,
        own: TrailSet | None = None,
    ) -> None:
        """Take what to judge by. `own` is a small set over the other: what people added by hand."""
        self.trails = trails
        self.own = own
        self.look_ups: TrailSet | Layers = Layers(own, trails) if own is not None else trails
        self.whitelist = whitelist
        self.exceptions = exceptions or Exceptions()
        self.standing = standing or Standing()
        self._verdicts: dict[Sight, Callable[[Sighting, LookUps], Iterator[Verdict]]] = {
            Sight.NAME: self._name,
            Sight.ADDRESS: self._address,
            Sight.URL: self._url,
            Sight.AGENT: self._agent,
            Sight.CERTIFICATE: self._hash,
            Sight.FILE: self._hash,
            Sight.JA3: self._hash,
            Sight.JA3S: self._hash,
            Sight.JA4: self._ja4,
            Sight.EMAIL: self._email,
        }

    def verdicts(
        self, sighting: Sighting, source: str | None = None, time: int | None = None, trails: LookUps | None = None
    ) -> Iterator[Verdict]:
        """Give what can be said of a sighting, the most exact first; the first that is not hidden counts.

        `source` is the canonical source address of the record, for exceptions that hold for some sources; `time` is the
        record's own, in microseconds, for trails that expire. `trails` is asked in place of the set when a person wants
        to know what is asked.
        """
        for verdict in self._verdicts[sighting.sight](sighting, self.look_ups if trails is None else trails):
            yield self.judged(verdict, source, time)

    def judged(self, verdict: Verdict, source: str | None, time: int | None) -> Verdict:
        """Add why a trail does not count for a record of this source and time, unless that is known already."""
        if verdict.hidden:
            return verdict
        trail = verdict.trail
        hidden = self.exceptions.hides(trail.value, source) or self.standing.hides(trail, time)
        return replace(verdict, hidden=hidden) if hidden else verdict

    def meet(
        self,
        sightings: Iterator[Sighting],
        direction: Direction,
        source: str | None = None,
        time: int | None = None,
    ) -> Iterator[Meeting]:
        """Find the trails that the sightings of one record meet, each trail once; the rest is as in `verdicts`."""
        seen: set[bytes] = set()
        met: set[str] = set()
        asked_for_whitelisted = False
        for sighting in sightings:
            if sighting.role == "dns.question.name":
                asked_for_whitelisted = self.whitelist.name(canonical.name(sighting.value) or "") is not None
            if not met.isdisjoint(_SETTLED_BY.get(sighting.role, ())) or (
                asked_for_whitelisted and sighting.role == "dns.answers.data"
            ):
                continue
            for verdict in self.verdicts(sighting, source, time):
                if verdict.hidden or says_nothing(verdict.trail, sighting, direction):
                    continue
                met.add(sighting.role)
                if verdict.key not in seen:
                    seen.add(verdict.key)
                    yield Meeting(sighting, verdict.trail, verdict.observed[: canonical.MAX_TEXT])
                break

    def _name(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        name = canonical.name(sighting.value)
        if name is None:
            return
        entry = self.whitelist.name(name)
        for key, form in _domains(name, trails):
            trail = trails.trail(key)
            hidden = ""
            if entry is not None and form == name and (entry.below or len(entry.value) >= len(trail.value)):
                hidden = whitelisted(entry)
            elif _is_provider_itself(name, trail):
                hidden = "this is the provider itself"
            elif _NAME_SERVER.match(name) and trail.class_ in (TrailClass.SUSPICIOUS, TrailClass.SINKHOLE):
                hidden = "this is a name server"
            yield Verdict(key, trail, name, hidden)
        for key in trails.wildcards(name):
            yield Verdict(key, trails.trail(key), name, whitelisted(entry))

    def _address(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        address = canonical.address(sighting.value)
        if address is None or not trails.has_address(address):
            return
        hidden = whitelisted(self.whitelist.address(address))
        with_port = trails.address_port(address, sighting.port) if sighting.port else None
        for key in (with_port, trails.address(address), *trails.networks(address)):
            if key is not None:
                yield Verdict(key, trails.trail(key), address, hidden)

    def _url(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        authority = authority_of(sighting.value)
        if authority is None:
            return
        entry = self._host_entry(authority)
        path = canonical.request_path(sighting.path)
        for key, hidden in _url_keys(authority, path, entry):
            if trails.exact(key) is not None:
                trail = trails.trail(key)
                if trail.kind is TrailKind.HTTP_HOST and sighting.role.startswith("tls."):
                    trail = replace(trail, confidence=trail.confidence // SNI_CONFIDENCE)
                yield Verdict(key, trail, authority + path, hidden)

    def _host_entry(self, authority: str) -> Entry | None:
        host = canonical.host_port(authority)[0]
        return self.whitelist.address(host) if canonical.address(host) else self.whitelist.name(host)

    def _agent(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        for key in trails.agents(canonical.user_agent(sighting.value)):
            yield Verdict(key, trails.trail(key), sighting.value.strip())

    def _hash(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        digest = canonical.digest(sighting.value)
        key = trails.exact(_HASHES[sighting.sight] + digest.encode()) if digest else None
        if key is not None and digest is not None:
            yield Verdict(key, trails.trail(key), digest)

    def _ja4(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        key = trails.exact(layout.JA4 + layout.text(sighting.value.lower()))
        if key is not None:
            yield Verdict(key, trails.trail(key), value_of(key))

    def _email(self, sighting: Sighting, trails: LookUps) -> Iterator[Verdict]:
        address = canonical.email(sighting.value)
        key = trails.exact(layout.EMAIL + layout.text(address)) if address else None
        if key is not None:
            yield Verdict(key, trails.trail(key), value_of(key))


def _domains(name: str, trails: LookUps) -> list[tuple[bytes, str]]:
    """Give the keys of a name and its parents with the form that each was found by.

    The first is the one that leaves the least of the name unsaid: behind a gateway, `evil.onion` says more of
    `evil.onion.ws` than a trail for the gateway `onion.ws` does.
    """
    found = [(key, form) for form in candidates.names(name) for key in trails.domains(form)]
    if len(found) > 1:
        found.sort(key=lambda item: unsaid(item[1], item[0]))
    return found


def authority_of(text: str) -> str | None:
    """Give the canonical host with its port, port 80 left out, as keys of URLs begin with it."""
    host, port = canonical.host_port(text)
    name = canonical.address(host) or canonical.name(host)
    if name is None:
        return None
    if port is None or port == 80:
        return f"[{name}]" if ":" in name else name
    return canonical.with_port(name, port)


def _url_keys(authority: str, path: str, entry: Entry | None) -> Iterator[tuple[bytes, str]]:
    """Give the keys of a URL in the order in which they count, each with why it would not."""
    hosts = list(candidates.authorities(authority))
    below = whitelisted(entry) if entry is not None and entry.below else ""
    for piece in candidates.paths(path):
        spelled = layout.text(piece)
        for host in hosts:
            yield layout.URL + layout.text(host) + spelled, below
        yield layout.PATH + spelled, whitelisted(entry)
    for host in hosts:
        name = canonical.host_port(host)[0]
        covers = entry is not None and (canonical.address(name) is not None or len(entry.value) >= len(name))
        yield layout.URL + layout.text(host) + b"/", whitelisted(entry) if covers else below


def whitelisted(entry: Entry | None) -> str:
    """Say which entry hides a trail; nothing without one."""
    return f"whitelisted by {entry.value} ({entry.place})" if entry is not None else ""


def _is_provider_itself(name: str, trail: Trail) -> bool:
    """Tell whether somebody only visits the site of a dynamic DNS or free hosting provider."""
    if trail.kind is not TrailKind.DOMAIN or name not in (trail.value, f"www.{trail.value}"):
        return False
    return any(word in trail.info for word in _PROVIDERS)


def says_nothing(trail: Trail, sighting: Sighting, direction: Direction) -> bool:
    """Tell whether an address in this role means nothing, whatever else is known of it."""
    if sighting.sight is not Sight.ADDRESS:
        return False
    if sighting.role in ("source.ip", "client.ip"):
        return trail.class_ in _NOT_AS_SOURCE and direction is not Direction.OUTBOUND
    if trail.class_ is TrailClass.PARKED and sighting.role == "destination.ip":
        return sighting.port not in _WEB_PORTS
    return trail.class_ in _NOT_AS_DESTINATION
