"""Write sessions as Zeek 7 writes its logs in TSV: same columns, types, order and spellings."""

import datetime as dt
import hashlib
import ipaddress
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from deploy.sample import certificates
from deploy.sample.certificates import Certificate
from deploy.sample.columns import COLUMNS
from deploy.sample.sessions import Attempt, Ends, Fetch, Handshake, Lookup, Quic, Session, Talk

_ALPHABET = string.digits + string.ascii_letters
_QTYPES = {"A": 1, "AAAA": 28, "PTR": 12}
_HOME = ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("192.168.0.0/16")
_CERTIFICATE_TYPES = {False: "application/x-x509-user-cert", True: "application/x-x509-ca-cert"}


class Interval(float):
    """A duration, which Zeek writes with six decimals as it does times."""


Row = dict[str, Any]


@dataclass(slots=True)
class ZeekLogs:
    """Rows by log, each with the moment at which Zeek would write it."""

    start: float
    rows: dict[str, list[tuple[float, Row]]] = field(default_factory=lambda: {log: [] for log in COLUMNS})
    certificates: set[str] = field(default_factory=set)

    def add(self, session: Session) -> None:
        match session:
            case Lookup():
                self._lookup(session)
            case Fetch():
                self._fetch(session)
            case Handshake():
                self._handshake(session)
            case Quic():
                self._quic(session)
            case Attempt():
                history = "S" if session.outcome == "S0" else "Sr"
                packets = (1, 0) if session.outcome == "S0" else (1, 1)
                self._conn(session.at, session.ends, "tcp", None, None, (0, 0), packets, session.outcome, history)
            case Talk():
                self._talk(session)

    def _add(self, log: str, at: float, row: Row, *, written: float) -> None:
        self.rows[log].append((written, {"ts": self.start + at, **row}))

    def _conn(
        self,
        at: float,
        ends: Ends,
        transport: str,
        service: str | None,
        seconds: float | None,
        sizes: tuple[int, int],
        packets: tuple[int, int],
        state: str,
        history: str,
    ) -> None:
        head = 52 if transport == "tcp" else 28
        known = seconds is not None
        row = _identity("C", at, ends) | {
            "proto": transport,
            "service": service,
            "duration": None if seconds is None else Interval(seconds),
            "orig_bytes": sizes[0] if known else None,
            "resp_bytes": sizes[1] if known else None,
            "conn_state": state,
            "local_orig": _is_home(ends.client),
            "local_resp": _is_home(ends.server),
            "missed_bytes": 0,
            "history": history,
            "orig_pkts": packets[0],
            "orig_ip_bytes": sizes[0] + head * packets[0],
            "resp_pkts": packets[1],
            "resp_ip_bytes": sizes[1] + head * packets[1],
        }
        # Zeek writes a connection when it has ended, or when it waited in vain for an answer.
        self._add("conn", at, row, written=at + (5.0 if seconds is None else seconds))

    def _talk(self, session: Talk) -> None:
        history = "ShADadFf" if session.transport == "tcp" else "Dd"
        sizes, packets = (session.sent, session.received), (_packets(session.sent), _packets(session.received))
        way = session.transport, session.service, session.seconds
        self._conn(session.at, session.ends, *way, sizes, packets, "SF", history)

    def _lookup(self, session: Lookup) -> None:
        row = _identity("C", session.at, session.ends) | {
            "proto": "udp",
            "trans_id": session.id,
            "rtt": Interval(session.seconds),
            "query": session.name,
            "qclass": 1,
            "qclass_name": "C_INTERNET",
            "qtype": _QTYPES[session.kind],
            "qtype_name": session.kind,
            "rcode": session.code,
            "rcode_name": "NXDOMAIN" if session.code else "NOERROR",
            "AA": False,
            "TC": False,
            "RD": True,
            "RA": True,
            "Z": 0,
            "answers": [answer.value for answer in session.answers] or None,
            "TTLs": [Interval(answer.ttl) for answer in session.answers] or None,
            "rejected": False,
        }
        self._add("dns", session.at, row, written=session.at + session.seconds)
        sizes = len(session.name) + 18, len(session.name) + 18 + 16 * len(session.answers)
        self._conn(session.at, session.ends, "udp", "dns", session.seconds, sizes, (1, 1), "SF", "Dd")

    def _fetch(self, session: Fetch) -> None:
        identity = _identity("C", session.at, session.ends)
        fuid = _uid("F", session.at, session.ends) if session.body else None
        mime = _sniffed(session) if fuid else None
        row = identity | {
            "trans_depth": 1,
            "method": session.method,
            "host": session.host,
            "uri": unquote(session.uri),
            "referrer": session.referrer,
            "version": "1.1",
            "user_agent": session.user_agent,
            "request_body_len": 0,
            "response_body_len": len(session.body),
            "status_code": session.status,
            "status_msg": session.reason,
            "tags": [],
            "resp_fuids": [fuid] if fuid else None,
            "resp_filenames": [session.filename] if session.filename else None,
            "resp_mime_types": [mime] if mime else None,
        }
        self._add("http", session.at + 0.02, row, written=session.at + session.seconds)
        if fuid:
            self._file(session, identity, fuid, mime)
        sizes = len(session.uri) + len(session.user_agent) + 90, len(session.body) + 220
        packets = _packets(sizes[0]), _packets(sizes[1])
        self._conn(session.at, session.ends, "tcp", "http", session.seconds, sizes, packets, "SF", "ShADadFf")

    def _file(self, session: Fetch, identity: Row, fuid: str, mime: str | None) -> None:
        row = identity | _file_row(fuid, "HTTP", 0, session.body) | {"mime_type": mime, "filename": session.filename}
        row |= {"analyzers": ["MD5", "SHA1", "SHA256"], "sha256": hashlib.sha256(session.body).hexdigest()}
        row |= {"local_orig": _is_home(session.ends.server), "total_bytes": len(session.body)}
        self._add("files", session.at + 0.025, row, written=session.at + session.seconds)

    def _handshake(self, session: Handshake) -> None:
        seen = certificates.chain(session.name) if session.version == "1.2" else ()
        row = _identity("C", session.at, session.ends) | {
            "version": f"TLSv{session.version.replace('.', '')}",
            "cipher": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" if seen else "TLS_AES_128_GCM_SHA256",
            "curve": "x25519",
            "server_name": session.name,
            "resumed": False,
            "next_protocol": session.alpn if seen else None,
            "established": True,
            "ssl_history": "CsxknGIti" if seen else "CsiI",
            "cert_chain_fps": [certificate.sha256 for certificate in seen] or None,
            "client_cert_chain_fps": [] if seen else None,
            "sni_matches_cert": True if seen else None,
        }
        self._add("ssl", session.at + 0.02, row, written=session.at + 0.06)
        for certificate in seen:
            self._certificate(session, certificate)
        sizes = session.sent + 517, session.received + (1_450 if seen else 3_900)
        packets = _packets(sizes[0]), _packets(sizes[1])
        self._conn(session.at, session.ends, "tcp", "ssl", session.seconds, sizes, packets, "SF", "ShADadFf")

    def _certificate(self, session: Handshake, certificate: Certificate) -> None:
        place = 1 if certificate.authority else 0
        row = _identity("C", session.at, session.ends)
        row |= _file_row(_uid("F", session.at, session.ends, place), "SSL", place, certificate.der)
        row |= {"analyzers": ["SHA1", "MD5", "X509"], "mime_type": _CERTIFICATE_TYPES[certificate.authority]}
        row |= {"local_orig": _is_home(session.ends.server)}
        self._add("files", session.at + 0.04, row, written=session.at + 0.04)
        if certificate.sha256 in self.certificates:
            return  # Zeek logs a certificate once a day at most.
        self.certificates.add(certificate.sha256)
        facts = {
            "fingerprint": certificate.sha256,
            "certificate.version": 3,
            "certificate.serial": certificate.serial,
            "certificate.subject": certificate.subject,
            "certificate.issuer": certificate.issuer,
            "certificate.not_valid_before": certificate.not_before,
            "certificate.not_valid_after": certificate.not_after,
            "certificate.key_alg": "id-ecPublicKey",
            "certificate.sig_alg": "ecdsa-with-SHA256",
            "certificate.key_type": "ecdsa",
            "certificate.key_length": 256,
            "certificate.curve": "prime256v1",
            "san.dns": list(certificate.names) or None,
            "basic_constraints.ca": certificate.authority,
            "host_cert": not certificate.authority,
            "client_cert": False,
        }
        self._add("x509", session.at + 0.04, facts, written=session.at + 0.04)

    def _quic(self, session: Quic) -> None:
        identity = _identity("C", session.at, session.ends)
        digest = hashlib.sha256(identity["uid"].encode()).hexdigest()
        names = {"server_name": session.name}
        row = identity | names | {
            "version": "1",
            "client_initial_dcid": digest[:16],
            "client_scid": "(empty)",
            "server_scid": digest[16:32],
            "client_protocol": "h3",
            "history": "ISishIHhHh",
        }  # fmt: skip
        self._add("quic", session.at + 0.01, row, written=session.at + 0.05)
        row = identity | names | {
            "version": "TLSv13",
            "cipher": "TLS_AES_128_GCM_SHA256",
            "curve": "x25519",
            "resumed": False,
            "established": False,
            "ssl_history": "Cs",
        }  # fmt: skip
        self._add("ssl", session.at + 0.01, row, written=session.at + 0.05)
        sizes = session.sent + 1_200, session.received + 2_400
        packets = _packets(sizes[0]), _packets(sizes[1])
        self._conn(session.at, session.ends, "udp", "quic,ssl", session.seconds, sizes, packets, "SF", "Dd")


def write(sessions: Sequence[Session], folder: Path, start: float) -> None:
    """Write one file for each log that has rows; the rows stand in the order in which Zeek would write them."""
    logs = ZeekLogs(start)
    for session in sessions:
        logs.add(session)
    for log, rows in logs.rows.items():
        rows.sort(key=lambda pair: pair[0])
        lines = [*_header(log, start), *(_line(log, row) for _, row in rows), _stamp("#close", start + 480)]
        (folder / f"{log}.log").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _header(log: str, start: float) -> list[str]:
    columns = COLUMNS[log]
    return [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{log}",
        _stamp("#open", start),
        "\t".join(("#fields", *columns)),
        "\t".join(("#types", *columns.values())),
    ]


def _stamp(word: str, seconds: float) -> str:
    return f"{word}\t{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d-%H-%M-%S}"


def _line(log: str, row: Mapping[str, Any]) -> str:
    assert not row.keys() - COLUMNS[log].keys(), row.keys() - COLUMNS[log].keys()  # noqa: S101 - a slip of this file
    return "\t".join(_cell(row.get(name), kind) for name, kind in COLUMNS[log].items())


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(_cell(item, kind).replace(",", "\\x2c") for item in value) or "(empty)"
    if isinstance(value, bool):
        return "T" if value else "F"
    if kind == "time" or isinstance(value, Interval):
        return f"{value:.6f}"
    text = str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\x09") if text != "-" else "\\x2d"


def _identity(prefix: str, at: float, ends: Ends) -> Row:
    return {
        "uid": _uid(prefix, at, ends),
        "id.orig_h": ends.client,
        "id.orig_p": ends.client_port,
        "id.resp_h": ends.server,
        "id.resp_p": ends.server_port,
    }


def _uid(prefix: str, at: float, ends: Ends, place: int = 0) -> str:
    number = int.from_bytes(hashlib.sha256(f"{prefix}{at}{ends}{place}".encode()).digest()[:13], "big")
    return prefix + "".join(_ALPHABET[number // 62**power % 62] for power in range(17))


def _is_home(address: str) -> bool:
    return any(ipaddress.ip_address(address) in network for network in _HOME)


def _packets(size: int) -> int:
    return 3 + size // 1_400


def _sniffed(session: Fetch) -> str:
    if session.filename:
        return "text/plain"  # The EICAR file is plain text to whoever looks inside.
    return "text/html" if session.body.startswith(b"<!doctype") else "text/plain"


def _file_row(fuid: str, source: str, depth: int, content: bytes) -> Row:
    return {
        "fuid": fuid,
        "source": source,
        "depth": depth,
        "duration": Interval(0),
        "is_orig": False,
        "seen_bytes": len(content),
        "missing_bytes": 0,
        "overflow_bytes": 0,
        "timedout": False,
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }
