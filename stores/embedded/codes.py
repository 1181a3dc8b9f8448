"""How words and addresses stand in the tables."""

from stores import addresses
from stores.clean import clean
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
MAX_PORT = 65_535
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


def port(number: int | None) -> int | None:
    """Give a port as it is compared; what cannot be one is none."""
    return number if number is not None and 0 <= number <= MAX_PORT else None


def folded(*texts: str) -> str | None:
    """Give what a search that ignores case reads, or None when lower-casing ASCII says the same."""
    if all(text.isascii() for text in texts):
        return None
    return wording_text(*(text.casefold() for text in texts))


def wording_text(*texts: str) -> str:
    """Give texts as one in which no search finds what begins in one of them and ends in the next."""
    return "\uffff".join(texts)


def grams(text: str) -> str:
    """Give text as its pieces of three letters are kept: NUL would end it."""
    return text.replace("\0", "\uffff")


def span(text: str) -> tuple[str, str] | None:
    """Give the first and last packed address of an address or network, or None when it is neither.

    Packed is the family's digit, then the address in hexadecimal: text, so that a list of spans can be handed over as
    JSON, and in the order of addresses, so that a network is a range.
    """
    found = addresses.span(text)
    return None if found is None else (packed(found[0]), packed(found[1]))


def packed(address: addresses.Address) -> str:
    """Write an address as the tables have it."""
    return f"{address.version}{address.packed.hex()}"


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
