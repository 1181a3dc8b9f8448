"""What a request says once all escapes are undone, however often they were made."""

from urllib.parse import unquote_to_bytes

import re2

ROUNDS = 6  # Servers and what stands before them undo two or three; each round takes time in proportion to the text.
LONGEST = 16_384  # Characters; servers take no longer request line.
_WIDE = re2.compile(rb"(?i)%u00([0-9a-f]{2})")
# Characters that have one byte, written as two: old servers read them.
_OVERLONG = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"), (b"\xc1\x9c", b"\\"))
_SPACES = bytes.maketrans(b"\0\t\n\v\f\r", b"      ")


def decoded(uri: str) -> bytes:
    """Undo the escapes of a request until nothing changes; a `+` of the query is a space then."""
    data = uri[:LONGEST].encode("utf-8", "surrogatepass")
    for _ in range(ROUNDS):
        if b"%" not in data:
            break
        before, data = data, unquote_to_bytes(_WIDE.sub(rb"%\1", data) if b"%u" in data.lower() else data)
        if data == before:
            break
    for overlong, plain in _OVERLONG:
        if overlong[:1] in data:
            data = data.replace(overlong, plain)
    path, mark, query = data.partition(b"?")
    return (path + mark + query.replace(b"+", b" ")).translate(_SPACES)
