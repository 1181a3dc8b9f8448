"""What the loop looks at in an EVE event: the few fields that observers ask for, decoded alone.

To decode each event whole, let alone to translate it, would take longer than to match it. What is read here is what
the translation in `ingest.eve_event` says.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache
from operator import attrgetter

import msgspec

from ingest.eve_logins import Smb, ntlm

Text = str | None


class DnsAnswerGlance(msgspec.Struct, gc=False):
    rdata: object = None


class DnsQueryGlance(msgspec.Struct, gc=False):
    rrname: Text = None
    rrtype: Text = None


class DnsGlance(msgspec.Struct, gc=False):
    type: Text = None
    rrname: Text = None
    rrtype: Text = None
    rcode: Text = None
    rdata: object = None
    answers: list[DnsAnswerGlance] | None = None
    grouped: dict[str, object] | None = None
    queries: "list[DnsQueryGlance] | None" = None


class FlowGlance(msgspec.Struct, gc=False):
    start: Text = None
    pkts_toserver: int | None = None
    pkts_toclient: int | None = None
    bytes_toserver: int | None = None
    bytes_toclient: int | None = None
    age: int | None = None


class TcpGlance(msgspec.Struct, gc=False):
    state: Text = None
    tcp_flags_ts: Text = None
    tcp_flags_tc: Text = None


class HeaderGlance(msgspec.Struct, gc=False):
    name: Text = None
    value: Text = None


class HttpGlance(msgspec.Struct, gc=False):
    hostname: Text = None
    http_content_type: Text = None
    length: int | None = None
    http_port: int | None = None
    url: Text = None
    http_user_agent: Text = None
    http_refer: Text = None
    xff: Text = None
    status: int | None = None
    response_headers: list[HeaderGlance] | None = None


class Ja3(msgspec.Struct, gc=False):
    hash: Text = None


class QuicGlance(msgspec.Struct, gc=False):
    sni: Text = None
    ja3: Ja3 | None = None
    ja3s: Ja3 | None = None
    ja4: Text = None


class TlsGlance(QuicGlance, gc=False):
    subject: Text = None
    issuerdn: Text = None
    fingerprint: Text = None
    notbefore: Text = None
    notafter: Text = None


class FileGlance(msgspec.Struct, gc=False):
    md5: Text = None
    sha1: Text = None
    sha256: Text = None
    magic: Text = None


class Glance(msgspec.Struct, gc=False):
    """One line of eve.json, as far as every event is looked at."""

    timestamp: Text = None
    event_type: str = ""
    src_ip: Text = None
    dest_ip: Text = None
    src_port: int | None = None
    dest_port: int | None = None
    proto: Text = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    flow: FlowGlance | None = None
    tcp: TcpGlance | None = None
    dns: DnsGlance | None = None
    http: HttpGlance | None = None
    tls: TlsGlance | None = None
    quic: QuicGlance | None = None
    fileinfo: FileGlance | None = None
    smb: Smb | None = None
    xff: Text = None


Column = Callable[[Glance], Hashable]


def name_asked_for(eve: Glance) -> Text:
    dns = eve.dns
    if dns is None:
        return None
    return dns.queries[0].rrname if dns.queries else dns.rrname


def type_asked_for(eve: Glance) -> Text:
    dns = eve.dns
    if dns is None:
        return None
    return dns.queries[0].rrtype if dns.queries else dns.rrtype


_DNS_TYPES = {"request": "query", "response": "answer"}


def dns_type(eve: Glance) -> Text:
    """Tell a question from an answer, in the words of version 2."""
    said = eve.dns.type if eve.dns is not None else None
    return _DNS_TYPES.get(said, said) if said else said


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


def _orig_port(eve: Glance) -> Hashable:
    return eve.src_port if eve.icmp_type is None else eve.icmp_type


def _resp_port(eve: Glance) -> Hashable:
    return eve.dest_port if eve.icmp_code is None else eve.icmp_code


def _content_types(eve: Glance) -> Hashable:
    declared = eve.http.http_content_type if eve.http is not None else None
    return (declared,) if declared else None


# Headers of answers that are looked at; Suricata has them where `dump-all-headers` says so.
_HEADERS = ("server", "set-cookie", "location", "x-sinkhole", "x-zinkhole")


def response_headers(eve: Glance) -> list[str]:
    """Give those headers of an answer that are looked at, as `name: value`."""
    headers = (eve.http.response_headers if eve.http is not None else None) or ()
    named = (((header.name or "").lower(), header.value or "") for header in headers)
    return [f"{name}: {value}" for name, value in named if name.startswith(_HEADERS)]


def _header_column(eve: Glance) -> Hashable:
    if eve.http is None or eve.http.response_headers is None:
        return None
    return tuple(response_headers(eve)) or None


# Suricata's states of a TCP flow that were not ended, in Zeek's words. `None`: it opened no session for the flow.
_STATES = {"syn_sent": "S0", "new": "S0", "syn_recv": "S1", "established": "S1", "none": "OTH", None: "OTH"}
_SYN, _RST = 2, 4
_FLAG_DIGITS = 4


def conn_state(eve: Glance) -> Text:
    """Tell what became of a flow as Zeek does."""
    flow, tcp = eve.flow, eve.tcp
    if flow is None:
        return None
    if tcp is None:
        is_udp = eve.proto is not None and eve.proto.upper() == "UDP" and flow.pkts_toclient is not None
        return ("SF" if flow.pkts_toclient else "S0") if is_udp else None
    state = _STATES.get(tcp.state, "SF")
    if state in ("S1", "SF") and not flow.pkts_toclient:
        return "RSTOS0" if _flags(tcp.tcp_flags_ts) & (_SYN | _RST) == _SYN | _RST else "OTH"
    if state == "SF":
        return _ended(_flags(tcp.tcp_flags_ts), _flags(tcp.tcp_flags_tc))
    return state


def source_flags(eve: Glance) -> Text:
    """Give the TCP flags that the source sent, as two hexadecimal digits; Zeek has a history instead."""
    return eve.tcp.tcp_flags_ts if eve.tcp is not None else None


def _ended(sent: int, answered: int) -> str:
    if not answered & _SYN and answered & _RST and sent & _SYN:
        return "REJ"
    if sent & _RST:
        return "RSTO"
    return "RSTR" if answered & _RST else "SF"


@lru_cache(maxsize=512)
def _flags(text: Text) -> int:
    """Read TCP flags as Suricata writes them: two hexadecimal digits."""
    try:
        return int(text, 16) if text is not None and len(text) <= _FLAG_DIGITS else 0
    except ValueError:
        return 0


_ENDS: Mapping[str, Column] = {
    "id.orig_h": attrgetter("src_ip"),
    "id.resp_h": attrgetter("dest_ip"),
    "id.orig_p": _orig_port,
    "id.resp_p": _resp_port,
    "proto": attrgetter("proto"),
}
_SMB = frozenset({139, 445})


def smb_is_swapped(eve: Glance) -> bool:
    """Tell whether the source is the server, by the ports."""
    return eve.src_port in _SMB and eve.dest_port not in _SMB


def _end_of_smb(near: str, far: str) -> Column:
    # Who logs in where matters to heuristics, unlike what trails meet at either end.
    as_it_is, swapped = attrgetter(near), attrgetter(far)
    return lambda eve: swapped(eve) if smb_is_swapped(eve) else as_it_is(eve)


def _of_ntlm(name: str) -> Column:
    return lambda eve: ntlm(eve.smb)[name] if eve.smb is not None else None  # type: ignore[return-value] # no lists


# EVE's event type -> all columns of it that observers look at. A column may raise `AttributeError` for an event that
# lacks the object of its own type. Which of the two ends is which (in answers of dns, in fileinfo) makes no difference
# here: both are looked at.
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "flow": {
        **_ENDS,
        "conn_state": conn_state,
        "orig_pkts": attrgetter("flow.pkts_toserver"),
        "orig_bytes": attrgetter("flow.bytes_toserver"),
        "resp_bytes": attrgetter("flow.bytes_toclient"),
        "duration": attrgetter("flow.age"),
        "orig_flags": source_flags,
    },
    "dns": {
        **_ENDS,
        "query": name_asked_for,
        "qtype_name": type_asked_for,
        "rcode_name": attrgetter("dns.rcode"),
        "dns.type": dns_type,
        "answers": _answer_column,
    },
    "http": {
        **_ENDS,
        "host": host_of,
        "uri": attrgetter("http.url"),
        "user_agent": attrgetter("http.http_user_agent"),
        "referrer": attrgetter("http.http_refer"),
        "proxied": _proxied,
        "resp_mime_types": _content_types,
        "response_body_len": attrgetter("http.length"),
        "status_code": attrgetter("http.status"),
        "resp_headers": _header_column,
    },
    "tls": {
        **_ENDS,
        "server_name": attrgetter("tls.sni"),
        "subject": attrgetter("tls.subject"),
        "issuer": attrgetter("tls.issuerdn"),
        "notbefore": attrgetter("tls.notbefore"),
        "notafter": attrgetter("tls.notafter"),
        "fingerprint": attrgetter("tls.fingerprint"),
        **_fingerprints("tls"),
    },
    # Of which there is one for each command, most of them of no interest.
    "smb": {
        "id.orig_h": _end_of_smb("src_ip", "dest_ip"),
        "id.orig_p": _end_of_smb("src_port", "dest_port"),
        "id.resp_h": _end_of_smb("dest_ip", "src_ip"),
        "id.resp_p": _end_of_smb("dest_port", "src_port"),
        "proto": attrgetter("proto"),
        "username": _of_ntlm("username"),
        "success": _of_ntlm("success"),
    },
    "fileinfo": {
        **_ENDS,
        "md5": attrgetter("fileinfo.md5"),
        "sha1": attrgetter("fileinfo.sha1"),
        "sha256": attrgetter("fileinfo.sha256"),
        "mime_type": attrgetter("fileinfo.magic"),
    },
    "quic": {**_ENDS, "server_name": attrgetter("quic.sni"), **_fingerprints("quic")},
}
