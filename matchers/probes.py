"""The cheap question of the loop: could a cell hold an indicator.

A probe may say yes too often, never too seldom; what it lets through is read whole and judged by the rules.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from matchers import candidates, layout
from matchers.observer import Probe
from matchers.observers.http import forwarded_addresses
from matchers.observers.ssl import common_name
from matchers.rules import authority_of
from matchers.sieve import Sieve
from matchers.trailset import TrailSet
from trailhound import canonical


class Probes:
    """Answers by the trail set alone."""

    def __init__(self, trails: TrailSet) -> None:
        self._trails = trails
        sieve = Sieve(trails)
        self._sift: Mapping[Probe, Callable[[Sequence[str]], Sequence[str]]] = {
            Probe.ADDRESS: sieve.addresses,
            Probe.NAME: sieve.names,
            Probe.HOST: sieve.hosts,
            Probe.BARE_PATH: sieve.bare_paths,
            Probe.HASH: sieve.hashes,
            Probe.SUBJECT: sieve.subjects,
            Probe.REFERRER: sieve.referrers,
        }
        self._ask: Mapping[Probe, Callable[[str], bool]] = {
            Probe.ADDRESS: self._address,
            Probe.NAME: self._name,
            Probe.HOST: self._host,
            Probe.PATH: self._path,
            Probe.URL: self._url,
            Probe.REFERRER: self._referrer,
            Probe.AGENT: self._agent,
            Probe.SUBJECT: self._subject,
            Probe.FORWARDED: self._forwarded,
            Probe.EMAIL: self._email,
        }

    def hot(self, probe: Probe, texts: Sequence[str]) -> Collection[str]:
        """Give those of some texts that could hold an indicator."""
        sift, ask = self._sift.get(probe), self._ask.get(probe)
        kept = sift(texts) if sift is not None else texts
        return set(filter(ask, kept)) if ask is not None else set(kept)

    def _address(self, text: str) -> bool:
        address = canonical.address(text)
        return address is not None and self._trails.has_address(address)

    def _name(self, text: str) -> bool:
        name = canonical.name(text.removeprefix("*."))  # As certificates have it.
        if name is None:
            return self._address(text)
        # An address that reads as a name ends in a digit.
        return self._is_name(name) or (name[-1].isdigit() and self._address(text))

    def _is_name(self, name: str) -> bool:
        return any(map(self._trails.domains, candidates.names(name))) or bool(self._trails.wildcards(name))

    def _host(self, text: str) -> bool:
        address = canonical.address(text) if text[-1:].isdigit() or ":" in text else None
        if address is not None:  # The server of a request, mostly: no name to be looked for.
            host = f"[{address}]" if ":" in address else address
            return self._trails.has_urls(host) or self._trails.has_address(address)
        is_compound = ":" in text or text[:1] == "["
        authority = authority_of(text) if is_compound else canonical.name(text)
        if authority is None:
            return False
        if any(map(self._trails.has_urls, candidates.authorities(authority))):
            return True
        return self._name(canonical.host_port(authority)[0]) if is_compound else self._is_name(authority)

    def _path(self, text: str) -> bool:
        if not text.startswith("/") and self._url(text):
            return True
        exact = self._trails.exact
        return any(exact(layout.PATH + layout.text(piece)) for piece in candidates.paths(canonical.request_path(text)))

    def _url(self, text: str) -> bool:
        _, authority, path = canonical.split_url(text)
        return self._host(authority) or self._path(canonical.request_path(path))

    def _referrer(self, text: str) -> bool:
        return self._name(canonical.host_port(canonical.split_url(text)[1])[0])

    def _agent(self, text: str) -> bool:
        return bool(self._trails.agents(canonical.user_agent(text)))

    def _subject(self, text: str) -> bool:
        name = common_name(text)
        return name is not None and self._name(name)

    def _forwarded(self, text: str) -> bool:
        return any(self._trails.has_address(address) for address in forwarded_addresses(text))

    def _email(self, text: str) -> bool:
        address = canonical.email(text)
        return address is not None and self._trails.exact(layout.EMAIL + layout.text(address)) is not None
