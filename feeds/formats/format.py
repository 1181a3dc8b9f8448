"""What a format is: a pure function from documents to trails, and the options it takes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from feeds.archives import Document
from feeds.entry import Entry, Origin

Read: TypeAlias = Callable[[Iterable[Document], Origin, Any], Iterator[Entry]]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options that every format has.

    `files` are patterns (`*.json`) for the names of the members of an archive or folder that are read; all when empty.
    `must_hold` is a text that stands in the first 64 KiB of every document; a document without it is not this list.
    """

    files: tuple[str, ...] = ()
    must_hold: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How to read one format.

    `read` gets the documents of the list one after the other, where they come from, and an instance of `options`. It
    raises `SourceError` when a document is not of this format. `about` is for people. Where the list `rates_itself`,
    the confidence of the feed does not replace its words but scales them: 100 leaves them as they are. `suffixes` are
    those of the files in an archive or folder that are read when the options name none. A list that
    `excludes` gives no trails but keeps some out; `read` then only says which of its values are of no use.
    """

    read: Read
    about: str
    options: type[Options] = Options
    rates_itself: bool = False
    suffixes: frozenset[str] = frozenset()
    excludes: bool = False
