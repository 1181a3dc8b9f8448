"""A feed: one public or private list of trails, as the catalogue or a user's file describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailhound.trail import TrailClass, TrailKind


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a list is fetched, how it is read, and what holds for all that is on it.

    `name` is unique (lower-case letters, digits, dashes). `urls` are read as one list. `options` are those of the
    `format` (see `feeds.formats`). `kind` says that all values are of one kind. `info`, `class_` and `confidence` (0 to
    100) hold where the list does not say better. `interval` is the seconds between two updates, `expires` the seconds
    that a trail stays after it was last listed. Lists of one `group` count as one voice; a value counts when
    `agreement` groups have it. `checksum` is the URL of a SHA-256, or empty. `secret` names a secret that goes with
    the request, or is empty. `origin` says who describes the feed: the catalogue, a user's file, a plug-in. `note` is
    for people: why a feed is off, what to mind.
    """

    name: str
    urls: tuple[str, ...]
    format: str
    options: Mapping[str, Any]
    kind: TrailKind | None
    info: str
    class_: TrailClass | None
    confidence: int
    licence: str
    reference: str
    interval: int
    expires: int
    enabled: bool
    group: str
    agreement: int
    checksum: str
    headers: Mapping[str, str]
    secret: str
    origin: str
    note: str = ""
