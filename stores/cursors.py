"""Cursors: where a page ended, as a word without meaning to whoever carries it."""

import base64
import binascii

import orjson

from trailhound.errors import StoreError

Key = tuple[int | str, ...]


def write(order: str, key: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order, *key])).decode().rstrip("=")


def read(cursor: str, order: str, shape: tuple[type, ...]) -> Key:
    """Read a cursor of this order. `shape` are the types of its key. Raises `StoreError` when it is none."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise StoreError(f"{cursor[:80]!r} is no cursor: give back the one that came with the page before") from error
    if not isinstance(found, list) or tuple(type(part) for part in found[1:]) != shape:
        raise StoreError(f"{cursor[:80]!r} is no cursor: give back the one that came with the page before")
    if found[0] != order or any(isinstance(part, int) and abs(part) >= 2**63 for part in found[1:]):
        raise StoreError(f"{cursor[:80]!r} is a cursor of another order than {order!r}: begin again without one")
    return tuple(found[1:])
