"""Templates: everything that comes in is text, nothing is markup."""

import unicodedata
from hashlib import blake2b
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from trailhound.event import timestamp

MAX_SHOWN = 300
# Controls, direction overrides, invisible characters, halves of pairs, line separators: what deceives a reader.
_DECEPTIVE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
ASSETS = {"style.css": "text/css", "icon.svg": "image/svg+xml"}


def environment() -> Environment:
    """Make the environment of all templates."""
    made = Environment(loader=PackageLoader("api", "pages"), autoescape=True, undefined=StrictUndefined)
    made.filters["visible"] = visible
    made.filters["clock"] = clock
    made.filters["number"] = "{:,}".format
    made.globals["asset"] = {name: f"/static/{name}?v={_version(name)}" for name in ASSETS}
    return made


def asset(name: str) -> bytes:
    """Read a file that the page links to. Raises KeyError when there is none of this name."""
    if name not in ASSETS:
        raise KeyError(name)
    return files("api").joinpath("pages", name).read_bytes()


def visible(text: str) -> str:
    """Write a text from a log so that what is shown is what is there; cut when it is very long."""
    shown = "".join(f"\\u{{{ord(c):x}}}" if unicodedata.category(c) in _DECEPTIVE else c for c in text[:MAX_SHOWN])
    return shown if len(text) <= MAX_SHOWN else f"{shown}…"


def clock(time: int) -> str:
    """Write microseconds since the epoch for people, in UTC."""
    return timestamp(time)[:19].replace("T", " ")


def _version(name: str) -> str:
    return blake2b(asset(name), digest_size=8).hexdigest()
