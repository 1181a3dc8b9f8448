"""Under which other spellings a value may be a trail: forms of a name, pieces of a path."""

import re
from collections.abc import Iterator

# Services that show another host under their own name: `evil.onion.ws` is `evil.onion`.
_GATEWAY = re.compile(r"^(.+\.(?:onion|i2p))\.[a-z0-9.-]+$")
_LOOKUP_SITES = (".ip-adress.com",)
# A name with none of these in it is looked up as it is.
SPECIAL = (".onion.", ".i2p.", *_LOOKUP_SITES)
_VALUES = re.compile(r"=[^&]*")


def names(name: str) -> Iterator[str]:
    """Give the names under which a canonical host name is looked up, itself first; the others are its beginnings."""
    yield name
    if ".onion." in name or ".i2p." in name:  # The regex alone would cost more than the look-up itself.
        gateway = _GATEWAY.match(name)
        if gateway:
            yield gateway[1]
    for site in _LOOKUP_SITES:
        if name.endswith(site):
            yield name.removesuffix(site)


def authorities(authority: str) -> Iterator[str]:
    """Give the hosts under which a URL is looked up: lists of URLs leave `www.` out."""
    yield authority
    if authority.startswith("www."):
        yield authority.removeprefix("www.")


def paths(path: str) -> list[str]:
    """Give the pieces of a canonical path with query under which a URL is looked up, in the order in which they count.

    The whole; without the query; up to the first value; with all values taken out; of that the last segment; the folder
    around it; the last segment of the path alone.
    """
    whole = path.rstrip("/")
    bare, mark, query = whole.partition("?")
    found = [whole]
    last = whole
    if mark:
        found.append(bare)
        if "=" in query:
            found.append(whole[: whole.index("=", len(bare)) + 1])
            last = f"{bare}?{_VALUES.sub('=', query)}"
            found.append(last)
    segment = last[last.rfind("/", 0, len(bare) + 1) :]
    if segment != last:
        found.append(segment)
        found.append(last[: -len(segment)])
    if mark:
        found.append(bare[bare.rfind("/") :])
    return [piece for piece in dict.fromkeys(found) if len(piece) > 1]
