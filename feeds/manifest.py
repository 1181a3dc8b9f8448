"""A MISP feed that is a folder: its manifest, and the events that this names."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from feeds import archives, streams
from feeds.feed import Feed
from feeds.formats import misp
from feeds.formats.misp import MANIFEST
from feeds.formats.misp_says import MispOptions
from feeds.line import Line, Passing, shown
from feeds.parts import MAX_PARTS
from feeds.shelf import Draft
from feeds.source import fetch_document, kept, told
from trailhound.errors import FetchError, SourceError


def is_folder(feed: Feed) -> bool:
    path = feed.urls[0].partition("?")[0]
    return feed.format == "misp" and len(feed.urls) == 1 and path.endswith(("/", f"/{MANIFEST}"))


def from_manifest(feed: Feed, line: Line, draft: Draft) -> str:
    """Fetch the manifest, then each event that the options want and that is new or has another timestamp."""
    base = feed.urls[0].removesuffix(MANIFEST)
    options = msgspec.convert(feed.options, MispOptions)
    old_stamps = _stamps(draft.old.folder / MANIFEST, shown(base)) if draft.old is not None else {}
    fetch_document(feed, line, draft, f"{base}{MANIFEST}", MANIFEST)
    manifest = _unpacked(draft.folder / MANIFEST, shown(base))
    stamps = _stamps(draft.folder / MANIFEST, shown(base))
    names = _wanted(manifest, options, shown(base))
    troubles: list[FetchError] = []
    is_down = False
    for name in names:
        url, uuid = f"{base}{name}", name.removesuffix(".json")
        old = kept(draft, url)
        if old is not None and old_stamps.get(uuid) == stamps.get(uuid, ""):
            draft.keep(old)
            continue
        error = _not_asked(url) if is_down else _tried(feed, line, draft, url, name)
        if error is not None:
            # A thousand further requests will not help a server in trouble.
            is_down = is_down or isinstance(error, Passing)
            troubles.append(error)
            if old is not None:
                draft.keep(old)
    if len(troubles) * 2 > len(names):
        raise FetchError(f"{shown(base)}: of {len(names)} events {len(troubles)} do not come: {troubles[0]}")
    return told(troubles)


def _tried(feed: Feed, line: Line, draft: Draft, url: str, name: str) -> FetchError | None:
    try:
        fetch_document(feed, line, draft, url, name)
    except FetchError as error:
        if isinstance(error, Passing) and error.after:
            raise  # Who wants to be left alone is: all of it comes at another time.
        return error
    return None


def _not_asked(url: str) -> FetchError:
    return FetchError(f"{shown(url)}: was not asked for, since another event did not come")


def _wanted(manifest: bytes, options: MispOptions, what: str) -> tuple[str, ...]:
    try:
        names = misp.members(manifest, options, what)
    except SourceError as error:
        raise FetchError(str(error)) from error
    if len(names) >= MAX_PARTS:
        raise FetchError(f"{what}: the manifest names {len(names)} events; expected less than {MAX_PARTS}")
    return names


class _Entry(msgspec.Struct):
    timestamp: str | int = ""


def _stamps(path: Path, what: str) -> Mapping[str, str]:
    """Read when each event was changed; nothing where it cannot be read, so that all events are asked for."""
    try:
        entries = msgspec.json.decode(_unpacked(path, what), type=dict[str, _Entry])
    except (FetchError, UnicodeDecodeError, msgspec.MsgspecError):
        return {}
    return {uuid: str(entry.timestamp) for uuid, entry in entries.items()}


def _unpacked(path: Path, what: str) -> bytes:
    try:
        with archives.readable(path), contextlib.closing(archives.documents(path)) as documents:
            return b"".join(streams.whole(document) for document in documents)
    except SourceError as error:
        raise FetchError(f"{what}: the manifest cannot be read: {str(error).removeprefix(f'{path}: ')}") from error
