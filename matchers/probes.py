"""The cheap question of the loop: could a cell hold an indicator.

A probe may say yes too often, never too seldom; what it lets through is read whole and judged by the rules.
"""

from collections.abc import Callable, Mapping

from matchers import candidates, layout
from matchers.observer import Probe
from matchers.observers.http import forwarded_addresses
from matchers.observers.ssl import common_name
from matchers.rules import authority_of
from matchers.trailset import TrailSet
from trailhound import canonical


class Probes:
    """Answers by the trail set alone."""

    def __init__(self, trails: TrailSet) -> None:
        self._trails = trails
        self.ask: Mapping[Probe, Callable[[str], bool]] = {
            Probe.ADDRESS: self._address,
            Probe.NAME: self._name,
            Probe.HOST: self._host,
            Probe.PATH: self._path,
            Probe.URL: self._url,
            Probe.AGENT: self._agent,
            Probe.HASH: self._hash,
            Probe.SUBJECT: self._subject,
            Probe.FORWARDED: self._forwarded,
            Probe.EMAIL: self._email,
        }

    def _address(self, text: str) -> bool:
        address = canonical.address(text)
        return address is not None and self._trails.has_address(address)

    def _name(self, text: str) -> bool:
        name = canonical.name(text)
        if name is None:
            return self._address(text)
        if self._trails.domains(name) or self._trails.wildcard(name) is not None:
            return True
        return self._address(text) or any(self._trails.domains(form) for form in candidates.names(name))

    def _host(self, text: str) -> bool:
        authority = authority_of(text)
        if authority is None:
            return False
        return self._trails.has_urls(authority) or self._name(canonical.host_port(authority)[0])

    def _path(self, text: str) -> bool:
        if not text.startswith("/") and self._url(text):
            return True
        exact = self._trails.exact
        return any(exact(layout.PATH + layout.text(piece)) for piece in candidates.paths(canonical.path(text)))

    def _url(self, text: str) -> bool:
        rest = text.partition("://")[2] or text
        authority, slash, path = rest.partition("/")
        return self._host(authority.rpartition("@")[2]) or (bool(slash) and self._path(slash + path))

    def _agent(self, text: str) -> bool:
        return self._trails.agent(canonical.user_agent(text)) is not None

    def _hash(self, text: str) -> bool:
        spelled = layout.text(canonical.digest(text) or text.lower())
        return any(self._trails.exact(prefix + spelled) for prefix in _HASHES)

    def _subject(self, text: str) -> bool:
        name = common_name(text)
        return name is not None and self._name(name)

    def _forwarded(self, text: str) -> bool:
        return any(self._trails.has_address(address) for address in forwarded_addresses(text))

    def _email(self, text: str) -> bool:
        return self._trails.exact(layout.EMAIL + layout.text(text.strip(" <>").lower())) is not None


_HASHES = (layout.CERTIFICATE, layout.FILE, layout.JA3, layout.JA3S, layout.JA4)
