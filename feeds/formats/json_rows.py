"""JSON and lines of JSON: dotted paths to the items, and in each item to the columns."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from feeds import streams
from feeds.archives import Document
from feeds.entry import MAX_LINE, Entry, Origin, overlong, refused
from feeds.formats.format import Format
from feeds.formats.rows import Picks, Row, read_row
from trailhound.errors import SourceError

_ANY = "*"
_ITSELF = "."


class JsonOptions(Picks, frozen=True, kw_only=True):
    """`items` is the path to the list of items: `data.indicators`; `*` stands for each member of an object or list."""

    items: str = ""


def read(documents: Iterable[Document], origin: Origin, options: JsonOptions) -> Iterator[Entry]:
    for document in documents:
        try:
            content = orjson.loads(streams.whole(document))
        except orjson.JSONDecodeError as error:
            raise SourceError(f"{document.place}: this is no JSON: {error}") from error
        items = _items(content, [word for word in options.items.split(".") if word])
        if items is None:
            place = options.items or "the document"
            raise SourceError(
                f"{document.place}: {place} is no list of objects; the list has another shape than expected"
            )
        for number, item in enumerate(items, 1):
            yield from read_row(_row(item), options, origin, number)


def read_lines(documents: Iterable[Document], origin: Origin, options: Picks) -> Iterator[Entry]:
    """Read one object a line. A document without any object is not of this format."""
    for document in documents:
        objects = lines = 0
        for number, line in enumerate(streams.lines(document.stream), 1):
            text = line.strip()
            if len(text) > MAX_LINE:
                yield overlong(origin, number, text)
            elif text and text[0] != "#":
                lines += 1
                item = _object(text)
                if item is None:
                    yield refused(origin, number, text, "this line is no JSON object")
                else:
                    objects += 1
                    yield from read_row(_row(item), options, origin, number)
        if lines and not objects:
            raise SourceError(f"{document.place}: not one line of it is a JSON object")


def _object(text: str) -> dict[str, Any] | None:
    try:
        item = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return item if isinstance(item, dict) else None


def _items(content: Any, path: Sequence[str]) -> list[Any] | None:
    """Give the items under a path, or None when the path leads to no list or object."""
    if path and path[0] == _ANY:
        members = list(content.values()) if isinstance(content, dict) else content
        if not isinstance(members, list):
            return None
        found = [_items(member, path[1:]) for member in members]
        return (
            None if members and all(items is None for items in found) else [one for few in found for one in few or ()]
        )
    if path:
        return _items(content.get(path[0]), path[1:]) if isinstance(content, dict) else None
    if isinstance(content, list):
        return content
    return [content] if isinstance(content, dict) else None


def _row(item: Any) -> Row:
    def row(path: str) -> tuple[str, ...]:
        found = [item] if path == _ITSELF else _under(item, path.split("."))
        return tuple(text for value in found if (text := _text(value)))

    return row


def _under(item: Any, path: Sequence[str]) -> list[Any]:
    """Give all values under a path; lists on the way and at its end are gone through."""
    if isinstance(item, list):
        return [value for one in item for value in _under(one, path)]
    if not path:
        return [item]
    return _under(item[path[0]], path[1:]) if isinstance(item, dict) and path[0] in item else []


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


JSON = Format(read, "a JSON document, by paths", JsonOptions)
NDJSON = Format(read_lines, "one JSON object a line, by paths", Picks)
