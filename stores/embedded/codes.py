"""How words and addresses stand in the tables."""

import ipaddress
from typing import Any

from stores.contract import Dimension
from trailhound.event import Event
from trailhound.severity import Direction, Severity
from trailhound.trail import TrailClass, TrailKind

KINDS = tuple(TrailKind)
CLASSES = tuple(TrailClass)
DIRECTIONS = tuple(Direction)
KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}
CLASS_CODES = {class_: code for code, class_ in enumerate(CLASSES)}
DIRECTION_CODES = {direction: code for code, direction in enumerate(DIRECTIONS)}
# What is said of a value that is a code; the rest are ids of texts or of addresses.
SPELLINGS = {
    Dimension.SEVERITY: {int(severity): severity.label for severity in Severity},
    Dimension.KIND: {code: kind.value for code, kind in enumerate(KINDS)},
    Dimension.GROUP: {code: kind.group.value for code, kind in enumerate(KINDS)},
    Dimension.CLASS: {code: class_.value for code, class_ in enumerate(CLASSES)},
    Dimension.DIRECTION: {code: direction.value for code, direction in enumerate(DIRECTIONS)},
}


def protocol(event: Event) -> str | None:
    """Give the protocol that an event is counted under: the transport when nothing better is known."""
    return event.protocol or event.transport


def clean(text: str) -> str:
    """Make text fit for a database: no lone surrogates, no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def clean_json(value: Any) -> Any:
    """Make a value fit for JSON in UTF-8, however it came in."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {clean_json(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value if value is None or isinstance(value, int | float) else str(value)


def folded(*texts: str) -> str | None:
    """Give what a search that ignores case reads, or None when lower-casing ASCII says the same."""
    if all(text.isascii() for text in texts):
        return None
    return "\uffff".join(text.casefold() for text in texts)


def span(text: str) -> tuple[str, str] | None:
    """Give the first and last packed address of an address or network, or None when it is neither.

    Packed is the family's digit, then the address in hexadecimal: text, so that a list of spans can be handed over as
    JSON, and in the order of addresses, so that a network is a range.
    """
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    first, last = network.network_address, network.broadcast_address
    if isinstance(first, ipaddress.IPv6Address) and isinstance(last, ipaddress.IPv6Address):
        if first.ipv4_mapped and last.ipv4_mapped:
            return _packed(first.ipv4_mapped), _packed(last.ipv4_mapped)
        # A scope says where an address is good, not which it is.
        return _packed(ipaddress.IPv6Address(int(first))), _packed(ipaddress.IPv6Address(int(last)))
    return _packed(first), _packed(last)


def _packed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return f"{address.version}{address.packed.hex()}"


def is_public(text: str) -> bool:
    """Tell whether an address may stand on a block list: globally routable, of one host."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


def key_of(event_id: str) -> bytes | str:
    """Give the key of an event: half the bytes of its id when that is hexadecimal, as ours are."""
    if len(event_id) == 32:
        try:
            key = bytes.fromhex(event_id)
        except ValueError:
            return clean(event_id)
        if key.hex() == event_id:
            return key
    return clean(event_id)


def id_of(key: bytes | str) -> str:
    return key.hex() if isinstance(key, bytes) else key
