"""What the loop looks at in an EVE event: the few fields that observers ask for, decoded alone.

To decode each event whole, let alone to translate it, would take longer than to match it. What is read here is what
the translation in `ingest.eve_event` says.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from operator import attrgetter

import msgspec

Text = str | None


class DnsAnswerGlance(msgspec.Struct, gc=False):
    rdata: object = None


class DnsQueryGlance(msgspec.Struct, gc=False):
    rrname: Text = None


class DnsGlance(msgspec.Struct, gc=False):
    rrname: Text = None
    rdata: object = None
    answers: list[DnsAnswerGlance] | None = None
    grouped: dict[str, object] | None = None
    queries: "list[DnsQueryGlance] | None" = None


class HttpGlance(msgspec.Struct, gc=False):
    hostname: Text = None
    http_port: int | None = None
    url: Text = None
    http_user_agent: Text = None
    http_refer: Text = None
    xff: Text = None


class Ja3(msgspec.Struct, gc=False):
    hash: Text = None


class QuicGlance(msgspec.Struct, gc=False):
    sni: Text = None
    ja3: Ja3 | None = None
    ja3s: Ja3 | None = None
    ja4: Text = None


class TlsGlance(QuicGlance, gc=False):
    subject: Text = None
    fingerprint: Text = None


class FileGlance(msgspec.Struct, gc=False):
    md5: Text = None
    sha1: Text = None
    sha256: Text = None


class Glance(msgspec.Struct, gc=False):
    """One line of eve.json, as far as every event is looked at."""

    timestamp: Text = None
    event_type: str = ""
    src_ip: Text = None
    dest_ip: Text = None
    dns: DnsGlance | None = None
    http: HttpGlance | None = None
    tls: TlsGlance | None = None
    quic: QuicGlance | None = None
    fileinfo: FileGlance | None = None
    xff: Text = None


Column = Callable[[Glance], Hashable]


def name_asked_for(eve: Glance) -> Text:
    dns = eve.dns
    if dns is None:
        return None
    return dns.queries[0].rrname if dns.queries else dns.rrname


def dns_answers(eve: Glance) -> list[str]:
    dns = eve.dns
    if dns is None:
        return []
    return [rdata for rdata in _answers(dns) if isinstance(rdata, str)]


def _answers(dns: DnsGlance) -> Iterator[object]:
    """Give what a look-up was answered with, in whichever of its forms Suricata was told to write it."""
    if dns.answers is not None:
        yield from (answer.rdata for answer in dns.answers)
    else:
        for group in (dns.grouped or {}).values():
            yield from group if isinstance(group, list) else ()
    yield dns.rdata


def host_of(eve: Glance) -> Text:
    """Give the host as Zeek has it: with the port where the client wrote one."""
    http = eve.http
    if http is None:
        return None
    return f"{http.hostname}:{http.http_port}" if http.hostname and http.http_port else http.hostname


def forwarded_for(eve: Glance) -> Text:
    return (eve.http.xff if eve.http is not None else None) or eve.xff


def _answer_column(eve: Glance) -> Hashable:
    dns = eve.dns
    if dns is not None and dns.answers and dns.rdata is None:  # As versions 2 and 3 have them, mostly.
        return tuple([data for answer in dns.answers if (data := answer.rdata).__class__ is str])
    return tuple(dns_answers(eve)) or None


def _proxied(eve: Glance) -> Hashable:
    forwarded = forwarded_for(eve)
    return (forwarded,) if forwarded else None


def _fingerprint(of: Callable[[Glance], Ja3 | None]) -> Column:
    def read(eve: Glance) -> Hashable:
        fingerprint = of(eve)
        return fingerprint.hash if fingerprint else None

    return read


def _fingerprints(part: str) -> Mapping[str, Column]:
    return {
        "ja3": _fingerprint(attrgetter(f"{part}.ja3")),
        "ja3s": _fingerprint(attrgetter(f"{part}.ja3s")),
        "ja4": attrgetter(f"{part}.ja4"),
    }


_ENDS: Mapping[str, Column] = {"id.orig_h": attrgetter("src_ip"), "id.resp_h": attrgetter("dest_ip")}
# EVE's event type -> all columns of it that observers look at. A column may raise `AttributeError` for an event that
# lacks the object of its own type. Which of the two ends is which (in answers of dns, in fileinfo) makes no difference
# here: both are looked at.
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "flow": _ENDS,
    "dns": {
        **_ENDS,
        "query": name_asked_for,
        "answers": _answer_column,
    },
    "http": {
        **_ENDS,
        "host": host_of,
        "uri": attrgetter("http.url"),
        "user_agent": attrgetter("http.http_user_agent"),
        "referrer": attrgetter("http.http_refer"),
        "proxied": _proxied,
    },
    "tls": {
        **_ENDS,
        "server_name": attrgetter("tls.sni"),
        "subject": attrgetter("tls.subject"),
        "fingerprint": attrgetter("tls.fingerprint"),
        **_fingerprints("tls"),
    },
    "fileinfo": {
        **_ENDS,
        "md5": attrgetter("fileinfo.md5"),
        "sha1": attrgetter("fileinfo.sha1"),
        "sha256": attrgetter("fileinfo.sha256"),
    },
    "quic": {**_ENDS, "server_name": attrgetter("quic.sni"), **_fingerprints("quic")},
}
