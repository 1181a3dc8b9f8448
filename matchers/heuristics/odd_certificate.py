"""Servers abroad whose certificates are odd in several ways at once: self-signed, expired, with made-up names.

Zeek has a certificate in x509.log, and in ssl.log who was shown it: what x509.log said is remembered by fingerprint.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import TypeVar

from pydantic import Field

from matchers.findings import Found, Part, Technique, Thresholds
from matchers.heuristics.certificates import Certificate, Shown, is_plain, moment, oddities
from matchers.heuristics.heuristic import Heuristic, Surroundings
from matchers.heuristics.windows import Lately
from matchers.view import View, rows_of
from trailhound import canonical
from trailhound.record import LARGEST, MICROSECONDS
from trailhound.severity import Severity
from trailhound.trail import TrailKind

_CERTIFICATES = 20_000  # That are remembered of x509.log, half a KB each.
_JUDGED = 50_000  # Servers with what they showed that were judged.
_HELD = 5_000  # Of these, odd ones, and ones whose certificate is not known yet.
_PLAIN = 65_536
_PORT_DIGITS = 5
_LONGEST = 4096  # Characters of a subject.
_DAY = 86_400 * MICROSECONDS
_SERIOUS = 80
_SERVER = ("id.resp_h", "id.resp_p", "server_name", "subject", "issuer", "validation_status", "notbefore", "notafter")
_OF_CERTIFICATE = ("subject", "issuer", "validation_status", "notbefore", "notafter")
_CHAINS = ("cert_chain_fps", "cert_chain_fuids")  # Which of the two there is, depends on the version of Zeek.
_OF_X509 = (
    "fingerprint",
    "id",
    "certificate.subject",
    "certificate.issuer",
    "certificate.not_valid_before",
    "certificate.not_valid_after",
)
_NOTHING: frozenset[Hashable] = frozenset({None, b"-", b"(empty)", ()})
_Key = tuple[Hashable, ...]
_Held = TypeVar("_Held")


class OddCertificate(Thresholds):
    """From where on certificates are odd."""

    points: int = Field(
        default=60,
        ge=1,
        le=100,
        description="Least points of what is odd: 35 for self-signed, 30 for a generated name, 20 for expired, 20 for a"
        " server abroad, 15 for another name than asked for, 10 for a strange port. Self-signed, abroad and no more is"
        " not enough.",
    )


class _Watcher:
    def __init__(self, thresholds: OddCertificate, surroundings: Surroundings) -> None:
        self._least = thresholds.points
        self._surroundings = surroundings
        self._young: dict[str, Certificate] = {}
        self._old: dict[str, Certificate] = {}
        self._judged: Lately[_Key] = Lately(_DAY, _JUDGED)
        self._odd: dict[_Key, Found] = {}
        # Certificates that are not odd whoever shows them, by their cells, with the time from and until when.
        self._plain: dict[_Key, tuple[int, int]] = {}
        # Those whose certificate x509.log may still tell, by its name there.
        self._waiting: dict[_Key, str] = {}
        self._told: Lately[tuple[Hashable, str]] = Lately(_DAY)

    def held(self) -> int:
        certificates = len(self._young) + len(self._old)
        return (
            certificates + len(self._plain) + len(self._judged) + len(self._odd) + len(self._waiting) + len(self._told)
        )

    def see(self, view: View) -> Iterator[tuple[int, Found]]:
        if view.log == "x509":
            self._learn(view)
            return
        rows = self._doubtful(view) if len(view) else ()
        servers, sources = _servers(view) if rows else None, view.column("id.orig_h")
        if servers is None or sources is None:
            return
        distinct, time = set(map(servers.__getitem__, rows)), view.time(0)
        come = {key for key in distinct & self._waiting.keys() if self._remembered(self._waiting[key])}
        new = come | self._judged.new(distinct, time)
        for row in rows if new else ():
            if servers[row] in new:  # What follows with the same key is as this one is.
                new.discard(servers[row])
                self._waiting.pop(servers[row], None)
                self._judge(view, servers[row], row)
        for row in rows_of(distinct & self._odd.keys(), servers):
            found = self._odd[servers[row]]
            if self._told.new({(sources[row], found.key)}, view.time(row)):
                yield row, replace(found, key=f"{view.text('id.orig_h', sources[row])} {found.key}")

    def _doubtful(self, view: View) -> Sequence[int]:
        """Give the rows whose certificate is not known to be plain; of most nothing else has to be looked at."""
        columns = [view.column(name) for name in _OF_CERTIFICATE]
        if columns[0] is None or any(view.distinct(chain) - _NOTHING for chain in _CHAINS):
            return range(len(view))
        shown = list(zip(*(column or repeat(None) for column in columns), strict=False))
        first, last = view.time(0), view.time(len(view) - 1)
        doubtful = set()
        for cells in set(shown):
            span = self._plain.get(cells)
            if span is None or not span[0] <= first <= span[1] or not span[0] <= last <= span[1]:
                doubtful.add(cells)
        return list(rows_of(doubtful, shown))

    def _learn(self, view: View) -> None:
        columns = [view.column(name) for name in _OF_X509]
        for row in range(len(view)):
            texts = [_text(view, name, column, row) for name, column in zip(_OF_X509, columns, strict=True)]
            known = Certificate(texts[2][:_LONGEST], texts[3][:_LONGEST], moment(texts[4]), moment(texts[5]))
            for name in filter(None, texts[:2]):
                self._young[name] = known
            if len(self._young) > _CERTIFICATES:
                self._young, self._old = {}, self._young

    def _judge(self, view: View, key: _Key, row: int) -> None:
        cells = tuple(None if (column := view.column(name)) is None else column[row] for name in _OF_CERTIFICATE)
        span = self._plain.get(cells)
        if span is not None and span[0] <= view.time(row) <= span[1]:
            return
        texts = [_text(view, name, view.column(name), row) for name in _SERVER]
        address, port, name, subject, issuer, verdict, begins, ends = texts
        certificate = Certificate(subject[:_LONGEST], issuer[:_LONGEST], moment(begins), moment(ends), verdict)
        first = next(filter(None, (_text(view, chain, view.column(chain), row) for chain in _CHAINS)), "")
        known = self._remembered(first)
        if known is not None:
            certificate = replace(known, verdict=verdict)
        elif first and not subject:
            _put(self._waiting, key, first)
        target = canonical.address(address)
        if target is None or not (certificate.subject or verdict):
            return
        shown = Shown(name, _port(port), not self._surroundings.homes.is_home(target), view.time(row))
        parts = tuple(oddities(certificate, shown))
        if subject and not first and is_plain(certificate, shown.time):
            if len(self._plain) >= _PLAIN:
                self._plain.clear()
            self._plain[cells] = certificate.begins or 0, certificate.ends or LARGEST
        if sum(part.points for part in parts) >= self._least:
            _put(self._odd, key, _found(target, shown, parts))
        else:
            self._odd.pop(key, None)

    def _remembered(self, name: str) -> Certificate | None:
        return self._young.get(name) or self._old.get(name)


def _put(held: dict[_Key, _Held], key: _Key, value: _Held) -> None:
    """Hold something of a server; what was put in first makes room."""
    if len(held) >= _HELD:
        del held[next(iter(held))]
    held[key] = value


def _found(target: str, shown: Shown, parts: Sequence[Part]) -> Found:
    points = round(min(sum(part.points for part in parts), 100))
    name = canonical.name(shown.server_name)
    # A name that is an address has none.
    value = name if name is not None and canonical.address(shown.server_name) is None else target
    odd = ", ".join(part.name for part in parts)
    return Found(
        said=f"was shown an odd certificate by {value} ({odd})",
        score=points,
        severity=Severity.MEDIUM if points >= _SERIOUS else Severity.LOW,
        value=value,
        kind=TrailKind.DOMAIN if value == name else canonical.address_kind(target),
        role="tls.client.server_name" if value == name else "destination.ip",
        parts=tuple(parts),
        key=f"{value} {target} {shown.port} {odd}",
        window=_DAY,
    )


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _PORT_DIGITS else 0


def _servers(view: View) -> Sequence[_Key] | None:
    """Give for each row the server, what it was asked for, and what tells its certificate; None where no column does.

    Names of files (`cert_chain_fuids`) are others in each connection: they tell only where nothing else does.
    """
    addresses, names = view.column("id.resp_h"), view.column("server_name")
    told = [column for name in ("subject", "cert_chain_fps") if (column := view.column(name)) is not None]
    for name in ("cert_chain_fuids", "validation_status"):
        if not told and (column := view.column(name)) is not None:
            told.append(column)
    if addresses is None or not told or not len(view):
        return None
    return list(zip(addresses, *([] if names is None else [names]), *told, strict=True))


def _text(view: View, name: str, column: Sequence[Hashable] | None, row: int) -> str:
    return _read(view, name, column[row]) if column is not None else ""


def _read(view: View, name: str, cell: Hashable) -> str:
    """Read a cell as text, a number too; empty when it is unset."""
    if isinstance(cell, int | float):
        return str(cell)
    return (view.text(name, cell) or "") if cell is not None else ""


ODD_CERTIFICATE = Heuristic(
    name="odd-certificate",
    title="suspicious certificate",
    about="A server shows a certificate that is odd in several ways at once: signed by nobody else, expired, with a"
    " name that looks generated or is not the one asked for, abroad, on a strange port. The parts say which.",
    reads={"ssl": ("id.orig_h", *_SERVER, *_CHAINS), "x509": _OF_X509},
    technique=Technique("T1573.002", "Encrypted Channel: Asymmetric Cryptography", "Command and Control"),
    thresholds=OddCertificate,
    start=_Watcher,
    false_positives=(
        "VPN gateways, cameras, network storage and voice over IP of partners, which sign for themselves",
        "Peer-to-peer software; Tor, whose certificates all look generated",
    ),
    silence="Mute `odd-certificate` for the server, or whitelist its name or address.",
    blind="TLS 1.3 and QUIC encrypt the certificate. Without `policy/protocols/ssl/validate-certs` Zeek does not say"
    " that a chain has expired; recent ones say nothing of subject and issuer without x509.log. When ssl.log is read"
    " first, the certificate is known from the next connection on.",
)
