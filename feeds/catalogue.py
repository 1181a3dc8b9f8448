"""The catalogue of feeds: one TOML table a feed, ours first, then those of plug-ins, then the user's file.

A table in the user's file whose name is known changes only the keys that it gives, so `[openphish]` with
`enabled = true` is all it takes.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from feeds.feed import Feed
from feeds.formats import all_formats
from feeds.secret import MARK
from trailhound.errors import SettingsError
from trailhound.trail import LISTED_KINDS, TrailClass, TrailKind

_Word = TypeVar("_Word", TrailClass, TrailKind)
CATALOGUE = Path(__file__).parent / "catalogue.toml"
ORIGIN = "catalogue"
# A plug-in names here the text of a catalogue, or a function without arguments that gives one.
PLUGINS = "trailhound.feeds"
# Lists of single addresses that did something once: for these one list alone is not enough.
AGREEMENT: Mapping[TrailClass, int] = {TrailClass.ATTACKER: 2, TrailClass.SCANNER: 2, TrailClass.SPAM: 2}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_URL = re.compile(r"https?://[^\s/?#\[\]@]+(?::\d{1,5})?(?:[/?#]\S*)?")
_TIME = re.compile(r"([1-9]\d{0,4})([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SHORTEST = 300
_MAX_URLS = 100


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """A feed as it is written: what is left out takes these values."""

    url: str | tuple[str, ...]
    format: str = "lines"
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    kind: str = ""
    info: str = ""
    class_: str = ""
    confidence: int = 50
    licence: str = "not stated"
    reference: str = ""
    interval: str = "1d"
    expires: str = "2d"
    enabled: bool = True
    group: str = ""
    agreement: int = 0
    checksum: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    secret: str = ""
    note: str = ""


KEYS = tuple(field.encode_name for field in msgspec.structs.fields(_Table))


def load(user_file: Path | None = None) -> dict[str, Feed]:
    """Give every feed by its name, in the order of names: the catalogue's, those of plug-ins, the user's.

    Raises `SettingsError` which names the file, the feed, the key and what was expected.
    """
    tables: dict[str, Mapping[str, Any]] = {}
    origins: dict[str, str] = {}
    sources = [(ORIGIN, CATALOGUE.read_text(encoding="utf-8")), *_plugged_in()]
    if user_file is not None:
        sources.append((str(user_file), _text(user_file)))
    for origin, text in sources:
        for name, table in _tables(text, origin).items():
            if name in tables and origin != str(user_file):
                raise SettingsError(f"{origin}: [{name}] is in the {origins[name]} already; expected another name")
            tables[name] = {**tables.get(name, {}), **table}
            origins[name] = origin
    return {name: feed(name, tables[name], origins[name]) for name in sorted(tables)}


def feed(name: str, table: Mapping[str, Any], origin: str) -> Feed:
    """Make a feed of one table. Raises `SettingsError`."""
    try:
        return _feed(name, msgspec.convert(table, _Table), origin)
    except (ValueError, msgspec.ValidationError) as error:
        raise SettingsError(f"{origin}: [{name}] {_plainly(str(error), table)}") from error


def _feed(name: str, table: _Table, origin: str) -> Feed:
    if not _NAME.fullmatch(name):
        raise ValueError("is no name of a feed; expected lower-case letters, digits and dashes, 64 at most")
    _check_numbers(table)
    _check_format(table)
    urls = _urls(table.url)
    _check_secret(table.secret, (*urls, table.checksum, *table.headers.values()))
    class_ = _one_of("class", table.class_, TrailClass)
    return Feed(
        name,
        urls,
        table.format,
        table.options,
        _kind(table.kind),
        table.info or name,
        class_,
        table.confidence,
        table.licence,
        table.reference,
        _seconds("interval", table.interval, _SHORTEST),
        _seconds("expires", table.expires, 0),
        table.enabled,
        table.group or name,
        table.agreement or (AGREEMENT.get(class_, 1) if class_ is not None else 1),
        _url("checksum", table.checksum) if table.checksum else "",
        table.headers,
        table.secret,
        origin,
        table.note,
    )


def _kind(text: str) -> TrailKind | None:
    kind = _one_of("kind", text, TrailKind)
    if kind is not None and kind not in LISTED_KINDS:
        raise ValueError(f"kind = {text!r} is only seen in logs; expected one of {', '.join(LISTED_KINDS)}")
    return kind


def _check_numbers(table: _Table) -> None:
    if not 0 <= table.confidence <= 100:
        raise ValueError(f"confidence = {table.confidence}; expected a number from 0 to 100")
    if not 0 <= table.agreement <= 100:
        raise ValueError(f"agreement = {table.agreement}; expected how many lists must agree, 1 for this one alone")


def _check_format(table: _Table) -> None:
    formats = all_formats()
    if table.format not in formats:
        raise ValueError(
            f"format = {table.format!r}; expected one of {', '.join(formats)}{_near(table.format, formats)}"
        )
    try:
        msgspec.convert(table.options, formats[table.format].options)
    except msgspec.ValidationError as error:
        raise ValueError(f"options of the format {table.format}: {error}") from error


def _check_secret(secret: str, places: Iterable[str]) -> None:
    is_used = any(MARK in place for place in places)
    if secret and not is_used:
        raise ValueError(
            f"secret = {secret!r}, but {MARK} is in no header and no url; expected it where the secret goes"
        )
    if is_used and not secret:
        raise ValueError(f'has {MARK} in a header or url; expected secret = "NAME-OF-THE-SECRET"')


def _urls(given: str | tuple[str, ...]) -> tuple[str, ...]:
    urls = (given,) if isinstance(given, str) else given
    if not 1 <= len(urls) <= _MAX_URLS:
        raise ValueError(f"url has {len(urls)} addresses; expected 1 to {_MAX_URLS}")
    return tuple(_url("url", url) for url in urls)


def _url(key: str, text: str) -> str:
    if not _URL.fullmatch(text) or len(text) > 2000:
        raise ValueError(f"{key} = {text[:200]!r}; expected https://HOST/... (or http), without user and password")
    return text


def _seconds(key: str, text: str, least: int) -> int:
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0 if text == "0" else -1
    if seconds < least:
        shortest = f", {least // 60}m at least" if least else " or 0"
        raise ValueError(f"{key} = {text!r}; expected a time such as 30m, 12h, 7d, 4w{shortest}")
    return seconds


def _one_of(key: str, text: str, words: type[_Word]) -> _Word | None:
    if not text:
        return None
    try:
        return words(text)
    except ValueError as error:
        raise ValueError(f"{key} = {text!r}; expected one of {', '.join(words)}{_near(text, words)}") from error


def _near(text: str, words: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, [str(word) for word in words], 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _plainly(message: str, table: Mapping[str, Any]) -> str:
    """Say what `msgspec` says in the words of the file."""
    unknown = sorted(table.keys() - set(KEYS))
    if unknown:
        return f"{unknown[0]} is no key; expected one of {', '.join(KEYS)}{_near(unknown[0], KEYS)}"
    if "url" not in table:
        return 'has no url; expected url = "https://..."'
    return message.replace(" - at `$.", " for `")


def _tables(text: str, origin: str) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{origin}: this is no TOML: {error}") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{origin}: {name} stands outside a table; expected [NAME-OF-A-FEED] above it")
    return tables


def _text(user_file: Path) -> str:
    try:
        return user_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{user_file}: the file of feeds cannot be read: {reason}") from error


def _plugged_in() -> list[tuple[str, str]]:
    """Give the catalogues of plug-ins, with the name of each."""
    found = []
    for point in sorted(entry_points(group=PLUGINS), key=lambda point: point.name):
        origin = f"plug-in {point.name}"
        try:
            loaded = point.load()
            text = loaded() if callable(loaded) else loaded
        except Exception as error:
            raise SettingsError(f"{origin}: cannot be loaded ({point.value}): {error}") from error
        if not isinstance(text, str):
            raise SettingsError(
                f"{origin}: {point.value} gives {type(text).__name__}; expected the text of a catalogue"
            )
        found.append((origin, text))
    return found
