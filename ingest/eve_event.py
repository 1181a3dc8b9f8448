"""One event of Suricata's EVE log, and its translation into the fields of Zeek's log of the same kind.

Every version of Suricata's dns events is read: v1 (one event an answer), v2 (query, answer, grouped), v3 (request,
response, `queries`). What this reader does not need is not decoded.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from ingest.eve_glance import (
    DnsGlance,
    DnsQueryGlance,
    FileGlance,
    FlowGlance,
    Glance,
    HttpGlance,
    QuicGlance,
    Text,
    TlsGlance,
    conn_state,
    dns_answers,
    dns_type,
    forwarded_for,
    host_of,
    name_asked_for,
    response_headers,
    smb_is_swapped,
    source_flags,
    type_asked_for,
)
from ingest.eve_logins import Ftp, Krb5, Rdp, Smb, ftp, kerberos, ntlm, rdp
from trailhound.record import Scalar, Value

Fields = dict[str, Value]


class DnsQuery(DnsQueryGlance, gc=False):
    id: int | None = None


class Dns(DnsGlance, gc=False):
    id: int | None = None
    queries: list[DnsQuery] | None = None  # type: ignore[assignment] # of which the glance sees a part
    query: list[DnsQuery] | None = None
    answer: "Dns | None" = None


class Http(HttpGlance, gc=False):
    http_method: Text = None


class Tls(TlsGlance, gc=False):
    version: Text = None


class Quic(QuicGlance, gc=False):
    version: Text = None


class FileInfo(FileGlance, gc=False):
    filename: Text = None
    size: int | None = None


class Flow(FlowGlance, gc=False):
    src_ip: Text = None
    dest_ip: Text = None
    src_port: int | None = None
    dest_port: int | None = None


class Alert(msgspec.Struct, gc=False):
    signature: Text = None
    signature_id: int | None = None
    rev: int | None = None
    category: Text = None
    severity: int | None = None
    action: Text = None
    metadata: object = None


class Eve(Glance, gc=False):
    """One line of eve.json."""

    flow_id: int | str | None = None
    app_proto: Text = None
    community_id: Text = None
    direction: Text = None
    dns: Dns | None = None
    http: Http | None = None
    tls: Tls | None = None
    quic: Quic | None = None
    fileinfo: FileInfo | None = None
    flow: Flow | None = None
    alert: Alert | None = None
    krb5: Krb5 | None = None
    ftp: Ftp | None = None
    rdp: Rdp | None = None


def _ends(eve: Eve, *, swap: bool = False) -> Fields:
    near = (eve.src_ip, eve.src_port if eve.icmp_type is None else eve.icmp_type)
    far = (eve.dest_ip, eve.dest_port if eve.icmp_code is None else eve.icmp_code)
    if swap:
        near, far = far, near
    return _set(
        {
            "uid": str(eve.flow_id) if eve.flow_id is not None else None,
            "id.orig_h": near[0],
            "id.orig_p": near[1],
            "id.resp_h": far[0],
            "id.resp_p": far[1],
            "proto": eve.proto,
            "service": eve.app_proto if eve.app_proto != "failed" else None,
            "community_id": eve.community_id,
        }
    )


def _set(fields: Mapping[str, Value | None]) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _flow(eve: Eve) -> Fields:
    flow = eve.flow or Flow()
    return {
        **_ends(eve),
        **_set(
            {
                "conn_state": conn_state(eve),
                "orig_flags": source_flags(eve),
                "orig_pkts": flow.pkts_toserver,
                "resp_pkts": flow.pkts_toclient,
                "orig_bytes": flow.bytes_toserver,
                "resp_bytes": flow.bytes_toclient,
                "duration": flow.age,
            }
        ),
    }


def dns_is_swapped(eve: Eve) -> bool:
    """Tell whether the source is whoever answers, as in answers of version 1, and again from version 3 on."""
    is_answer = eve.dns is not None and eve.dns.type in ("answer", "response")
    return is_answer and eve.src_port == 53 and eve.dest_port != 53


def _dns(eve: Eve) -> Fields:
    dns = eve.dns or Dns()
    answers: list[Scalar] = [*dns_answers(eve)]
    return {
        **_ends(eve, swap=dns_is_swapped(eve)),
        **_set(
            {
                "dns.type": dns_type(eve),
                "trans_id": dns.id,
                "query": name_asked_for(eve),
                "qtype_name": type_asked_for(eve),
                "rcode_name": dns.rcode,
                "answers": answers or None,
            }
        ),
    }


def _http(eve: Eve) -> Fields:
    http = eve.http or Http()
    forwarded = forwarded_for(eve)
    headers: list[Scalar] = [*response_headers(eve)]
    return {
        **_ends(eve),
        **_set(
            {
                "method": http.http_method,
                "host": host_of(eve),
                "uri": http.url,
                "user_agent": http.http_user_agent,
                "referrer": http.http_refer,
                "status_code": http.status,
                "response_body_len": http.length,
                "resp_mime_types": [http.http_content_type] if http.http_content_type else None,
                "proxied": [forwarded] if forwarded else None,
                "resp_headers": headers or None,
            }
        ),
    }


def _tls(eve: Eve) -> Fields:
    tls = eve.tls or Tls()
    return {
        **_ends(eve),
        **_set(
            {
                "server_name": tls.sni,
                "subject": tls.subject,
                "issuer": tls.issuerdn,
                "fingerprint": tls.fingerprint,
                "notbefore": tls.notbefore,
                "notafter": tls.notafter,
                "version": tls.version,
                "ja3": tls.ja3.hash if tls.ja3 else None,
                "ja3s": tls.ja3s.hash if tls.ja3s else None,
                "ja4": tls.ja4,
            }
        ),
    }


def _quic(eve: Eve) -> Fields:
    quic = eve.quic or Quic()
    return {
        **_ends(eve),
        **_set(
            {
                "server_name": quic.sni,
                "version": quic.version,
                "ja3": quic.ja3.hash if quic.ja3 else None,
                "ja3s": quic.ja3s.hash if quic.ja3s else None,
                "ja4": quic.ja4,
            }
        ),
    }


def _fileinfo(eve: Eve) -> Fields:
    file = eve.fileinfo or FileInfo()
    # The source of a fileinfo event is whoever sent the file; the connection was opened by the other side when it came
    # from a server's port.
    from_server = eve.app_proto in ("http", "ftp-data") and (eve.src_port or 0) < (eve.dest_port or 0)
    return {
        **_ends(eve, swap=from_server),
        **_set(
            {
                "filename": file.filename,
                "mime_type": file.magic,
                "md5": file.md5,
                "sha1": file.sha1,
                "sha256": file.sha256,
                "total_bytes": file.size,
                "source": eve.app_proto,
            }
        ),
    }


def _from_server(eve: Eve, *ports: int) -> bool:
    """Tell whether an event has the server for its source, as answers do in some versions."""
    return eve.src_port in ports and eve.dest_port not in ports


def _krb5(eve: Eve) -> Fields:
    return {**_ends(eve, swap=_from_server(eve, 88)), **_set(kerberos(eve.krb5 or Krb5()))}


def _smb(eve: Eve) -> Fields:
    return {**_ends(eve, swap=smb_is_swapped(eve)), **_set(ntlm(eve.smb or Smb()))}


def _ftp(eve: Eve) -> Fields:
    return {**_ends(eve, swap=_from_server(eve, 21)), **_set(ftp(eve.ftp or Ftp()))}


def _rdp(eve: Eve) -> Fields:
    return {**_ends(eve, swap=_from_server(eve, 3389)), **_set(rdp(eve.rdp or Rdp()))}


def _alert(eve: Eve) -> Fields:
    alert = eve.alert or Alert()
    flow = eve.flow
    swap = flow.src_ip == eve.dest_ip if flow is not None and flow.src_ip else eve.direction == "to_client"
    fields = _ends(eve, swap=swap)
    names: list[Scalar] = [name for name in _asked(eve.dns) if name]
    carried = {**(_http(eve) if eve.http else {}), **(_tls(eve) if eve.tls else {}), **(_quic(eve) if eve.quic else {})}
    return {
        **carried,
        **fields,
        **_set(
            {
                "queries": names or None,
                "trans_id": _transaction(eve.dns),
                "signature": alert.signature,
                "signature_id": str(alert.signature_id) if alert.signature_id is not None else None,
                "category": alert.category,
                "severity": alert.severity,
                "action": alert.action,
                "rev": str(alert.rev) if alert.rev is not None else None,
                "signature_severity": _said(alert, "signature_severity"),
                "signature_confidence": _said(alert, "confidence"),
            }
        ),
    }


def _said(alert: Alert, name: str) -> Text:
    """Give what the metadata of a signature says: a list of words for each name."""
    words = alert.metadata.get(name) if isinstance(alert.metadata, dict) else None
    word = words[0] if isinstance(words, list) and words else words
    return word if isinstance(word, str) else None


def _transaction(dns: Dns | None) -> int | None:
    if dns is None:
        return None
    return next((query.id for query in (*(dns.query or ()), *(dns.queries or ())) if query.id is not None), dns.id)


def _asked(dns: Dns | None) -> Iterator[str | None]:
    if dns is not None:
        yield dns.rrname
        for query in (*(dns.query or ()), *(dns.queries or ())):
            yield query.rrname
        if dns.answer is not None:
            yield dns.answer.rrname


# EVE's event type -> Zeek's name of the log, and the translation.
EVENTS: Mapping[str, tuple[str, Callable[[Eve], Fields]]] = {
    "flow": ("conn", _flow),
    "dns": ("dns", _dns),
    "http": ("http", _http),
    "tls": ("ssl", _tls),
    "quic": ("quic", _quic),
    "fileinfo": ("files", _fileinfo),
    "krb5": ("kerberos", _krb5),
    "smb": ("ntlm", _smb),
    "ftp": ("ftp", _ftp),
    "rdp": ("rdp", _rdp),
    "alert": ("alert", _alert),
}
