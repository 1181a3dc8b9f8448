"""Columns of EVE events straight from what was decoded, for the types that most of a log is made of.

The loop looks at a few fields of every event; to translate each event whole for that would take longer than to decode
it. What is read here is what the translation in `ingest.eve_event` says.
"""

from collections.abc import Callable, Hashable, Mapping
from operator import attrgetter

from ingest.eve_event import Eve, Ja3, dns_answers, dns_is_swapped, forwarded_for, host_of, name_asked_for

Column = Callable[[Eve], Hashable]


def _dns_origin(eve: Eve) -> Hashable:
    return eve.dest_ip if dns_is_swapped(eve) else eve.src_ip


def _dns_responder(eve: Eve) -> Hashable:
    return eve.src_ip if dns_is_swapped(eve) else eve.dest_ip


def _answers(eve: Eve) -> Hashable:
    return tuple(dns_answers(eve)) or None


def _proxied(eve: Eve) -> Hashable:
    forwarded = forwarded_for(eve)
    return (forwarded,) if forwarded else None


def _fingerprint(of: Callable[[Eve], Ja3 | None]) -> Column:
    def read(eve: Eve) -> Hashable:
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
# lacks the object of its own type.
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "flow": _ENDS,
    "dns": {
        "id.orig_h": _dns_origin,
        "id.resp_h": _dns_responder,
        "query": name_asked_for,
        "answers": _answers,
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
    "quic": {**_ENDS, "server_name": attrgetter("quic.sni"), **_fingerprints("quic")},
}
