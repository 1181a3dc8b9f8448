"""http.log, and EVE `http`: requests in the clear."""

from collections.abc import Iterator
from typing import Any

from matchers.observer import ENDS, Observer, Probe, Sight, Sighting, ends, told_twice
from trailhound.canonical import address, host_port, split_url
from trailhound.record import Record


def _observe(record: Record) -> Iterator[Sighting]:
    yield from ends(record)
    authority, path = target(record)
    host, port = host_port(authority)
    if host and not address(host):
        yield Sighting(Sight.NAME, host, "url.domain", *told_twice(record, f"{authority}{path}"))
    elif host and _asks_proxy(record):
        yield Sighting(Sight.ADDRESS, host, "url.domain", *told_twice(record, f"{authority}{path}"), port or 80)
    if path:
        authority = authority or record.destination or ""
        repeat, occasion = told_twice(record, f"{authority}{path}")
        yield Sighting(Sight.URL, authority, "url.original", repeat, occasion, path=path)
    agent = record.text("user_agent")
    if agent:
        yield Sighting(Sight.AGENT, agent, "user_agent.original", *told_twice(record, f"{authority}{path}"))
    referrer = _host_of(record.text("referrer"))
    if referrer:
        yield Sighting(Sight.ADDRESS if address(referrer) else Sight.NAME, referrer, "http.request.referrer")
    for forwarded in forwarded_for(record):
        yield Sighting(Sight.ADDRESS, forwarded, "client.ip")


def target(record: Record) -> tuple[str, str]:
    """Give authority and path of what was asked for: of a request to a proxy, what the proxy was asked for."""
    host, uri = record.text("host") or "", record.text("uri") or ""
    if record.text("method") == "CONNECT" and uri:
        return uri, ""
    if _asks_proxy(record):
        scheme, authority, path = split_url(uri)
        if scheme and authority:
            return authority, path or "/"
    return host, uri


def _asks_proxy(record: Record) -> bool:
    """Tell whether a request names its target in full, as only proxies are asked."""
    return (record.text("uri") or "/")[0] not in "/*"


def forwarded_for(record: Record) -> list[str]:
    """Give the addresses that proxies say a request came from."""
    return [address for item in record.texts("proxied") for address in forwarded_addresses(item)]


def forwarded_addresses(header: str) -> list[str]:
    """Read one forwarding header; Zeek writes it as `X-FORWARDED-FOR -> 192.0.2.1, 192.0.2.2`."""
    value = header.partition(" -> ")[2] or header
    parts = [part.strip() for part in value.split(",")]
    return [canonical for part in parts if (canonical := address(part) or address(host_port(part)[0]))]


def _host_of(referrer: str | None) -> str:
    return host_port(split_url(referrer or "")[1])[0]


def _answered(record: Record) -> bool | None:
    return True if record.number("status_code") else None


def _derive(record: Record) -> dict[str, Any]:
    authority, path = target(record)
    host, port = host_port(authority)
    bare, _, query = path.partition("?")
    return {
        "url.domain": host,
        "url.port": port,
        "url.path": bare,
        "url.query": query,
        "url.original": f"{authority}{path}" if authority else path,
        "client.ip": next(iter(forwarded_for(record)), None),
    }


HTTP = Observer(
    log="http",
    suricata="http",
    protocol="http",
    probes={
        **ENDS,
        # A request without a Host is one for the address, which may be the host of a URL.
        "id.resp_h": Probe.HOST,
        "host": Probe.HOST,
        "uri": Probe.PATH,
        "user_agent": Probe.AGENT,
        "referrer": Probe.REFERRER,
        "proxied": Probe.FORWARDED,
    },
    observe=_observe,
    answered=_answered,
    derive=_derive,
    ecs={
        "http.request.method": "method",
        "http.request.referrer": "referrer",
        "http.response.status_code": "status_code",
        "http.response.mime_type": "resp_mime_types",
        "user_agent.original": "user_agent",
    },
)
